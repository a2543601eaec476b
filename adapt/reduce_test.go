package adapt

import (
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
)

// listening is a group that notes its sums.
type listening struct {
	member
	sums chan []float32
}

func (l listening) Sum(x []float32) error {
	l.sums <- slices.Clone(x)
	return nil
}

// While the front-end's gradients are still to be made, the heads' are already being summed, with their final values.
func TestSumsBeginBeforeTheBackwardPassEnds(t *testing.T) {
	dir := t.TempDir()
	run := open(t, tinyConfig(t, dir))
	sampler, err := NewSampler(5, run.corpora, 0, run.cfg.Batch.Seconds, run.teacher.Hop())
	if err != nil {
		t.Fatal(err)
	}
	b, err := run.loader().load(sampler.Draw(0, 0, 0, 3), 5, "train", 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	g := listening{member{hall: newHall(1)}, make(chan []float32, 1000)}
	r := newReducer(g, run.model.Params(), 300)
	if len(r.buckets) < 5 {
		t.Fatalf("%d buckets: too few to show anything", len(r.buckets))
	}
	loss, _, err := run.model.forward(b, true, 7, 1)
	if err != nil {
		t.Fatal(err)
	}
	r.start()
	var early []float32
	var once sync.Once
	last := r.buckets[len(r.buckets)-1]
	op.Watch(loss, r.params, func(i int) {
		if r.of[i] == last { // holds the pass up: only what runs beside it can go on
			once.Do(func() {
				select {
				case early = <-g.sums:
				case <-time.After(time.Minute):
					t.Error("no sum began while the backward pass was at work")
				}
			})
		}
		r.complete(i)
	})
	if err := ag.Backward(loss); err != nil {
		t.Fatal(err)
	}
	if err := r.finish(true); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(early, r.buckets[0].grads) {
		t.Error("the first bucket was summed before its gradients were complete")
	}
	for i, b := range r.buckets[1:] {
		if x := <-g.sums; !slices.Equal(x, b.grads) {
			t.Errorf("bucket %d: another was summed in its turn, or before it was complete", i+1)
		}
	}
}

// A process whose backward pass broke off, some gradients complete, takes part in all sums, once each.
func TestSumsEndAfterABrokenBackwardPass(t *testing.T) {
	run := open(t, tinyConfig(t, t.TempDir()))
	g := listening{member{hall: newHall(1)}, make(chan []float32, 1000)}
	r := newReducer(g, run.model.Params(), 300)
	for range 2 { // the second step finds nothing of the first
		r.start()
		for i := range r.params {
			if i%3 == 0 {
				r.complete(i)
			}
		}
		if err := r.finish(false); err != nil {
			t.Fatal(err)
		}
		r.complete(1) // an operator that was still at work
		if got := len(g.sums); got != len(r.buckets) {
			t.Fatalf("%d sums, want %d", got, len(r.buckets))
		}
		for range r.buckets {
			<-g.sums
		}
	}
}

// Gradients that lie in buckets are those that lie by themselves, bit for bit.
func TestBucketsHoldTheGradients(t *testing.T) {
	grads := func(team team) map[string][]float32 {
		cfg := tinyConfig(t, t.TempDir())
		cfg.Corpora[0].Name, cfg.Teacher.Path = "low", filepath.Join(t.TempDir(), "teacher")
		run := open(t, cfg)
		if err := cfg.Stages[1].apply(run.model.Params()); err != nil {
			t.Fatal(err)
		}
		run.team = team
		run.team.makeGrads(run.model.Params())
		sampler, err := NewSampler(5, run.corpora, 0, cfg.Batch.Seconds, run.teacher.Hop())
		if err != nil {
			t.Fatal(err)
		}
		var rec Record
		if err := run.team.settle(&rec, 2, run.accumulate(&rec, run.prefetch(t.Context(), sampler, 1, 0), 1, 0)); err != nil {
			t.Fatal(err)
		}
		all := map[string][]float32{}
		for _, p := range run.model.Params() {
			all[p.Name] = slices.Clone(mat.Data[float32](p.Value.Grad()))
		}
		return all
	}
	alone, grouped := grads(team{}), grads(team{group: member{hall: newHall(1)}, bucket: 500})
	for name, g := range alone {
		if !slices.Equal(g, grouped[name]) {
			t.Errorf("%s: another gradient in a bucket", name)
		}
	}
}

// Sums begin with what a backward pass completes first.
func TestDepth(t *testing.T) {
	order := []string{"feature_extractor.conv_layers.0.conv.weight", "feature_extractor.conv_layers.2.conv.weight", "feature_projection.projection.bias",
		"masked_spec_embed", "encoder.pos_conv_embed.conv.bias", "encoder.layers.0.attention.q_proj.weight", "encoder.layers.2.layer_norm.bias",
		"encoder.layers.10.layer_norm.bias", "pretrain.final_proj.weight"}
	for i := range order[1:] {
		if slices.Compare(depth(order[i]), depth(order[i+1])) >= 0 {
			t.Errorf("%s %v stands before %s %v, want the reverse", order[i], depth(order[i]), order[i+1], depth(order[i+1]))
		}
	}
}
