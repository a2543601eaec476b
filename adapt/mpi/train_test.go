//go:build mpi && linux

package mpi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"syncretic/adapt"
	"syncretic/adapt/audio"
	"syncretic/adapt/cqt"
	"syncretic/adapt/mpi"
	"syncretic/checkpoint"
)

// TestJob runs in every process that mpirun starts of this test's binary; started alone it is a group of one. The
// environment variable SYNCRETIC_MPI says how many there must be. MPI can be joined once in a process, so this is one test.
//
//	go test -c -tags mpi -o mpi.test ./adapt/mpi
//	SYNCRETIC_MPI=2 mpirun -n 2 ./mpi.test -test.run TestJob -test.v
func TestJob(t *testing.T) {
	g, err := mpi.Join()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}()
	if want, err := strconv.Atoi(os.Getenv("SYNCRETIC_MPI")); err == nil && g.Size() != want {
		t.Errorf("%d processes, want %d", g.Size(), want)
	}
	t.Run("sums", func(t *testing.T) { sums(t, g) })
	t.Run("broadcast", func(t *testing.T) { broadcast(t, g) })
	t.Run("training", func(t *testing.T) { training(t, g) })
}

// sums of sizes around those at which the library changes its algorithm; every process must have the same bits.
func sums(t *testing.T, g *mpi.Group) {
	for _, n := range []int{1, 2, 7, 1000, 16384, 100_003, 1 << 20} {
		x, y := make([]float32, n), make([]float64, n)
		for i := range x {
			x[i] = float32(math.Sin(float64(i + 1000*g.Rank())))
			y[i] = float64(i + g.Rank())
		}
		if err := errors.Join(g.Sum(x), g.SumFloat64(y)); err != nil {
			t.Fatal(err)
		}
		for i := range x {
			want := 0.0
			for r := range g.Size() {
				want += math.Sin(float64(i + 1000*r))
			}
			if math.Abs(float64(x[i])-want) > 1e-6 || y[i] != float64(g.Size()*i+g.Size()*(g.Size()-1)/2) {
				t.Fatalf("%d elements: element %d is %v and %v, want %v and %d times it", n, i, x[i], y[i], want, g.Size())
			}
		}
		own := bits(x)
		first := bytes.Clone(own)
		if err := g.Broadcast(0, first); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(own, first) {
			t.Errorf("%d elements: process %d has other bits than process 0", n, g.Rank())
		}
	}
}

func bits(x []float32) []byte {
	var p []byte
	for _, v := range x {
		p = fmt.Appendf(p, "%08x", math.Float32bits(v))
	}
	return p
}

func broadcast(t *testing.T, g *mpi.Group) {
	root := g.Size() - 1
	p := make([]byte, 5)
	if g.Rank() == root {
		copy(p, "hello")
	}
	if err := g.Broadcast(root, p); err != nil || string(p) != "hello" {
		t.Errorf("got %q (%v), want what process %d has", p, err, root)
	}
}

// training: twenty steps of all processes together end where those of one end, but for rounding.
func training(t *testing.T, g *mpi.Group) {
	path := make([]byte, 512)
	var err error
	if g.Rank() == 0 {
		copy(path, t.TempDir())
	}
	if err := g.Broadcast(0, path); err != nil {
		t.Fatal(err)
	}
	dir := string(bytes.TrimRight(path, "\x00"))
	cfg := recipe(dir, g.Size())
	one, all := filepath.Join(dir, "one"), filepath.Join(dir, "all")
	if g.Rank() == 0 {
		if err = corpus(cfg.Corpora[0].Manifest, dir); err == nil {
			err = train(t, cfg, nil, one)
		}
	}
	if err := adapt.Agree(g, err); err != nil {
		t.Fatal(err)
	}
	if err := train(t, cfg, g, all); err != nil {
		t.Fatal(err)
	}
	if g.Rank() != 0 {
		return
	}
	weights, curve := difference(t, one, all)
	t.Logf("%d processes against one: weights within %.2g, loss curve within %.2g", g.Size(), weights, curve)
	const tolerance = 1e-5
	if weights > tolerance || curve > tolerance {
		t.Errorf("weights differ by %g, the loss by %g, want at most %g", weights, curve, tolerance)
	}
}

