package encodec

// rows are rows [first, first+len(data)/width) of a matrix that is too long to be held.
type rows struct {
	data         []float32
	first, width int
}

// at returns rows [from, to) of the matrix.
func (r rows) at(from, to int) []float32 {
	return r.data[(from-r.first)*r.width : (to-r.first)*r.width]
}

// stage is one step of the front: a convolution or a residual block. Its output is defined row by row, so that any run of
// rows can be computed from the run of input rows that it needs.
type stage interface {
	width() int                                             // channels out
	length(total int) int                                   // rows out of total rows in
	needs(lo, hi, total int) (from, to int)                 // rows of input, of total, for output rows [lo, hi)
	run(y []float32, x rows, lo, hi, total int, s *scratch) // output rows [lo, hi) into y
}

// scratch are the buffers of one goroutine.
type scratch struct {
	padded, elu, hidden []float32
	level               [2][]float32 // a stage reads one and writes the other
	spans               []span
}

// span is a run of rows [lo, hi) of a level of the front, which has total rows.
type span struct{ lo, hi, total int }

// front is the stack of stages below the last strided convolution: where most of the time goes, in matrices that are long
// and narrow.
type front []stage

// spans returns the rows that each level needs, the samples being level 0, for rows [lo, hi) of the last.
func (f front) spans(lo, hi, samples int, buf []span) []span {
	buf = append(buf[:0], span{total: samples})
	for i, s := range f {
		buf = append(buf, span{total: s.length(buf[i].total)})
	}
	at := &buf[len(f)]
	at.lo, at.hi = lo, min(hi, at.total)
	for i := len(f) - 1; i >= 0; i-- {
		buf[i].lo, buf[i].hi = f[i].needs(buf[i+1].lo, buf[i+1].hi, buf[i].total)
	}
	return buf
}

// run computes rows [lo, hi) of the last level into y, from a recording of total samples of which x holds those needed.
func (f front) run(y []float32, x rows, lo, hi, total int, s *scratch) {
	s.spans = f.spans(lo, hi, total, s.spans)
	for i, stage := range f {
		in, out := s.spans[i], s.spans[i+1]
		dst := y
		if i < len(f)-1 {
			buf := &s.level[i%2]
			*buf = sized(*buf, (out.hi-out.lo)*stage.width())
			dst = *buf
		}
		stage.run(dst, x, out.lo, out.hi, in.total, s)
		x = rows{dst, out.lo, stage.width()}
	}
}

// sized returns s with length n, keeping its memory where that is enough. Values are not kept.
func sized(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
