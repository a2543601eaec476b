package method

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"syncretic/checkpoint"
)

// beyondTolerance is a few float32 roundings of the largest number that takes part.
const beyondTolerance = 4 * 0x1p-23

// The rows that mergekit does not have, against testdata/beyond.py.
func TestMethodsBeyondMergekit(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "beyond.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Base    []float32
		Models  [][]float32
		Weights []float64
		Cases   []struct {
			Method string
			Params Values
			Tall   []float64 `json:"tall_lambda"`
			Layer  *int
			Layers int
			Want   []float64
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) != 8 {
		t.Fatalf("%d cases, want 8", len(golden.Cases))
	}
	source := func(data []float32) checkpoint.Source {
		src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{len(data)}, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
	for _, c := range golden.Cases {
		m, ok := Find(c.Method)
		if !ok {
			t.Fatal(c.Method)
		}
		task := Task{Name: "w", Shape: []int{len(golden.Base)}, Base: 3, Params: c.Params, Layer: -1, Layers: c.Layers}
		if c.Layer != nil {
			task.Layer = *c.Layer
		}
		for i, data := range golden.Models {
			in := Input{Model: string(rune('a' + i)), Source: source(data), Name: "w", Params: Values{"weight": golden.Weights[i]}}
			if c.Tall != nil {
				in.Params["tall_lambda"] = c.Tall[i]
			}
			task.Inputs = append(task.Inputs, in)
		}
		task.Inputs = append(task.Inputs, Input{Model: "base", Source: source(golden.Base), Name: "w"})
		tensor, err := m.Tensor(task)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, len(golden.Base))
		if err := tensor.Read(0, got); err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Want {
			if scale := max(1, math.Abs(float64(golden.Base[i]))); math.Abs(float64(got[i])-want) > beyondTolerance*scale {
				t.Errorf("%s %v: element %d is %v, want %v", c.Method, c.Params, i, got[i], want)
			}
		}
	}
}
