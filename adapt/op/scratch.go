package op

import "sync"

// scratch is a buffer that goes back to the pool when its user is done.
type scratch struct{ data []float32 }

// pool holds buffers between calls; it carries no values from one to the next.
var pool = sync.Pool{New: func() any { return new(scratch) }}

// borrow returns a buffer of n elements with arbitrary contents.
func borrow(n int) *scratch {
	s := pool.Get().(*scratch)
	if cap(s.data) < n {
		s.data = make([]float32, n)
	}
	s.data = s.data[:n]
	return s
}

// release gives the buffer back. It must not be used afterwards.
func (s *scratch) release() { pool.Put(s) }
