package method

import (
	"math"
	"math/rand/v2"
	"slices"
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

func TestRun(t *testing.T) {
	for _, m := range Methods() {
		if m.Data {
			continue // tested with statistics in spectral_test.go
		}
		in := models(t, 4, 1<<18+5, false)
		base := 0
		p := Values{}
		for _, q := range m.Params {
			if !q.Unset {
				p[q.Name] = q.Default
			}
		}
		for m.CheckInputs(len(in), true) != nil {
			in = in[1:]
		}
		ten, err := m.Tensor(Task{Name: "w", Shape: []int{1<<18 + 5}, Inputs: in, Base: base, Params: p, Layer: -1})
		if err != nil {
			t.Fatal(m.Name, err)
		}
		dst := make([]float32, 1<<18+5)
		if err := ten.Read(0, dst); err != nil {
			t.Fatal(m.Name, err)
		}
		for _, x := range dst {
			if math.IsNaN(float64(x)) {
				t.Fatal(m.Name, "NaN")
			}
		}
	}
}
