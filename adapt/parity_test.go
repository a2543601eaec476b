package adapt

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/mert"
	"syncretic/adapt/optim"
	"syncretic/checkpoint"
)

// parity is testdata/parity.safetensors, which testdata/make_parity.py wrote with PyTorch: the inputs of ten steps, what
// each should report, and the weights before, between the two stages and after.
type parity struct {
	file   *checkpoint.Model
	recipe Config
	run    *Run
	values map[string][]float32 // the tensors that are no weights
	shapes map[string][]int
}

func readParity(t *testing.T) parity {
	t.Helper()
	p := parity{file: openFile(t, "testdata/parity.safetensors"), recipe: DefaultConfig(), values: map[string][]float32{}, shapes: map[string][]int{}}
	for _, info := range p.file.Tensors() {
		if strings.Contains(info.Name, ".") {
			continue
		}
		v, err := checkpoint.ReadAll(p.file, info.Name)
		if err != nil {
			t.Fatal(err)
		}
		p.values[info.Name], p.shapes[info.Name] = v, info.Shape
	}
	doc := json.NewDecoder(bytes.NewReader([]byte(p.file.Metadata()["recipe"])))
	doc.DisallowUnknownFields()
	if err := doc.Decode(&p.recipe); err != nil {
		t.Fatal(err)
	}
	encoder, err := mert.ParseConfig([]byte(p.file.Metadata()["encoder"]))
	if err != nil {
		t.Fatal(err)
	}
	start := renamed{p.file, "start."}
	e, err := mert.Load(encoder, checkpoint.Select(start, func(name string) bool { return !strings.HasPrefix(name, headPrefix) }))
	if err != nil {
		t.Fatal(err)
	}
	teacher := &Teacher{cfg: p.recipe.Teacher}
	m, err := NewModel(e, renamed{start, headPrefix}, teacher, p.recipe.Objective, 0)
	if err != nil {
		t.Fatal(err)
	}
	p.run = &Run{cfg: p.recipe, model: m, teacher: teacher}
	return p
}

// at is the part of a tensor that its leading indices name.
func (p parity) at(name string, index ...int) []float32 {
	v := p.values[name]
	for axis, i := range index {
		n := len(v) / p.shapes[name][axis]
		v = v[i*n : (i+1)*n]
	}
	return v
}

// batch is what a loader would give for a micro-batch.
func (p parity) batch(step, micro int) *batch {
	b := &batch{clips: p.recipe.Batch.Clips, samples: p.at("audio", step, micro)}
	for _, v := range p.at("mask", step, micro) {
		b.mask = append(b.mask, v != 0)
	}
	b.rows = masked(b.mask)
	bins := p.recipe.Teacher.CQT.Bins
	for _, r := range b.rows {
		b.spectrum = append(b.spectrum, p.at("spectrum", step, micro)[r*bins:(r+1)*bins]...)
	}
	b.codes = make([][]int32, p.recipe.Teacher.Codebooks)
	for q := range b.codes {
		for _, r := range b.rows {
			b.codes[q] = append(b.codes[q], int32(p.at("codes", step, micro, q)[r]))
		}
	}
	return b
}

// step takes one step with what training takes it with.
func (p parity) step(t *testing.T, adam *optim.AdamW, stage, step, at int) Record {
	t.Helper()
	batches := make(chan loaded, p.recipe.Batch.Accumulate)
	for micro := range p.recipe.Batch.Accumulate {
		batches <- loaded{batch: p.batch(at, micro)}
	}
	rec, err := p.run.step(batches, adam, stage, step)
	if err != nil {
		t.Fatalf("step %d: %v", at+1, err)
	}
	return rec
}

