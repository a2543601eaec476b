package op

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/nlpodyssey/spago/mat"
)

// A frozen weight gives the bits of one that is packed anew, at its first use, at later ones, and when several goroutines use it first.
func TestFrozen(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	random := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(rng.NormFloat64())
		}
		return s
	}
	const rows, c, kernel, groups = 40, 48, 6, 3
	x := Tensor(rows, c, random(rows*c))
	b, g := Tensor(c, 1, random(c)), Tensor(kernel, 1, random(kernel))
	for name, f := range map[string]struct {
		cols int
		run  func(w [3]mat.Tensor) mat.Tensor
	}{
		"Linear":  {c, func(w [3]mat.Tensor) mat.Tensor { return Linear(x, w[0], b, GELU) }},
		"QKV":     {c, func(w [3]mat.Tensor) mat.Tensor { return QKV(x, w[0], b, w[1], nil, w[2], b) }},
		"Conv1D":  {c * kernel, func(w [3]mat.Tensor) mat.Tensor { return Conv1D(x, w[0], b, 2, kernel, 2, ReLU) }},
		"PosConv": {c / groups * kernel, func(w [3]mat.Tensor) mat.Tensor { return PosConv(x, g, w[0], b, 2, groups, kernel) }},
	} {
		var plain, frozen [3]mat.Tensor
		for i := range plain {
			data := random(c * f.cols)
			plain[i], frozen[i] = Tensor(c, f.cols, data), Freeze(c, f.cols, data)
		}
		want := values(f.run(plain))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for range 2 {
					if !slices.Equal(values(f.run(frozen)), want) {
						t.Errorf("%s: a frozen weight gives another result", name)
					}
				}
			})
		}
		wg.Wait()
		for i := range plain { // other values in the same memory
			copy(values(plain[i]), random(c*f.cols))
			frozen[i] = frozen[i].(*Frozen).Again()
		}
		if !slices.Equal(values(f.run(frozen)), values(f.run(plain))) {
			t.Errorf("%s: a weight that was frozen again gives another result", name)
		}
	}
}
