package method

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// models makes n models of one tensor "w", with small integers as deltas where ties is set, so that many magnitudes are equal.
func models(t testing.TB, n, elements int, ties bool) []Input {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(n)))
	base := make([]float32, elements)
	for i := range base {
		base[i] = float32(r.NormFloat64())
		if ties {
			base[i] = float32(r.IntN(64)) / 8
		}
	}
	inputs := make([]Input, n)
	for m := range inputs {
		data := slices.Clone(base)
		for i := range data {
			switch {
			case m == 0:
			case ties:
				data[i] += float32(r.IntN(9)-4) / 8
			default:
				data[i] += float32(0.1 * r.NormFloat64())
			}
		}
		src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{elements}, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		inputs[m] = Input{Model: string(rune('a' + m)), Source: src, Name: "w", Params: Values{"weight": 1, "density": 0.3, "gamma": 0.1, "epsilon": 0.1}}
	}
	return inputs
}

func TestCutsAreExact(t *testing.T) {
	for _, n := range []int{1, 2, 100, 1 << 17, 3*chunkElements + 17} {
		for _, ties := range []bool{false, true} {
			in := models(t, 2, n, ties)
			task := &Task{Name: "w", Shape: []int{n}, Inputs: in, Base: 0}
			d, err := delta(task, &in[1], 0, n)
			if err != nil {
				t.Fatal(err)
			}
			for _, last := range []bool{false, true} {
				order := make([]int, n) // from the largest
				for i := range order {
					order[i] = i
				}
				slices.SortFunc(order, func(i, j int) int {
					a, b := vec.Magnitude(d[i]), vec.Magnitude(d[j])
					switch {
					case a != b:
						return int(int64(b) - int64(a))
					case last:
						return j - i
					}
					return i - j
				})
				for _, k := range []int{1, n / 100, n / 3, n - 1, n} {
					if k < 1 {
						continue
					}
					found, err := cuts(task, in[1:], []rank{{0, k, last}})
					if err != nil {
						t.Fatal(err)
					}
					want := make([]bool, n)
					for _, i := range order[:k] {
						want[i] = true
					}
					for i, x := range d {
						if got := found[0].above(vec.Magnitude(x), i); got != want[i] {
							t.Fatalf("n %d, ties %v, last %v, k %d: element %d (%v): above is %v", n, ties, last, k, i, x, got)
						}
					}
				}
			}
		}
	}
}

// task makes a task for a method over the models of [models], seen in the given shape, with defaults for all parameters.
func taskFor(t *testing.T, m *Method, shape []int) Task {
	t.Helper()
	n := checkpoint.Info{Shape: shape}.Elements()
	in := models(t, 4, n, false)
	switch {
	case m.Max > 0 && m.Base == BaseIgnored:
		in = in[:m.Max]
	case m.Max > 0:
		in = in[:m.Max+1]
	}
	p := Values{}
	for _, q := range m.Params {
		if !q.Unset && q.Scope == Shared {
			p[q.Name] = q.Default
		}
	}
	for i := range in {
		src, err := checkpoint.ReadAll(in[i].Source, "w")
		if err != nil {
			t.Fatal(err)
		}
		mem, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: shape, Data: src})
		if err != nil {
			t.Fatal(err)
		}
		in[i].Source = mem
		for _, q := range m.Params {
			if _, given := in[i].Params[q.Name]; !given && !q.Unset && q.Scope != Shared {
				in[i].Params[q.Name] = q.Default
			}
		}
	}
	if _, ok := m.Param("t"); ok {
		p["t"] = 0.3
	}
	return Task{Name: "w", Shape: shape, Inputs: in, Base: 0, Params: p, Seed: 3, Layer: 1, Layers: 4}
}

// Every method gives the same bits whatever the number of threads, whichever range is read first, and after it has forgotten what
// it found out.
func TestResultsDependOnTheInputsAlone(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, m := range Methods() {
		if m.Data {
			continue // needs statistics beside the models: see their own tests
		}
		for _, shape := range [][]int{{chunkElements + 5}, {300, 40}, {6, 5, 4}, {1}, {}} {
			if m.Whole && len(shape) == 1 && shape[0] > 1000 {
				continue // one pass over a vector
			}
			task := taskFor(t, m, shape)
			n := task.Elements()
			runtime.GOMAXPROCS(1)
			tensor, err := m.Tensor(task)
			if err != nil {
				t.Fatal(m.Name, err)
			}
			want := make([]float32, n)
			if err := tensor.Read(0, want); err != nil {
				t.Fatal(m.Name, shape, err)
			}
			runtime.GOMAXPROCS(4)
			again, err := m.Tensor(task)
			if err != nil {
				t.Fatal(m.Name, err)
			}
			r := rand.New(rand.NewPCG(1, uint64(n)))
			for range 6 {
				lo := r.IntN(n)
				part := make([]float32, 1+r.IntN(n-lo))
				if err := again.Read(lo, part); err != nil {
					t.Fatal(m.Name, err)
				}
				for i, x := range part {
					if math.Float32bits(x) != math.Float32bits(want[lo+i]) {
						t.Fatalf("%s %d: element %d is %v in a range, %v in all", m.Name, shape, lo+i, x, want[lo+i])
					}
				}
				again.Release()
			}
			if err := again.Read(n, make([]float32, 1)); err == nil {
				t.Errorf("%s: a read beyond the end succeeds", m.Name)
			}
		}
	}
}

// The table is complete: names once, parameters once, a rule for each, papers that are links.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Methods() {
		if seen[m.Name] || m.Name == "" || m.Rule == "" || m.prepare == nil {
			t.Errorf("%q stands twice, or is incomplete", m.Name)
		}
		seen[m.Name] = true
		if m.Paper != "" && !strings.HasPrefix(m.Paper, "https://") {
			t.Errorf("%s: paper %q", m.Name, m.Paper)
		}
		params := map[string]bool{}
		for _, p := range m.Params {
			if params[p.Name] || p.Doc == "" {
				t.Errorf("%s: parameter %q stands twice, or without a word", m.Name, p.Name)
			}
			params[p.Name] = true
			if !p.Required && !p.Unset && p.Kind != Choice && p.Kind != Flag {
				if err := p.Check(p.Default); err != nil {
					t.Errorf("%s: its own default: %v", m.Name, err)
				}
			}
		}
	}
	for _, name := range strings.Fields("linear slerp nuslerp multislerp karcher task_arithmetic ties dare_linear dare_ties della della_linear breadcrumbs " +
		"breadcrumbs_ties sce model_stock nearswap arcee_fusion ram ramplus_tl passthrough tsv_m iso_c iso_cts wudi fisher regmean magmax emr consensus lines") {
		if !seen[name] {
			t.Errorf("no %s", name)
		}
	}
}
