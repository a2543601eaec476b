package method

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"syncretic/checkpoint"
)

// spectralGolden is what testdata/spectral.py wrote.
type spectralGolden struct {
	golden
	Statistics map[string]struct {
		Information [][]float32
		Other       []float32
		Grams       [][]float32
	}
	Cases []struct {
		goldenCase
		Result []float64
	}
}

// statistics are those of one model of a set: for fisher its information and that of another tensor, for regmean its Gram matrix,
// or nothing for a vector.
func (g spectralGolden) statistics(t *testing.T, method, set string, model int) checkpoint.Source {
	t.Helper()
	s, shape := g.Statistics[set], g.Sets[set].Shape
	tensors := []checkpoint.Tensor{{Name: "other", Shape: []int{len(s.Other)}, Data: s.Other}}
	switch {
	case method == "fisher":
		tensors = append(tensors, checkpoint.Tensor{Name: "w", Shape: shape, Data: s.Information[model-1]})
	case s.Grams != nil:
		width := int(math.Sqrt(float64(len(s.Grams[model-1]))))
		tensors = append(tensors, checkpoint.Tensor{Name: "w", Shape: []int{width, width}, Data: s.Grams[model-1]})
	}
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		t.Fatal(err)
	}
	return NewStatistics(src)
}

// TestAgreesWithNumpy: how far an element may be from numpy's, in units of 2^-24 of the largest number of the set and of the
// result, whatever element that is in: a decomposition mixes all of them. One is the rounding of the result itself; a vector is
// averaged in float32, with one rounding for each model.
func TestAgreesWithNumpy(t *testing.T) {
	const most = 1.5
	raw, err := os.ReadFile(filepath.Join("testdata", "spectral.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g spectralGolden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	worst, tried := map[string]float64{}, map[string]int{}
	for _, c := range g.Cases {
		m, task := g.task(t, c.goldenCase)
		if m.Data {
			for i := range task.Inputs {
				if i != task.Base {
					task.Inputs[i].Stats = g.statistics(t, c.Method, c.Set, c.Models[i])
				}
			}
		}
		name := fmt.Sprintf("%s of %q, %v, models %d", c.Method, c.Set, c.Parameters, c.Models)
		got, err := result(t, m, task)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got) != len(c.Result) {
			t.Fatalf("%s: %d elements, want %d", name, len(got), len(c.Result))
		}
		size := 0.0
		for _, model := range c.Models {
			for i, x := range g.Sets[c.Set].Models[model] {
				size = max(size, math.Abs(float64(x)), math.Abs(c.Result[i]))
			}
		}
		tried[c.Method]++
		for i, x := range got {
			off := math.Abs(float64(x)-c.Result[i]) / (max(size, 1e-30) * 0x1p-24)
			if worst[c.Method] = max(worst[c.Method], off); !(off <= most) {
				t.Errorf("%s: element %d is %v, by the formula %v: off by %.1f, at most %v", name, i, x, c.Result[i], off, most)
				break
			}
		}
	}
	for _, m := range spectral() {
		t.Logf("%-8s %3d cases, off by at most %.2f", m.Name, tried[m.Name], worst[m.Name])
		if tried[m.Name] < 40 {
			t.Errorf("%s: %d cases, want at least 40", m.Name, tried[m.Name])
		}
	}
}
