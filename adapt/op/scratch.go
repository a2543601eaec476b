package op

import (
	"math/bits"
	"sync"

	"github.com/nlpodyssey/spago/mat"
)

// scratch is a buffer that goes back to its pool when its user is done.
type scratch struct{ data []float32 }

// pools hold buffers between calls, by size class; they carry no values from one to the next.
var pools [4 * bits.UintSize]sync.Pool

// class returns the smallest class whose buffers hold n elements, and their size: four classes to a power of two, so that
// less than a quarter of a buffer is unused.
func class(n int) (index, size int) {
	n = max(n, 8)
	shift := bits.Len(uint(n-1)) - 3
	quarters := (n-1)>>shift + 1 // 5 to 8 eighths of the next power of two
	return 4*shift + quarters - 5, quarters << shift
}

// borrow returns a buffer of n elements with arbitrary contents.
func borrow(n int) *scratch {
	index, size := class(n)
	s, ok := pools[index].Get().(*scratch)
	if !ok {
		s = &scratch{make([]float32, size)}
	}
	s.data = s.data[:n]
	return s
}

// release gives the buffer back. It must not be used afterwards.
func (s *scratch) release() {
	index, size := class(cap(s.data))
	if size == cap(s.data) { // and not something else's memory
		pools[index].Put(s)
	}
}

// output returns the memory of an operator's result. Where the graph keeps the result it is the collector's; otherwise it
// is borrowed, for Release to give back.
func output(n int, keep bool) []float32 {
	if keep {
		return make([]float32, n)
	}
	return borrow(n).data
}

// Release gives back the memory of the result of an operator none of whose operands required a gradient: nobody may use it
// any more. A caller who does not release leaves the memory to the collector. Results that are part of a graph, and
// parameters, stay as they are.
func Release(t mat.Tensor) {
	if dense, ok := t.(*mat.Dense[float32]); ok && !dense.RequiresGrad() {
		(&scratch{mat.Data[float32](dense)}).release()
	}
}
