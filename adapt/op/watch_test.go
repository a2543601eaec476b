package op

import (
	"slices"
	"sync"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

// A parameter is reported once, when its gradient is what it will be after the pass: also where several operators take it,
// where it is frozen, where no operator takes it, and in each pass anew.
func TestWatchReportsCompleteGradients(t *testing.T) {
	weight := func(v float32) *nn.Param { return Param(3, 3, []float32{v, 0, .5, 1, v, 0, -1, .25, v}) }
	once, thrice, frozen, apart := weight(1), weight(2), weight(3), weight(4)
	frozen.SetRequiresGrad(false)
	params := []*nn.Param{once, thrice, frozen, apart}
	for pass := range 2 {
		x := Tensor(2, 3, []float32{1, 2, 3, -1, float32(pass), .5})
		h := Linear(x, thrice, nil, None)
		h = Linear(h, frozen, nil, GELU)
		h = Add(Linear(h, thrice, nil, None), Linear(Linear(h, once, nil, None), thrice, nil, None))
		loss := MeanSquare(h)
		var mu sync.Mutex
		seen := map[int]int{}
		held := map[int][]float32{}
		Watch(loss, params, func(i int) {
			mu.Lock()
			defer mu.Unlock()
			seen[i]++
			if params[i].HasGrad() {
				held[i] = slices.Clone(mat.Data[float32](params[i].Grad()))
			}
		})
		if seen[0] != 0 || seen[1] != 0 || seen[2] != 1 || seen[3] != 1 {
			t.Errorf("before pass %d: reports %v, want those of the frozen one and of the unused one alone", pass, seen)
		}
		if err := ag.Backward(loss); err != nil {
			t.Fatal(err)
		}
		for i, p := range params {
			if seen[i] != 1 {
				t.Errorf("pass %d: parameter %d was reported %d times", pass, i, seen[i])
			}
			if p.HasGrad() && !slices.Equal(held[i], mat.Data[float32](p.Grad())) {
				t.Errorf("pass %d: parameter %d was reported with %v, its gradient is %v", pass, i, held[i], mat.Data[float32](p.Grad()))
			}
			if p.State != nil {
				t.Errorf("pass %d: parameter %d is still watched", pass, i)
			}
		}
	}
}
