package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/sweep/slurm"
)

// submitConfig is all that submit itself needs of a configuration.
const submitConfig = `
base: base
vectors: {tuned: tau.safetensors}
lambda: {values: [0.2, 0.5]}
study: study.db
probe: {datasets: [{name: tones, manifest: low.csv}]}
`

// cluster puts programs of Slurm on PATH, and nothing else: sbatch keeps what it was given in the folder.
func (w workshop) cluster(programs map[string]string) (folder string) {
	w.t.Helper()
	folder = w.t.TempDir()
	for name, body := range programs {
		w.must(os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\ncd "+folder+"\n"+body), 0o755))
	}
	w.t.Setenv("PATH", folder)
	return folder
}

// sbatch answers as Slurm 22.05 does and keeps script and environment.
const sbatch = `[ "$1" = --version ] && { echo slurm-wlm 22.05.8; exit; }
while IFS= read -r line; do printf '%s\n' "$line"; done >script
printf '%s' "${PGPASSWORD-}" >password
printf '%s' "$*" >arguments
echo 4711`

func TestSweepSubmit(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.write("sweep.yml", submitConfig)
	folder := w.cluster(map[string]string{"sbatch": sbatch})
	got := w.result("sweep submit sweep.yml --workers 3 --throttle 2 --cpus 4 --mem 8G --time 12:00:00 --partition cpu --account a --qos q --constraint c --sbatch=--exclusive --sbatch --nice=10")
	here, err := os.Getwd()
	w.must(err)
	if got["job"] != "4711" || got["study"] != filepath.Join(here, "study.db") || got["workers"] != 3.0 || got["logs"] != filepath.Join(here, "logs") {
		t.Errorf("result %v", got)
	}
	script := w.read(filepath.Join(folder, "script"))
	if script != got["script"] || w.read(filepath.Join(folder, "arguments")) != "--parsable" {
		t.Errorf("sbatch was given %q and\n%s", w.read(filepath.Join(folder, "arguments")), script)
	}
	for _, want := range []string{"--job-name=sweep-sweep\n", "--array=0-2%2\n", "--cpus-per-task=4\n", "--mem=8G\n", "--time=12:00:00\n", "--partition=cpu\n",
		"--account=a\n", "--qos=q\n", "--constraint=c\n", "--exclusive\n", "--nice=10\n", "--requeue\n", "--chdir=" + here + "\n"} {
		if !strings.Contains(script, "#SBATCH "+want) {
			t.Errorf("the script has no %q:\n%s", want, script)
		}
	}
	if want := " sweep work " + filepath.Join(here, "study.db") + " &\n"; !strings.Contains(script, want) {
		t.Errorf("the script has no %q:\n%s", want, script)
	}
	for _, path := range []string{"study.db", "logs"} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	o := w.succeed("sweep submit sweep.yml")
	if !strings.Contains(o.stdout, "array 4711 of 8 workers") || !strings.Contains(o.stdout, "scancel 4711") || !strings.Contains(o.stderr, "SQLite") {
		t.Errorf("standard output %q, standard error %q", o.stdout, o.stderr)
	}
}

func TestSweepSubmitDryRun(t *testing.T) {
	w := newWorkshop(t)
	w.write("sweep.yml", submitConfig)
	w.cluster(nil) // a machine without Slurm
	before := w.contents()
	o := w.succeed("sweep submit sweep.yml --dry-run --quiet --name n --binary bin/syncretic --logs l")
	here, err := os.Getwd()
	w.must(err)
	if !strings.HasPrefix(o.stdout, "#!/bin/bash\n") || !strings.Contains(o.stdout, "\n"+filepath.Join(here, "bin/syncretic")+" sweep work ") ||
		!strings.Contains(o.stdout, "--output="+filepath.Join(here, "l")+"/%x-%A_%a.log\n") {
		t.Errorf("the script is\n%s", o.stdout)
	}
	if got := w.result("sweep submit sweep.yml --dry-run"); got["job"] != nil || !strings.HasPrefix(got["script"].(string), "#!/bin/bash\n") {
		t.Errorf("result %v", got)
	}
	w.unchanged(before)
}

// TestSweepSubmitKeepsPasswords: they reach sbatch by its environment alone.
func TestSweepSubmitKeepsPasswords(t *testing.T) {
	w := newWorkshop(t)
	t.Setenv("PGPASSWORD", "")
	w.write("sweep.yml", strings.Replace(submitConfig, "study.db", "postgres://me:s3cr%20et@db/sweeps", 1))
	folder := w.cluster(map[string]string{"sbatch": sbatch})
	var stdout, stderr strings.Builder
	a := &app{stdout: &stdout, stderr: &stderr}
	cmd, s := newSubmission(a)
	s.create = func(context.Context, *app, string) (studyAddress, error) {
		return studyAddress{"postgres://me:s3cr%20et@db/sweeps", "", []string{"--name", "my study"}}, nil
	}
	cmd.SetArgs([]string{"sweep.yml"})
	cmd.SetContext(t.Context())
	w.must(cmd.Execute())
	script := w.read(filepath.Join(folder, "script"))
	if got := w.read(filepath.Join(folder, "password")); got != "s3cr et" {
		t.Errorf("sbatch has the password %q", got)
	}
	if !strings.Contains(script, " sweep work postgres://me@db/sweeps --name 'my study' &\n") || !strings.Contains(script, "${PGPASSWORD:?") {
		t.Errorf("the script is\n%s", script)
	}
	for name, text := range map[string]string{"script": script, "standard output": stdout.String(), "standard error": stderr.String()} {
		if strings.Contains(text, "s3cr") {
			t.Errorf("%s shows the password:\n%s", name, text)
		}
	}
	if strings.Contains(stderr.String(), "SQLite") {
		t.Errorf("standard error %q", stderr.String())
	}
	if o := w.succeed("sweep submit sweep.yml --dry-run --json"); strings.Contains(o.stdout+o.stderr, "s3cr") {
		t.Errorf("--dry-run shows the password:\n%s", o.stdout)
	}
	w.write("broken.yml", strings.Replace(submitConfig, "study.db", "postgres://me:s3%cret@db/sweeps", 1))
	if o := w.syncretic("sweep submit broken.yml"); o.code != exitUsage || strings.Contains(o.stderr, "cret@") {
		t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
	}
}

func TestSplitPassword(t *testing.T) {
	for _, c := range []struct{ where, set, public, env string }{
		{"/a/study.db", "x", "/a/study.db", ""},
		{"postgres://db/s", "", "postgres://db/s", ""},
		{"postgres://me@db:5433/s?sslmode=verify-full", "", "postgres://me@db:5433/s?sslmode=verify-full", ""},
		{"postgres://me:a%40b@db/s", "", "postgres://me@db/s", "PGPASSWORD=a@b"},
		{"postgres://me:new@db/s", "old", "postgres://me@db/s", "PGPASSWORD=new"},
		{"postgres://me@db/s", "old", "postgres://me@db/s", "PGPASSWORD=old"},
		{"postgresql://db/s?user=me&password=p%26q", "", "postgresql://db/s?user=me", "PGPASSWORD=p&q"},
		{"postgresql+psycopg2://me:p@db/s?sslpassword=k&sslkey=f", "", "postgresql+psycopg2://me@db/s?sslkey=f", "PGPASSWORD=p PGSSLPASSWORD=k"},
	} {
		t.Setenv("PGPASSWORD", c.set)
		public, env, err := splitPassword(c.where)
		if err != nil || public != c.public || strings.Join(env, " ") != c.env {
			t.Errorf("%s: %s, %q, %v; want %s and %q", c.where, public, env, err, c.public, c.env)
		}
	}
	for _, where := range []string{"postgres://me:secret%@db", "postgres://db/s?password=secret;x", "postgres://me:secret%00@db/s"} {
		if _, _, err := splitPassword(where); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want one that does not show it", where, err)
		}
	}
}

func TestSweepSubmitRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.write("sweep.yml", submitConfig)
	w.write("typo.yml", strings.Replace(submitConfig, "study:", "studdy:", 1))
	w.cluster(map[string]string{"sbatch": `[ "$1" = --version ] && exit
echo "sbatch: error: invalid partition specified: x
sbatch: error: Batch job submission failed: Invalid partition name specified" >&2; exit 1`})
	const help = "sweep submit --help"
	w.refuse([]refusal{
		{"no such config", "sweep submit none.yml", exitInput, "none.yml: no such file or directory", "check the spelling"},
		{"unknown key", "sweep submit typo.yml", exitUsage, `"studdy"`, "mend the configuration"},
		{"no config", "sweep submit", exitUsage, "submit takes the arguments CONFIG.yml; got none", help},
		{"no workers", "sweep submit sweep.yml --workers 0", exitUsage, "0 workers, want at least 1", help},
		{"time", "sweep submit sweep.yml --time 2h", exitUsage, `time "2h": want minutes`, help},
		{"time too short", "sweep submit sweep.yml --time 1", exitUsage, `time "1": want more than 2 minutes`, help},
		{"memory", "sweep submit sweep.yml --mem 8GB", exitUsage, `mem "8GB": want a number`, help},
		{"option", "sweep submit sweep.yml --sbatch exclusive", exitUsage, `option "exclusive" of sbatch`, help},
		{"wait for nothing", "sweep submit sweep.yml --wait --dry-run", exitUsage, "--wait and --dry-run", help},
	})
	// What sbatch refuses is known only when the study is there; nothing else goes wrong.
	o := w.syncretic("sweep submit sweep.yml --partition x --json --quiet")
	if o.code != exitFailed {
		t.Errorf("exit code %d", o.code)
	}
	o.complains(t, "sbatch: invalid partition specified: x Batch job submission failed: Invalid partition name specified", "")
	w.must(errors.Join(os.Remove("study.db"), os.Remove("logs")))
	w.cluster(nil)
	w.refuse([]refusal{{"no Slurm", "sweep submit sweep.yml", exitFailed, "sbatch: not on PATH", "--dry-run prints the script here"}})
	if _, err := os.Stat("study.db"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a study was made without Slurm")
	}
}