// apart is |got-want| relative to want, for vectors by their norms; +Inf where there is a NaN.
func apart(got, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var d, w float64
	for i := range want {
		d += (got[i] - want[i]) * (got[i] - want[i])
		w += want[i] * want[i]
	}
	if r := math.Sqrt(d / w); !math.IsNaN(r) {
		return r
	}
	return math.Inf(1)
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// Tolerances are relative. Seen, with kernels and in Go alone: 8e-7 for what the steps report; 3e-7 for weights, but 5e-5 for
// the keys' biases, which only rounding moves, as their gradient is 0; 1e-4 for how far weights moved, since AdamW makes whole
// steps of small gradients too.
const (
	parityTolerance = 1e-4
	movedTolerance  = 1e-3 // tells weight decay, most often 5e-3 of the way, where the weights alone hardly do
)

// Ten steps are PyTorch's: every part of the loss, the norm of the gradient before clipping, the rate, and the weights after
// each stage, those of a frozen Transformer to the bit.
func TestTenStepsAsInPyTorch(t *testing.T) {
	p := readParity(t)
	if got, want := p.recipe.Stages[0].Train, FrontEnd(); !slices.Equal(got, want) {
		t.Fatalf("the golden's first stage trains %q, the default %q", got, want)
	}
	params := p.run.model.Params()
	at, clipped := 0, 0
	before := "start"
	for i, s := range p.recipe.Stages {
		adam := optim.NewAdamW(p.recipe.Optimizer.adamW(), params)
		if err := s.apply(params); err != nil {
			t.Fatal(err)
		}
		optim.MakeGrads(params)
		optim.ZeroGrad(params)
		for step := range s.Steps {
			rec := p.step(t, adam, i, step, at)
			for _, c := range []struct {
				name string
				got  []float64
			}{
				{"rate", []float64{rec.Rate}}, {"loss", []float64{rec.Loss}}, {"cqt_mse", []float64{rec.CQT}},
				{"feature_penalty", []float64{rec.FeaturePenalty}}, {"grad_norm", []float64{rec.GradNorm}},
				{"ce", rec.Codebooks}, {"accuracy", rec.Accuracy},
			} {
				want := widen(p.at(c.name, at))
				if d := apart(c.got, want); d > parityTolerance {
					t.Errorf("step %d: %s %.7g, PyTorch has %.7g (apart %.2g)", at+1, c.name, c.got, want, d)
				}
			}
			if rec.GradNorm > p.recipe.Optimizer.ClipNorm {
				clipped++
			}
			at++
		}
		after := []string{"middle", "end"}[i]
		p.compareWeights(t, before, after, s)
		before = after
	}
	if steps := p.shapes["loss"][0]; at != 10 || at != steps || clipped == 0 || clipped == steps {
		t.Errorf("%d steps, %d of them clipped, the golden has %d: want 10, and some clipped", at, clipped, steps)
	}
}

// compareWeights holds the model's weights after a stage, and how far the stage moved them, to the golden's.
func (p parity) compareWeights(t *testing.T, before, after string, s Stage) {
	t.Helper()
	for _, info := range p.run.model.Tensors() {
		got := readTensor(t, p.run.model, info.Name)
		want, old := readTensor(t, p.file, after+"."+info.Name), readTensor(t, p.file, before+"."+info.Name)
		if len(s.Train) > 0 && !slices.ContainsFunc(s.Train, func(pattern string) bool { return Selects(pattern, info.Name) }) {
			if !slices.Equal(got, old) {
				t.Errorf("%s: %s is frozen and has changed", after, info.Name)
			}
			continue
		}
		if d := apart(got, want); d > parityTolerance {
			t.Errorf("%s: %s is %.2g from PyTorch's", after, info.Name, d)
		}
		if strings.HasSuffix(info.Name, ".k_proj.bias") {
			continue // moves by rounding alone: the softmax does not see what all keys have in common
		}
		for i := range old {
			got[i], want[i] = got[i]-old[i], want[i]-old[i]
		}
		if d := apart(got, want); d > movedTolerance {
			t.Errorf("%s: %s moved %.2g otherwise than PyTorch's", after, info.Name, d)
		}
	}
}

func readTensor(t *testing.T, src checkpoint.Source, name string) []float64 {
	t.Helper()
	v, err := checkpoint.ReadAll(src, name)
	if err != nil {
		t.Fatal(err)
	}
	return widen(v)
}
