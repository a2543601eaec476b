package adapt

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/optim"
	"syncretic/checkpoint"
)

// warmConfig is a recipe on a base that was trained before, with a warm-up of the heads.
func warmConfig(t *testing.T, dir string) Config {
	t.Helper()
	cfg := tinyConfig(t, dir)
	base := filepath.Join(dir, "base")
	if err := open(t, cfg).Train(t.Context(), base, Options{}); err != nil {
		t.Fatal(err)
	}
	cfg.Init, cfg.Base = nil, base
	cfg.HeadsWarmup = &HeadsWarmup{Steps: 4, LR: Schedule{Peak: 1e-2, Warmup: 1}}
	return cfg
}

// Fresh heads have their stage, which leaves every tensor of the encoder as it was, bit for bit; those of a checkpoint have none.
func TestHeadsWarmup(t *testing.T) {
	dir := t.TempDir()
	cfg := warmConfig(t, dir)
	for heads, stages := range map[string]string{"fresh": "heads front-end all", "": "front-end all", cfg.Base: "front-end all"} {
		cfg.Heads = heads
		run := open(t, cfg)
		encoder, first := tensors(t, run.Model().Encoder), tensors(t, run.Model().Heads)
		var seen []string
		if err := run.Train(t.Context(), filepath.Join(dir, "out-"+filepath.Base(heads)), Options{Report: func(r Record) {
			if !slices.Contains(seen, r.Stage) {
				seen = append(seen, r.Stage)
			}
			if r.Stage != headsStage || r.StageStep != 4 {
				return
			}
			for name, want := range encoder {
				if got, _ := checkpoint.ReadAll(run.Model().Encoder, name); !slices.Equal(got, want) {
					t.Errorf("the warm-up changed %s", name)
				}
			}
			for name, was := range first {
				if got, _ := checkpoint.ReadAll(run.Model().Heads, name); slices.Equal(got, was) {
					t.Errorf("the warm-up did not change %s", name)
				}
			}
		}}); err != nil {
			t.Fatal(err)
		}
		if strings.Join(seen, " ") != stages {
			t.Errorf("heads %q: stages %v, want %s", heads, seen, stages)
		}
	}

	// The recipe that is stored is the one that ran: it runs again to the same bytes.
	stored, err := StoredConfig(filepath.Join(dir, "out-fresh"))
	if err != nil || len(stored.Stages) != 3 || stored.HeadsWarmup != nil {
		t.Fatalf("stored: %+v, %v", stored.Stages, err)
	}
	again := filepath.Join(dir, "again")
	if err := open(t, stored).Train(t.Context(), again, Options{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, dir, "out-fresh", "model.safetensors"), read(t, again, "model.safetensors")) {
		t.Error("the stored recipe ends on other weights")
	}
}

func tensors(t *testing.T, src checkpoint.Source) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	for _, info := range src.Tensors() {
		var err error
		if all[info.Name], err = checkpoint.ReadAll(src, info.Name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// A stage that trains the heads alone keeps no graph of the encoder, whose output then needs no gradient: there is nothing to
// go backward through. Dropout is on all the same: two seeds give two losses.
func TestHeadsStageCostsNoBackward(t *testing.T) {
	run := open(t, tinyConfig(t, t.TempDir()))
	if err := (Stage{Name: "heads", Train: []string{headPrefix}}).apply(run.model.Params()); err != nil {
		t.Fatal(err)
	}
	sampler, err := NewSampler(1, run.corpora, 0, run.cfg.Batch.Seconds, run.teacher.Hop())
	if err != nil {
		t.Fatal(err)
	}
	b, err := run.loader().load(sampler.Draw(0, 0, 0, 3), 1, "train", 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	optim.MakeGrads(run.model.Params())
	var losses []float64
	for seed := range uint64(2) {
		loss, parts, err := run.model.forward(b, true, seed, 1)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, parts.Loss)
		ops := map[*ag.Operator]bool{}
		operators(loss, ops)
		if len(ops) != 5 { // two linear layers, their two losses, the sum; the feature penalty is a constant
			t.Errorf("the graph has %d operators, want the heads' 5", len(ops))
		}
		if err := ag.Backward(loss); err != nil {
			t.Fatal(err)
		}
	}
	if losses[0] == losses[1] {
		t.Error("two seeds of dropout give one loss: it is off")
	}
	for _, p := range run.model.Params() {
		if head := strings.HasPrefix(p.Name, headPrefix); p.Value.HasGrad() != head {
			t.Errorf("%s has a gradient: %v, want %v", p.Name, p.Value.HasGrad(), head)
		}
	}
}

func TestHeadsWarmupErrors(t *testing.T) {
	for _, test := range []struct{ doc, want string }{
		{"heads_warmup: {lr: {peak: 1}}", "heads_warmup: steps: got 0"},
		{"heads_warmup: {steps: 3}", "heads_warmup: lr.peak: got 0"},
		{"heads_warmup: {steps: 3, lr: {peak: 1, warmup: 2, from: last}}", "heads_warmup: lr.from: last needs a stage before"},
	} {
		if _, err := ParseConfig([]byte(goodConfig + test.doc)); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want ErrConfig with %q", test.doc, err, test.want)
		}
	}
	cfg := tinyConfig(t, t.TempDir())
	cfg.HeadsWarmup = &HeadsWarmup{Steps: 1, LR: Schedule{Peak: 1}}
	if _, err := Open(context.Background(), cfg, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "this is for a base") {
		t.Errorf("with a fresh encoder: got %v, want ErrConfig", err)
	}
}

// operators collects those of the graph that ends in x.
func operators(x mat.Tensor, into map[*ag.Operator]bool) {
	o, ok := x.(*ag.Operator)
	if !ok || into[o] {
		return
	}
	into[o] = true
	for _, operand := range o.Operands() {
		operators(operand, into)
	}
}