// waiting is a submission of one look a millisecond, whose study tells its finished trials of 4 look by look.
func waiting(counts ...int) *submission {
	look := 0
	return &submission{every: time.Millisecond, job: slurm.Job{Logs: "logs"}, progress: func(context.Context, *app, studyAddress) (int, int, bool, error) {
		look++
		done := counts[min(look, len(counts))-1]
		return done, 4, done == 4, nil
	}}
}

func TestAwait(t *testing.T) {
	w := newWorkshop(t)
	var stderr strings.Builder
	a := &app{stdout: io.Discard, stderr: &stderr}
	await := func(s *submission, squeue string) (int, error) {
		w.cluster(map[string]string{"squeue": squeue})
		stderr.Reset()
		return s.await(t.Context(), a, studyAddress{}, "4711")
	}
	for _, c := range []struct{ name, squeue string }{
		{"worked off", "echo RUNNING None"},
		{"forgotten by Slurm for a moment", `if [ -e asked ]; then echo RUNNING None; else echo > asked; echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; fi`},
		{"no answer", `echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1`},
		{"hung up by the last look", "exit 0"},
	} {
		counts := []int{0, 1, 2, 3, 3, 3, 4}
		if c.name == "hung up by the last look" {
			counts = []int{0, 2, 4}
		}
		if done, err := await(waiting(counts...), c.squeue); done != 4 || err != nil {
			t.Errorf("%s: %d, %v; want 4", c.name, done, err)
		}
	}
	if done, err := await(waiting(1), "exit 0"); done != 1 || !errors.Is(err, errNoWorkers) || !strings.Contains(err.Error(), "1 of 4 trials are finished; the logs in logs") {
		t.Errorf("no worker left: %d, %v", done, err)
	}
	if _, err := await(waiting(1, 1, 1, 1, 4), "echo PENDING launch failed requeued held; echo PENDING None"); err != nil || strings.Count(stderr.String(), "scontrol release 4711") != 1 {
		t.Errorf("held: %v, standard error %q, want one that names the remedy", err, stderr.String())
	}
	broken := waiting(1)
	broken.progress = func(context.Context, *app, studyAddress) (int, int, bool, error) { return 0, 0, false, fs.ErrNotExist }
	if _, err := await(broken, "exit 0"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "scancel 4711") {
		t.Errorf("broken study: %v", err)
	}
	w.cluster(map[string]string{"squeue": "echo RUNNING None"})
	if _, err := waiting(1).await(cancelled(t), a, studyAddress{}, "4711"); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "scancel 4711") {
		t.Errorf("interrupted: %v", err)
	}
}

// TestSweepSubmitWaits joins the parts: the study that submit makes is the one that --wait looks at.
func TestSweepSubmitWaits(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.write("sweep.yml", submitConfig)
	w.cluster(map[string]string{"sbatch": sbatch, "squeue": "exit 0"})
	a := &app{stdout: new(strings.Builder), stderr: io.Discard, json: true, quiet: true}
	cmd, s := newSubmission(a)
	s.every = time.Millisecond
	cmd.SetArgs([]string{"sweep.yml", "--wait"})
	cmd.SetContext(t.Context())
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.Execute(); !errors.Is(err, errNoWorkers) || !strings.Contains(err.Error(), "array 4711: no worker is left, but 0 of 2 trials") {
		t.Errorf("error %v", err)
	}
	s.progress = func(context.Context, *app, studyAddress) (int, int, bool, error) { return 3, 3, true, nil }
	w.must(cmd.Execute())
	var got submitted
	w.must(json.Unmarshal([]byte(a.stdout.(*strings.Builder).String()), &got))
	if got.Job != "4711" || got.Done != 3 || !slices.Contains(strings.Split(got.Script, "\n"), "#SBATCH --array=0-7") {
		t.Errorf("result %+v", got)
	}
}
