package spectra

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"

	"syncretic/arithmetic"
	"syncretic/checkpoint"
)

// Goldens are numpy's: testdata/spectra.py.
func TestSpectraAgreeWithNumpy(t *testing.T) {
	data, err := os.ReadFile("testdata/spectra.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Shape         []int
		Vectors       [][]float32
		EffectiveRank []float64 `json:"effective_rank"`
		StableRank    []float64 `json:"stable_rank"`
		Pairs         []struct {
			I, J            int
			Overlap, Chance float64
		}
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	for _, c := range cases {
		var names []string
		var vectors []checkpoint.Source
		for _, v := range c.Vectors {
			src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "layers.0.w", Shape: c.Shape, Data: v},
				checkpoint.Tensor{Name: "layers.0.bias", Shape: []int{2}, Data: []float32{1, 2}})
			if err != nil {
				t.Fatal(err)
			}
			names, vectors = append(names, string(rune('a'+len(names)))), append(vectors, src)
		}
		r, err := arithmetic.Interference(names, vectors)
		if err != nil {
			t.Fatal(err)
		}
		if err := Add(&r, vectors, Options{}); err != nil {
			t.Fatal(err)
		}
		if r.Tensors[0].Spectrum != nil {
			t.Errorf("%s is no matrix, and has a spectrum", r.Tensors[0].Name)
		}
		for _, s := range []*arithmetic.Spectrum{r.Tensors[1].Spectrum, r.Layers[0].Spectrum} { // the mean of one matrix is that matrix
			for i := range names {
				near("effective rank", s.EffectiveRank[i], c.EffectiveRank[i])
				near("stable rank", s.StableRank[i], c.StableRank[i])
				near("overlap with itself", s.Overlap[i][i], 1)
			}
			for _, p := range c.Pairs {
				near("overlap", s.Overlap[p.I][p.J], p.Overlap)
				near("overlap", s.Overlap[p.J][p.I], p.Overlap)
				near("chance", s.Chance[p.I][p.J], p.Chance)
			}
		}
	}
}

func TestSpectraEndWhereToldTo(t *testing.T) {
	src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{2}, Data: []float32{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	matrix, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []checkpoint.Source{matrix, src} {
		r, err := arithmetic.Interference([]string{"v"}, []checkpoint.Source{v})
		if err != nil {
			t.Fatal(err)
		}
		err = Add(&r, []checkpoint.Source{v}, Options{Interrupt: func() error { return context.Canceled }})
		if want := v == checkpoint.Source(matrix); errors.Is(err, context.Canceled) != want {
			t.Errorf("error %v, interrupted %v", err, want)
		}
	}
}
