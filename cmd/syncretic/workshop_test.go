package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/audio"
	"syncretic/adapt/mert"
	"syncretic/checkpoint"
)

// workshop is an empty folder, made the working directory of one test, and the command that works in it.
type workshop struct{ t *testing.T }

func newWorkshop(t *testing.T) workshop {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // where features are kept
	t.Chdir(t.TempDir())
	return workshop{t}
}

func (w workshop) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// tinyEncoder is a config.json with one frame every 320 samples and some thousand weights.
const tinyEncoder = `{"model_type": "hubert", "hidden_size": %d, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
"conv_dim": [4, 4, 4], "conv_kernel": [10, 8, 8], "conv_stride": [5, 8, 8], "num_conv_pos_embeddings": 4,
"num_conv_pos_embedding_groups": 2, "mask_time_prob": 0.05, "layerdrop": 0}`

// Widths of tiny encoders: two that differ do not fit together.
const (
	narrow = 8
	wide   = 12
)

// model writes a model directory with weights drawn from the seed.
func (w workshop) model(path string, width int, seed uint64) {
	w.t.Helper()
	cfg, err := mert.ParseConfig(fmt.Appendf(nil, tinyEncoder, width))
	w.must(err)
	enc, err := mert.New(cfg, seed)
	w.must(err)
	w.must(checkpoint.Write(w.t.Context(), path, enc, checkpoint.WriteOptions{SideFiles: enc.SideFiles()}))
}

// tone writes seconds of a sine as a WAV file.
func (w workshop) tone(path string, hertz, seconds float64) {
	w.t.Helper()
	samples := make([]float32, int(seconds*audio.SampleRate))
	for i := range samples {
		samples[i] = float32(0.3 * math.Sin(2*math.Pi*hertz*float64(i)/audio.SampleRate))
	}
	w.must(audio.WriteWAV(path, samples, false))
}

// corpus writes NAME.csv with twelve tones: four a split, in each two tagged low and two tagged high.
func (w workshop) corpus(name string) {
	w.t.Helper()
	var entries []audio.Entry
	for i := range 12 {
		id, tag, hertz := fmt.Sprintf("%s-%d.wav", name, i), "low", 200+10*float64(i)
		if i/3%2 == 1 {
			tag, hertz = "high", 1200+40*float64(i)
		}
		w.tone(id, hertz, 0.4)
		entries = append(entries, audio.Entry{Path: id, ID: id, Split: []string{"train", "valid", "test"}[i%3], Tags: []string{tag}})
	}
	w.must(audio.WriteManifest(name+".csv", entries, false))
}

func (w workshop) write(path, text string) {
	w.t.Helper()
	w.must(os.WriteFile(path, []byte(text), 0o666))
}

func (w workshop) read(path string) string {
	w.t.Helper()
	text, err := os.ReadFile(path)
	w.must(err)
	return string(text)
}

// weights are a checkpoint's tensors by name.
func (w workshop) weights(path string) map[string][]float32 {
	w.t.Helper()
	m, err := checkpoint.Open(path)
	w.must(err)
	defer m.Close()
	all := map[string][]float32{}
	for _, info := range m.Tensors() {
		all[info.Name], err = checkpoint.ReadAll(m, info.Name)
		w.must(err)
	}
	return all
}

func (w workshop) metadata(path string) map[string]string {
	w.t.Helper()
	m, err := checkpoint.Open(path)
	w.must(err)
	defer m.Close()
	return maps.Clone(m.Metadata())
}

// contents are the hashes of all files below the working directory, by path; directories count as files without contents.
func (w workshop) contents() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	w.must(filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			all[path] = "directory"
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	}))
	return all
}

// unchanged fails the test unless the folder holds what it held before, save for the given new paths.
func (w workshop) unchanged(before map[string]string, added ...string) {
	w.t.Helper()
	after := w.contents()
	for path, hash := range before {
		if after[path] != hash {
			w.t.Errorf("%s was changed or removed", path)
		}
	}
	for path := range after {
		belongs := slices.ContainsFunc(added, func(a string) bool { return path == a || strings.HasPrefix(path, a+string(filepath.Separator)) })
		if before[path] == "" && !belongs {
			w.t.Errorf("%s was left behind", path)
		}
	}
}

// outcome is what a command line gave.
type outcome struct {
	code           int
	stdout, stderr string
}

// syncretic runs one command line, split at spaces.
func (w workshop) syncretic(line string) outcome {
	w.t.Helper()
	return w.within(w.t.Context(), line)
}

func (w workshop) within(ctx context.Context, line string) outcome {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(ctx, strings.Fields(line), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// succeed runs a command line that must work.
func (w workshop) succeed(line string) outcome {
	w.t.Helper()
	o := w.syncretic(line)
	if o.code != exitDone {
		w.t.Fatalf("%s: exit code %d\n%s", line, o.code, o.stderr)
	}
	return o
}

// result runs a command line with --json and --quiet, and reads its standard output, which must be one JSON value and no more;
// standard error must be empty.
func (w workshop) result(line string) map[string]any {
	w.t.Helper()
	o := w.succeed(line + " --json --quiet")
	if o.stderr != "" {
		w.t.Errorf("%s: with --quiet standard error has %q", line, o.stderr)
	}
	var value map[string]any
	if err := json.Unmarshal([]byte(o.stdout), &value); err != nil {
		w.t.Fatalf("%s: standard output is not one JSON object: %v\n%s", line, err, o.stdout)
	}
	return value
}

// refusal is a command line that must fail: with this exit code, one line that says this, and a hint line that says that ("" for
// none).
type refusal struct {
	name, line string
	code       int
	says, hint string
}

// refuse checks refusals: beside code and text, that standard output stays empty even with --json, that standard error has one
// line and at most one hint, and that no file appears, changes or vanishes.
func (w workshop) refuse(cases []refusal) {
	w.t.Helper()
	before := w.contents()
	for _, c := range cases {
		w.t.Run(c.name, func(t *testing.T) {
			w := workshop{t}
			o := w.syncretic(c.line + " --json --quiet")
			if o.code != c.code {
				t.Errorf("exit code %d, want %d", o.code, c.code)
			}
			o.complains(t, c.says, c.hint)
			w.unchanged(before)
		})
	}
}

// complains checks the text of a failure.
func (o outcome) complains(t *testing.T, says, hint string) {
	t.Helper()
	if o.stdout != "" {
		t.Errorf("standard output has %q, want nothing", o.stdout)
	}
	lines := strings.Split(strings.TrimSuffix(o.stderr, "\n"), "\n")
	if !strings.HasPrefix(lines[0], "syncretic: ") || !strings.Contains(lines[0], says) {
		t.Errorf("error line %q, want one with %q", lines[0], says)
	}
	want := 1
	if hint != "" {
		want = 2
	}
	if len(lines) != want {
		t.Errorf("standard error has %d lines, want %d:\n%s", len(lines), want, o.stderr)
	} else if hint != "" && (!strings.HasPrefix(lines[1], "hint: ") || !strings.Contains(lines[1], hint)) {
		t.Errorf("hint line %q, want one with %q", lines[1], hint)
	}
}

// cancelled is a context that ended before the work began.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// interrupt checks that a command line which is interrupted at once says so, exits with 130 and leaves nothing.
func (w workshop) interrupt(line, hint string) {
	w.t.Helper()
	before := w.contents()
	o := w.within(cancelled(w.t), line+" --json --quiet")
	if o.code != exitInterrupted {
		w.t.Errorf("%s: exit code %d, want %d", line, o.code, exitInterrupted)
	}
	o.complains(w.t, "interrupted", hint)
	w.unchanged(before)
}
