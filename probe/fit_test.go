package probe

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
)

// TestFitSeesNoTest checks what keeps test items away from Fit.
func TestFitSeesNoTest(t *testing.T) {
	train, valid, test := toy(1, 20, 2, 3)
	shared := valid
	shared.Features = &Features{Layers: 2, Dim: 3, Items: append([]int{3}, valid.Features.Items[1:]...), Values: valid.Features.Values}
	for _, c := range []struct {
		name         string
		train, valid Split
		want         string
	}{
		{"test in place of valid", train, test, `got splits "train" and "test"`},
		{"test in place of train", test, valid, `got splits "test" and "valid"`},
		{"exchanged", valid, train, `got splits "valid" and "train"`},
		{"an item of both", train, shared, `item 3 is in splits "train" and "valid"`},
	} {
		_, err := Fit(context.Background(), c.train, c.valid, logisticHead(1))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrInvalid with %s", c.name, err, c.want)
		}
	}
}

func TestFitRefusesMalformedSplits(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(train, valid *Split)
		want  string
	}{
		{"no features", func(s, _ *Split) { s.Features = nil }, `split "train" has no items`},
		{"no items", func(_, s *Split) { s.Features = &Features{Layers: 2, Dim: 3} }, `split "valid" has no items`},
		{"too few values", func(s, _ *Split) { s.Features.Values = s.Features.Values[1:] }, "119 values for [20][2][3]"},
		{"labels missing", func(_, s *Split) { s.Labels = s.Labels[1:] }, "labels of 9 items, features of 10"},
		{"ragged labels", func(s, _ *Split) { s.Labels[4] = []bool{true} }, "item 4: 1 labels, want 2"},
		{"no tags", func(s, _ *Split) { s.Tags = nil }, "no tags"},
		{"other tags", func(_, s *Split) { s.Tags = []string{"odd", "even"} }, "different tags"},
		{"other layers", func(_, s *Split) { s.Features.Layers, s.Features.Dim = 3, 2 }, `"train" are [2][3], of "valid" [3][2]`},
		{"nothing to choose by", func(_, s *Split) {
			for i := range s.Labels {
				s.Labels[i] = []bool{true, false}
			}
		}, "no tag has both positive and negative items"},
		{"not finite", func(s, _ *Split) { s.Features.Values[7] = float32(math.NaN()) }, "no convergence"},
	} {
		train, valid, _ := toy(2, 20, 2, 3)
		c.spoil(&train, &valid)
		_, err := Fit(context.Background(), train, valid, logisticHead(1))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrInvalid with %s", c.name, err, c.want)
		}
	}
}

func TestThreshold(t *testing.T) {
	train, valid, _ := toy(3, 60, 2, 3)
	cfg := logisticHead(1)
	fixed, err := Fit(context.Background(), train, valid, cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Threshold = 0
	tuned, err := Fit(context.Background(), train, valid, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if fixed.Chosen.Threshold != 0.5 || fixed.Valid.F1.Threshold != 0.5 {
		t.Errorf("threshold %v, want 0.5", fixed.Chosen.Threshold)
	}
	if tuned.Valid.F1.Macro < fixed.Valid.F1.Macro || tuned.Valid.F1.Threshold != tuned.Chosen.Threshold || tuned.Chosen.Threshold <= 0 {
		t.Errorf("tuned F1 %+v, below that at 0.5: %+v", tuned.Valid.F1, fixed.Valid.F1)
	}
}

func TestScoresRefusesOtherFeatures(t *testing.T) {
	train, valid, _ := toy(4, 20, 2, 3)
	head, err := Fit(context.Background(), train, valid, logisticHead(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*Features{{Layers: 3, Dim: 2}, {Layers: 2, Dim: 3, Items: []int{1}, Values: make([]float32, 5)}} {
		if _, err := head.Scores(f); !errors.Is(err, ErrInvalid) {
			t.Errorf("got %v, want ErrInvalid", err)
		}
	}
	if scores, err := head.Scores(&Features{Layers: 2, Dim: 3}); err != nil || len(scores) != 0 {
		t.Errorf("no items: %v, %v", scores, err)
	}
}

// TestScaler checks mean 0 and variance 1 on the rows it was fitted on, and what it does to constants.
func TestScaler(t *testing.T) {
	f := &Features{Layers: 2, Dim: 2, Items: []int{0, 1, 2}, Values: []float32{
		1, 0.1, 5, 1e-30,
		2, 0.1, 7, 2e-30,
		6, 0.1, 9, 3e-30,
	}}
	s, err := newScaler(f, []int{0, 1}, true)
	if err != nil {
		t.Fatal(err)
	}
	x, err := s.float64s(f)
	if err != nil {
		t.Fatal(err)
	}
	for j := range 4 {
		var mean, variance float64
		for i := range 3 {
			mean += x[i*4+j] / 3
		}
		for i := range 3 {
			variance += (x[i*4+j] - mean) * (x[i*4+j] - mean) / 3
		}
		want := 1.0
		if j == 1 {
			want = 0
		}
		const tolerance = 1e-6 // mean and scale are float32
		if math.Abs(mean) > tolerance || math.Abs(variance-want) > tolerance {
			t.Errorf("input %d: mean %v, variance %v, want 0 and %v", j, mean, variance, want)
		}
	}
	if s, err = newScaler(f, []int{1}, false); err != nil {
		t.Fatal(err)
	}
	raw, err := (&reader{f: f, s: s}).read([]int{0, 1, 2}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{5, 1e-30, 7, 2e-30, 9, 3e-30} {
		if got := raw[i/2][i%2]; got != want {
			t.Errorf("layer 1 unscaled: value %d is %v, want %v", i, got, want)
		}
	}
}

func TestSigmoid(t *testing.T) {
	for _, c := range []struct{ z, want float64 }{{0, 0.5}, {1000, 1}, {-1000, 0}, {math.Log(3), 0.75}, {-math.Log(3), 0.25}} {
		if got := sigmoid(c.z); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("sigmoid(%v) is %v, want %v", c.z, got, c.want)
		}
	}
}

func TestSelection(t *testing.T) {
	for _, c := range []struct {
		kind, layers string
		states       int
		first, count int
		bad          bool
	}{
		{MLP, "", 13, 1, 12, false},
		{MLP, Upper, 3, 1, 2, false},
		{MLP, All, 13, 0, 13, false},
		{Logistic, "", 4, 0, 4, false},
		{Logistic, Upper, 4, 1, 3, false},
		{MLP, "7", 13, 7, 1, false},
		{Logistic, "0", 1, 0, 1, false},
		{MLP, "13", 13, 0, 0, true},
		{MLP, "", 1, 0, 0, true},
	} {
		cfg := DefaultHead()
		cfg.Kind, cfg.Layers = c.kind, c.layers
		choices, err := cfg.choices(c.states)
		if c.bad {
			if !errors.Is(err, ErrConfig) {
				t.Errorf("%s %q of %d: got %v, %v, want ErrConfig", c.kind, c.layers, c.states, choices, err)
			}
			continue
		}
		if err != nil || len(choices) != 1 {
			t.Fatalf("%s %q of %d: %v, %v, want one choice", c.kind, c.layers, c.states, choices, err)
		}
		if got := choices[0].picked; len(got) != c.count || got[0] != c.first {
			t.Errorf("%s %q of %d: got %v, %v, want %d from %d", c.kind, c.layers, c.states, got, err, c.count, c.first)
		}
	}
}