func train(t *testing.T, cfg adapt.Config, g adapt.Group, out string) error {
	run, err := adapt.Opening{Group: g}.Open(t.Context(), cfg)
	if err != nil {
		return err
	}
	defer run.Close()
	return run.Train(t.Context(), out, adapt.Options{})
}

// recipe is twenty steps of a tiny encoder with all kinds of dropout, with two micro-batches a step and process.
func recipe(dir string, processes int) adapt.Config {
	cfg := adapt.DefaultConfig()
	cfg.Seed = 5
	cfg.Init = map[string]any{
		"model_type": "hubert", "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64,
		"conv_dim": []int{8, 8, 8}, "conv_kernel": []int{10, 8, 8}, "conv_stride": []int{5, 8, 8}, "conv_bias": false,
		"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "mask_time_prob": 0.05,
		"hidden_dropout": 0.1, "attention_dropout": 0.1, "activation_dropout": 0.1, "feat_proj_dropout": 0.1, "layerdrop": 0.3,
	}
	cfg.Teacher = adapt.TeacherConfig{Path: filepath.Join(dir, "teacher"),
		CQT:      cqt.Config{SampleRate: 24000, Hop: 320, FMin: 200, Bins: 24, BinsPerOctave: 12, MaxWindow: 1024},
		LogFloor: 1e-4, Normalize: true, Codebooks: 2, Size: 4, Iterations: 2, Frames: 200, Seed: 1}
	cfg.Objective.CodebookDim = 8
	cfg.Batch = adapt.Batch{Clips: 2, Seconds: 0.5, Accumulate: 2 * processes}
	cfg.Corpora = []adapt.CorpusConfig{{Name: "tones", Manifest: filepath.Join(dir, "tones.csv")}}
	cfg.Stages = []adapt.Stage{{Name: "front-end", Steps: 6, Train: adapt.FrontEnd(), LR: adapt.Schedule{Peak: 1e-3, Warmup: 2}},
		{Name: "all", Steps: 14, LR: adapt.Schedule{Peak: 1e-3, Warmup: 2}}}
	return cfg
}

// corpus writes six rising tones.
func corpus(manifest, dir string) error {
	var entries []audio.Entry
	for i := range 6 {
		samples := make([]float32, 18000)
		for j := range samples {
			s := float64(j) / audio.SampleRate
			samples[j] = float32(0.3 * math.Sin(2*math.Pi*(200+50*float64(i)+200*s)*s))
		}
		id := fmt.Sprintf("%d.wav", i)
		if err := audio.WriteWAV(filepath.Join(dir, id), samples, true); err != nil {
			return err
		}
		entries = append(entries, audio.Entry{ID: id, Path: filepath.Join(dir, id), Split: "train"})
	}
	return audio.WriteManifest(manifest, entries, true)
}

// difference is the largest between two outputs' weights and between the losses and norms in their logs.
func difference(t *testing.T, a, b string) (weights, curve float64) {
	t.Helper()
	for _, name := range []string{"model.safetensors", "heads.safetensors"} {
		x, err := checkpoint.Open(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		y, err := checkpoint.Open(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		defer y.Close()
		for _, info := range x.Tensors() {
			p, err := checkpoint.ReadAll(x, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			q, err := checkpoint.ReadAll(y, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			for i := range p {
				weights = max(weights, math.Abs(float64(p[i]-q[i])))
			}
		}
	}
	x, y := log(t, a), log(t, b)
	if len(x) != 20 || len(y) != 20 {
		t.Fatalf("%d and %d steps, want 20", len(x), len(y))
	}
	for i := range x {
		curve = max(curve, math.Abs(x[i].Loss-y[i].Loss), math.Abs(x[i].GradNorm-y[i].GradNorm))
	}
	return weights, curve
}

func log(t *testing.T, out string) (records []adapt.Record) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join(out, "train.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(doc) {
		var r adapt.Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}
