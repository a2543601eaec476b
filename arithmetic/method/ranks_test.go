package method

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"syncretic/arithmetic/vec"
)

// What buckets decide is what a sort of the row decides, whatever lies in it; and where rows crowd, a sort does.
func TestRowsAreDecidedByRank(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	kinds := map[string]func() float32{
		"normal":  func() float32 { return float32(random.NormFloat64()) },
		"coarse":  func() float32 { return float32(random.IntN(200)-100) / 64 },
		"equal":   func() float32 { return 0.5 },
		"zero":    func() float32 { return 0 },
		"mostly":  func() float32 { return float32(max(0, random.IntN(100)-90)) },
		"outlier": func() float32 { return float32(random.NormFloat64() / (1e-9 + random.Float64())) },
		"tiny":    func() float32 { return float32(random.NormFloat64() * 1e-44) },
	}
	by := map[bool]int{}
	for kind, value := range kinds {
		for _, n := range []int{64, 65, 127, 1000, 1024, 9001, 70000} {
			for _, c := range []struct{ density, epsilon float64 }{{0.5, 0.15}, {0.5, 0.499}, {0.9, 0.0999999}, {0.01, 0.005}} {
				task := &Task{Name: "w", Shape: []int{3, n}}
				r := newRanked(task, nil, 99, c.density, c.epsilon)
				d, draws := make([]float32, n), make([]uint32, n)
				for i := range d {
					d[i] = value()
				}
				at := random.IntN(130)
				vec.Random(r.key, at, draws)
				var s sorter
				want := make(bitmask, (at+n+63)/64)
				r.sorted(&s, d, func(i, rank int) {
					if r.stays(draws[i], rank) {
						want.set(at + i)
					}
				})
				got := make(bitmask, len(want))
				done := r.decideRow(&s, d, draws, got, at)
				if by[done]++; done && !slices.Equal(got, want) {
					t.Errorf("%s, %d elements, density %v, epsilon %v: not what ranks decide", kind, n, c.density, c.epsilon)
				}
				if kind == "normal" && !done || kind == "zero" && done {
					t.Errorf("%s, %d elements: decided by buckets: %v", kind, n, done)
				}
			}
		}
	}
	if by[true] == 0 || by[false] == 0 {
		t.Errorf("rows by who decided them: %v", by)
	}
}

// Masks that find no room are decided where a block is read, and give the same bytes.
func TestMasksWithoutRoom(t *testing.T) {
	for _, name := range []string{"dare_linear", "dare_ties", "della", "della_linear"} {
		for _, shape := range [][]int{{300, 1000}, {7, 70001}, {5, 33, 65}, {300_000}, {64, 1}} {
			t.Run(fmt.Sprint(name, shape), func(t *testing.T) {
				m, _ := Find(name)
				var outs [2][]float32
				for i, memory := range []int64{0, 1} {
					task := taskFor(t, m, shape)
					task.Memory = memory
					out, err := m.Tensor(task)
					if err != nil {
						t.Fatal(err)
					}
					outs[i] = make([]float32, task.Elements())
					if err := out.Read(0, outs[i]); err != nil {
						t.Fatal(err)
					}
				}
				if !slices.Equal(outs[0], outs[1]) {
					t.Error("other bytes where memory is short")
				}
			})
		}
	}
}
