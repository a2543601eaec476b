package adapt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncretic/adapt/audio"
	"syncretic/adapt/cqt"
	"syncretic/checkpoint"
)

// writeCorpus makes a corpus of short tones; pitch tells two corpora apart.
func writeCorpus(t testing.TB, dir, name string, clips int, pitch float64) string {
	t.Helper()
	var entries []audio.Entry
	for i := range clips {
		samples := make([]float32, 18000)
		f := pitch * math.Pow(2, float64(i%5)/12)
		for j := range samples {
			samples[j] = float32(0.3 * math.Sin(2*math.Pi*f*float64(j)/audio.SampleRate))
		}
		id := fmt.Sprintf("%s-%d.wav", name, i)
		if err := audio.WriteWAV(filepath.Join(dir, id), samples, true); err != nil {
			t.Fatal(err)
		}
		split := "train"
		if i%4 == 3 {
			split = "valid"
		}
		entries = append(entries, audio.Entry{ID: id, Path: filepath.Join(dir, id), Split: split, Tags: []string{"tone"}, Group: id})
	}
	path := filepath.Join(dir, name+".csv")
	if err := audio.WriteManifest(path, entries, true); err != nil {
		t.Fatal(err)
	}
	return path
}

// tinyConfig is a recipe of six steps on two corpora, small enough to train in a test.
func tinyConfig(t testing.TB, dir string) Config {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Seed = 5
	cfg.Init = map[string]any{
		"model_type": "hubert", "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32,
		"conv_dim": []int{8, 8, 8}, "conv_kernel": []int{10, 8, 8}, "conv_stride": []int{5, 8, 8}, "conv_bias": false,
		"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "mask_time_prob": 0.05,
		"hidden_dropout": 0.1, "attention_dropout": 0.1, "activation_dropout": 0.0, "feat_proj_dropout": 0.1, "layerdrop": 0.5,
	}
	cfg.Teacher = TeacherConfig{Path: filepath.Join(dir, "teacher"),
		CQT:      cqt.Config{SampleRate: 24000, Hop: 320, FMin: 200, Bins: 24, BinsPerOctave: 12, MaxWindow: 1024},
		LogFloor: 1e-4, Normalize: true, Codebooks: 2, Size: 4, Iterations: 2, Frames: 200, Seed: 1}
	cfg.Objective.CodebookDim = 8
	cfg.Batch = Batch{Clips: 3, Seconds: 0.5, Accumulate: 2}
	cfg.SaveEvery = 2
	cfg.Corpora = []CorpusConfig{{Name: "low", Manifest: writeCorpus(t, dir, "low", 8, 220)},
		{Name: "high", Manifest: writeCorpus(t, dir, "high", 8, 440), Replay: true}}
	cfg.Stages = []Stage{{Name: "front-end", Steps: 3, Train: FrontEnd(), Replay: 0.3, LR: Schedule{Peak: 1e-3, Warmup: 1}},
		{Name: "all", Steps: 3, LR: Schedule{Peak: 1e-3, Warmup: 1}}}
	return cfg
}

func open(t testing.TB, cfg Config) *Run {
	t.Helper()
	run, err := Open(context.Background(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Close() })
	return run
}

func read(t *testing.T, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTrainWritesAModelAndIsDeterministic(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	var steps []Record
	for _, out := range []string{"one", "two"} {
		steps = nil
		if err := open(t, cfg).Train(context.Background(), filepath.Join(dir, out), Options{Report: func(r Record) { steps = append(steps, r) }}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, out+".run")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s.run is left: %v", out, err)
		}
	}
	for _, name := range []string{"model.safetensors", headsFile, "config.json", "preprocessor_config.json"} {
		if !bytes.Equal(read(t, dir, "one", name), read(t, dir, "two", name)) {
			t.Errorf("%s differs between two runs of one recipe", name)
		}
	}
	if len(steps) != 6 || steps[2].Stage != "front-end" || steps[3].Stage != "all" || steps[3].StageStep != 1 {
		t.Errorf("got steps %+v, want three of each stage", steps)
	}
	if log := read(t, dir, "one", "train.jsonl"); bytes.Count(log, []byte("\n")) != 6 {
		t.Errorf("the log has %d lines, want 6", bytes.Count(log, []byte("\n")))
	}
	first := steps[0]
	if want := 2 * math.Log(4); math.Abs(first.CE()-want) > 1.5 { // two codebooks of four entries, nothing learnt yet
		t.Errorf("cross-entropy of the first step: %.2f nats, want about %.2f", first.CE(), want)
	}
	if want := first.CE() + first.CQT + 10*first.FeaturePenalty; math.Abs(first.Loss-want) > 1e-6 {
		t.Errorf("loss %v is not the weighted sum of its parts %v", first.Loss, want)
	}
}

