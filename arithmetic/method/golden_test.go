package method

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"syncretic/checkpoint"
)

// golden is a file that testdata/make.py wrote with mergekit.
type golden struct {
	Sets map[string]struct {
		Shape  []int
		Models [][]float32
	}
	Cases []goldenCase
}

type goldenCase struct {
	Set, Method string
	Parameters  map[string]any
	Models      []int
	Base        bool
	Single      []float32 // what mergekit makes in float32
	Double      []float32 // and in float64, for some
	Error       string
}

// task makes the task of a case: lists of parameters are those of the models beside the base.
func (g golden) task(t *testing.T, c goldenCase) (*Method, Task) {
	t.Helper()
	m, ok := Find(c.Method)
	if !ok {
		t.Fatalf("no method %s", c.Method)
	}
	set := g.Sets[c.Set]
	var tensors [][]float32
	for _, i := range c.Models {
		tensors = append(tensors, set.Models[i])
	}
	base := -1
	if c.Base {
		base = 0
	}
	task := newTask(t, m, set.Shape, base, tensors...)
	for name, value := range c.Parameters {
		p, ok := m.Param(name)
		if !ok {
			t.Fatalf("%s has no parameter %s", c.Method, name)
		}
		list, each := value.([]any)
		if !each {
			list = []any{value}
		}
		for i, scalar := range list {
			x, err := p.Parse(scalar)
			if err != nil {
				t.Fatal(err)
			}
			if each {
				task.others()[i].Params[name] = x // Values are shared with the copy
			} else {
				task.Params[name] = x
			}
		}
	}
	return m, task
}

// newTask is a task over tensors in memory, with all parameters at their defaults.
func newTask(t testing.TB, m *Method, shape []int, base int, tensors ...[]float32) Task {
	t.Helper()
	task := Task{Name: "w", Shape: shape, Base: base, Params: Values{}, Layer: -1}
	for i, data := range tensors {
		src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: shape, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		task.Inputs = append(task.Inputs, Input{Model: fmt.Sprintf("m%d", i), Source: src, Name: "w", Params: Values{}})
	}
	for _, p := range m.Params {
		if p.Unset {
			continue
		}
		task.Params[p.Name] = p.Default
		for _, in := range task.Inputs {
			in.Params[p.Name] = p.Default
		}
	}
	return task
}

// result reads the whole output tensor.
func result(t testing.TB, m *Method, task Task) ([]float32, error) {
	t.Helper()
	out, err := m.Tensor(task)
	if err != nil {
		return nil, err
	}
	dst := make([]float32, task.Elements())
	return dst, out.Read(0, dst)
}

// TestAgreesWithMergekit: how far an element may be from mergekit's, in units of 2^-24 of the largest number that goes into it.
// Rounding in mergekit's own coefficients is most of it: they are float32 there, float64 here. So the results are nearer to what
// mergekit makes of the same numbers in float64.
func TestAgreesWithMergekit(t *testing.T) {
	single := map[string]float64{
		"slerp": 4, "nuslerp": 24, "multislerp": 12, "karcher": 8, "model_stock": 8,
		"nearswap": 0, "arcee_fusion": 0, "ram": 0, "ramplus_tl": 0, "sce": 4,
	}
	const double = 4
	worst := map[string][2]float64{}
	tried := map[string]int{}
	for _, file := range []string{"spherical", "selective"} {
		raw, err := os.ReadFile(filepath.Join("testdata", file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var g golden
		if err := json.Unmarshal(raw, &g); err != nil {
			t.Fatal(err)
		}
		for _, c := range g.Cases {
			m, task := g.task(t, c)
			got, err := result(t, m, task)
			name := fmt.Sprintf("%s of %q, %v, models %d", c.Method, c.Set, c.Parameters, c.Models)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			tried[c.Method]++
			if c.Error != "" { // unlike mergekit: tensors that are all zero, or equal to the base
				c.Single = g.Sets[c.Set].Models[0]
			}
			w := worst[c.Method]
			for k, want := range [][]float32{c.Single, c.Double} {
				if want == nil {
					continue
				}
				if len(got) != len(want) {
					t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
				}
				most := [2]float64{single[c.Method], double}[k]
				for i, x := range got {
					size := math.Abs(float64(want[i]))
					for _, model := range c.Models {
						size = max(size, math.Abs(float64(g.Sets[c.Set].Models[model][i])))
					}
					off := math.Abs(float64(x)-float64(want[i])) / (max(size, 1e-30) * 0x1p-24)
					if w[k] = max(w[k], off); !(off <= most) {
						t.Errorf("%s: element %d is %v, in float%d mergekit makes %v: off by %.1f, at most %v", name, i, x, 32<<k, want[i], off, most)
					}
				}
			}
			worst[c.Method] = w
		}
	}
	for _, m := range slices.Concat(spherical(), selective()) {
		t.Logf("%-12s %3d cases, off by at most %.2f in float32, %.2f in float64", m.Name, tried[m.Name], worst[m.Name][0], worst[m.Name][1])
		if tried[m.Name] < 10 {
			t.Errorf("%s: %d cases, want at least 10", m.Name, tried[m.Name])
		}
	}
}
