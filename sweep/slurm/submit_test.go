package slurm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// answering is a Runner that notes its call and gives a fixed answer.
func answering(calls *[]Call, stdout string, err error) Runner {
	return func(_ context.Context, call Call) (string, error) {
		*calls = append(*calls, call)
		return stdout, err
	}
}

func TestSubmit(t *testing.T) {
	for answer, want := range map[string]string{
		"1234\n": "1234", "77;north\n": "77", "Submitted batch job 9\n": "9", "Submitted batch job 9 on cluster north\n": "9",
		"A word of the administrators\n12\n": "12",
	} {
		var calls []Call
		id, err := Submit(t.Context(), answering(&calls, answer, nil), []byte("script"), []string{"PGPASSWORD=x"})
		if err != nil || id != want {
			t.Errorf("%q: job %q, %v; want %q", answer, id, err, want)
		}
		if call := (Call{"sbatch", []string{"--parsable"}, []string{"PGPASSWORD=x"}, []byte("script")}); !reflect.DeepEqual(calls, []Call{call}) {
			t.Errorf("calls %+v", calls)
		}
	}
	for _, answer := range []string{"", "done", "12 jobs", "-3"} {
		if id, err := Submit(t.Context(), answering(new([]Call), answer, nil), nil, nil); err == nil || !strings.Contains(err.Error(), "no job id") {
			t.Errorf("%q: job %q, %v", answer, id, err)
		}
	}
	if _, err := Submit(t.Context(), answering(new([]Call), "", ErrMissing), nil, nil); !errors.Is(err, ErrMissing) {
		t.Errorf("error %v", err)
	}
}

func TestQueued(t *testing.T) {
	out := "RUNNING None\nCOMPLETING None\nPENDING Resources\nPENDING JobArrayTaskLimit\nPENDING JobHeldAdmin\nPENDING launch failed requeued held\n\n"
	var calls []Call
	got, err := Queued(t.Context(), answering(&calls, out, nil), "12")
	if want := (Tasks{Running: 2, Waiting: 2, Held: 2}); err != nil || got != want || !got.Any() {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if calls[0].Program != "squeue" || !strings.Contains(strings.Join(calls[0].Args, " "), "--jobs=12") {
		t.Errorf("calls %+v", calls)
	}
	for _, c := range []struct {
		name, out string
		err       error
		fails     bool
	}{
		{"ended", "", nil, false},
		{"forgotten", "", errors.New("squeue: slurm_load_jobs error: Invalid job id specified"), false},
		{"no answer", "", errors.New("squeue: slurm_load_jobs error: Unable to contact slurm controller (connect failure)"), true},
	} {
		if got, err := Queued(t.Context(), answering(new([]Call), c.out, c.err), "12"); (err != nil) != c.fails || got.Any() {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestClip(t *testing.T) {
	if got := clip(" a\n\tb  c\n"); got != "a b c" {
		t.Errorf("%q", got)
	}
	if got := clip(strings.Repeat("é", 400)); len(got) > 310 || !strings.HasSuffix(got, " ...") || strings.Contains(got, "\ufffd") {
		t.Errorf("%q", got)
	}
}

// program puts a shell script on PATH under a name of Slurm's and nothing else, so that Exec is tried without Slurm.
func program(t *testing.T, name, script string) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder)
}

func TestExec(t *testing.T) {
	ctx := t.Context()
	program(t, "sbatch", `while read -r line; do echo "$1 $SECRET $line"; done; echo a warning >&2`)
	got, err := Exec(ctx, Call{"sbatch", []string{"--parsable"}, []string{"SECRET=s e"}, []byte("one\ntwo\n")})
	if want := "--parsable s e one\n--parsable s e two\n"; err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	program(t, "sbatch", "echo 'sbatch: error: invalid partition specified: x' >&2; echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2; exit 1")
	want := "sbatch: invalid partition specified: x Batch job submission failed: Invalid partition name specified"
	if _, err := Exec(ctx, Call{Program: "sbatch"}); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	program(t, "sbatch", "exit 3")
	if _, err := Exec(ctx, Call{Program: "sbatch"}); err == nil || err.Error() != "sbatch: exit status 3" {
		t.Errorf("error %v", err)
	}
	if _, err := Exec(ctx, Call{Program: "squeue"}); !errors.Is(err, ErrMissing) {
		t.Errorf("error %v, want ErrMissing", err)
	}
	program(t, "sbatch", "while :; do :; done")
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := Exec(short, Call{Program: "sbatch"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of the context", err)
	}
}