// A run that is interrupted and resumed ends on the same bytes as one that was not, wherever it stops.
func TestResumeGivesTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.Stages[1].Optimizer = "keep"
	whole := filepath.Join(dir, "whole")
	if err := open(t, cfg).Train(context.Background(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop <= 5; stop++ {
		out := filepath.Join(dir, fmt.Sprint("stopped-", stop))
		ctx, cancel := context.WithCancel(context.Background())
		err := open(t, cfg).Train(ctx, out, Options{Report: func(r Record) {
			if r.Step == stop {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stop after %d: got %v, want a cancelled context", stop, err)
		}
		if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("stop after %d: an output is there: %v", stop, err)
		}
		if err := open(t, cfg).Train(context.Background(), out, Options{}); !errors.Is(err, fs.ErrExist) {
			t.Fatalf("stop after %d: without Resume got %v, want ErrExist", stop, err)
		}
		again, stopNow := context.WithCancel(context.Background()) // a second interruption, before any step
		stopNow()
		if err := open(t, cfg).Train(again, out, Options{Resume: true}); !errors.Is(err, context.Canceled) {
			t.Fatalf("stop after %d, then at once: got %v", stop, err)
		}
		taken := 0
		if err := open(t, cfg).Train(context.Background(), out, Options{Resume: true, Report: func(Record) { taken++ }}); err != nil {
			t.Fatal(err)
		}
		if taken != 6-stop {
			t.Errorf("stop after %d: %d steps were taken after it, want %d", stop, taken, 6-stop)
		}
		for _, name := range []string{"model.safetensors", headsFile} {
			if !bytes.Equal(read(t, whole, name), read(t, out, name)) {
				t.Errorf("stop after %d: %s differs from the uninterrupted run's", stop, name)
			}
		}
		if n := bytes.Count(read(t, out, "train.jsonl"), []byte("\n")); n != 6 {
			t.Errorf("stop after %d: the log has %d lines, want 6", stop, n)
		}
	}
}

// Two runs never share a work folder.
func TestOneRunAtATime(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	out := filepath.Join(dir, "out")
	second := open(t, cfg)
	var refused error
	err := open(t, cfg).Train(context.Background(), out, Options{Report: func(r Record) {
		if r.Step == 3 {
			refused = second.Train(context.Background(), out, Options{Resume: true})
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(refused, checkpoint.ErrLocked) {
		t.Errorf("a second run at the same time: got %v, want ErrLocked", refused)
	}
}

func TestResumeRefusesAnotherRecipe(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	out := filepath.Join(dir, "out")
	if err := open(t, cfg).Train(ctx, out, Options{Report: func(Record) { cancel() }}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	cfg.Stages[1].LR.Peak = 2e-3
	if err := open(t, cfg).Train(context.Background(), out, Options{Resume: true}); !errors.Is(err, ErrConfig) {
		t.Errorf("got %v, want ErrConfig", err)
	}
}

// The first stage trains the front-end and the heads and leaves the Transformer as it was, bit for bit.
func TestStageTrainsWhatItSelects(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.Stages = cfg.Stages[:1]
	run := open(t, cfg)
	before := map[string][]float32{}
	for _, info := range run.Model().Tensors() {
		before[info.Name], _ = checkpoint.ReadAll(run.Model(), info.Name)
	}
	if err := run.Train(context.Background(), filepath.Join(dir, "out"), Options{}); err != nil {
		t.Fatal(err)
	}
	for name, old := range before {
		now, err := checkpoint.ReadAll(run.Model(), name)
		if err != nil {
			t.Fatal(err)
		}
		changed := false
		for i := range old {
			changed = changed || old[i] != now[i]
		}
		if frozen := strings.HasPrefix(name, "encoder."); changed == frozen {
			t.Errorf("%s: changed %v, frozen %v", name, changed, frozen)
		}
	}
}

func TestTrainStopsOnALossThatIsNotFinite(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.MaxSkipped = 0
	run := open(t, cfg)
	weights := run.Model().Params()[0].Value
	weights.Data().F32()[0] = float32(math.NaN())
	out := filepath.Join(dir, "out")
	err := run.Train(context.Background(), out, Options{})
	if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "stage front-end, step 1") {
		t.Errorf("got %v, want ErrDiverged naming stage and step", err)
	}
	for _, left := range []string{out, out + ".run"} {
		if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %v", left, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		break_ func(*Config, string)
		want   error
		text   string
	}{
		{"missing manifest", func(c *Config, dir string) { c.Corpora[0].Manifest = filepath.Join(dir, "nowhere.csv") }, fs.ErrNotExist, "low"},
		{"empty split", func(c *Config, dir string) { c.Corpora[0].Split = "test" }, audio.ErrInvalid, `no row of split "test"`},
		{"missing base", func(c *Config, dir string) { c.Init, c.Base = nil, filepath.Join(dir, "nowhere") }, fs.ErrNotExist, "nowhere"},
		{"heads neither fresh nor a file", func(c *Config, _ string) { c.Heads = "fesh" }, fs.ErrNotExist, "fesh: no such file or directory (want fresh, "},
		{"crops longer than all recordings", func(c *Config, dir string) { c.Batch.Seconds = 2 }, audio.ErrInvalid, "as long as a crop"},
		{"pattern without parameters", func(c *Config, dir string) { c.Stages[0].Train = []string{"decoder."} }, ErrConfig, "matches no parameter"},
		{"strides that do not fit the teacher", func(c *Config, dir string) { c.Init["conv_stride"] = []int{5, 8, 4} }, ErrConfig, "every 160 samples"},
		{"unknown encoder key value", func(c *Config, dir string) { c.Init["hidden_size"] = 0 }, ErrConfig, "hidden_size"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			cfg := tinyConfig(t, dir)
			test.break_(&cfg, dir)
			_, err := Open(context.Background(), cfg, nil)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want %v with %q", err, test.want, test.text)
			}
		})
	}
}

func TestModelWriteLeavesItsScratchFolderEmpty(t *testing.T) {
	dir := t.TempDir()
	run := open(t, tinyConfig(t, dir))
	scratch := t.TempDir()
	if err := run.Model().Write(t.Context(), filepath.Join(dir, "out"), scratch, checkpoint.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(scratch)
	if err != nil || len(left) > 0 {
		t.Errorf("%v is left in the scratch folder (%v)", left, err)
	}
	if len(read(t, dir, "out", headsFile)) == 0 {
		t.Error("the model has no heads")
	}
}

// A run from a base starts with the base's weights and its heads, or with fresh heads when asked.
func TestOpenStartsFromTheBase(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	base := filepath.Join(dir, "base")
	first := open(t, cfg)
	if err := first.Train(context.Background(), base, Options{}); err != nil {
		t.Fatal(err)
	}
	want, err := checkpoint.Hash(first.Model())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Init, cfg.Base = nil, base
	for heads, same := range map[string]bool{"": true, "fresh": false} {
		cfg.Heads = heads
		run := open(t, cfg)
		got, err := checkpoint.Hash(run.Model())
		if err != nil {
			t.Fatal(err)
		}
		if (got == want) != same {
			t.Errorf("heads %q: the model equals the base: %v, want %v", heads, got == want, same)
		}
		if run.inputs["base"] == "" || (run.inputs["heads"] != "") != same || run.inputs["teacher"] == "" || run.inputs["corpus low"] == "" {
			t.Errorf("heads %q: inputs %v", heads, run.inputs)
		}
	}
}

// A recipe's teacher settings are those of the teacher that it opens, or an error: never ignored.
func TestOpenHoldsTheRecipeToItsTeacher(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	open(t, cfg) // fits it
	path := cfg.Teacher.Path
	cfg.Teacher = DefaultTeacher()
	cfg.Teacher.Path = path
	if run := open(t, cfg); run.cfg.Teacher.Codebooks != 2 || run.cfg.Teacher.CQT.Bins != 24 {
		t.Errorf("the provenance says %+v, the teacher has 2 codebooks and 24 bins", run.cfg.Teacher)
	}
	cfg.Teacher.Codebooks = 3
	if _, err := Open(context.Background(), cfg, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "teacher.codebooks") {
		t.Errorf("got %v, want ErrConfig naming teacher.codebooks", err)
	}
	doc := strings.Replace(string(read(t, path, "teacher.json")), `"codebook_size": 4`, `"codebook_size": 8`, 1)
	if err := checkpoint.WriteFile(filepath.Join(path, "teacher.json"), []byte(doc), true); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTeacher(path); !errors.Is(err, checkpoint.ErrInvalid) {
		t.Errorf("teacher.json and tensors that disagree: got %v, want ErrInvalid", err)
	}
}

// Rows with a start and an end are read at their place.
func TestRecordingsOfManifestRanges(t *testing.T) {
	dir := t.TempDir()
	samples := make([]float32, 24000)
	for i := range samples {
		samples[i] = float32(i/240) / 128 // every 10 ms another value
	}
	path := filepath.Join(dir, "steps.wav")
	if err := audio.WriteWAV(path, samples, false); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(dir, "steps.csv")
	entry := audio.Entry{ID: "steps.wav", Path: path, Start: 0.29, End: 1.005, Split: "train"} // the end is rounded up
	if err := audio.WriteManifest(manifest, []audio.Entry{entry}, false); err != nil {
		t.Fatal(err)
	}
	c, err := OpenCorpus(CorpusConfig{Name: "steps", Manifest: manifest})
	if err != nil {
		t.Fatal(err)
	}
	r := c.Recordings[0]
	if r.Start != 6960 || r.Len != 24000-6960 {
		t.Errorf("samples [%d, %d), want [6960, 24000)", r.Start, r.Start+r.Len)
	}
	got := make([]float32, 1)
	if err := r.Read(got, 240); err != nil {
		t.Fatal(err)
	}
	if want := float32(30) / 128; math.Abs(float64(got[0]-want)) > 1e-4 {
		t.Errorf("10 ms into the row: %v, want %v", got[0], want)
	}
}
