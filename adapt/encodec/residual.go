package encodec

import (
	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
)

// residual is a block of two convolutions beside a shortcut, on rows of one width:
//
//	y = shortcut(x) + second(ELU(first(ELU(x))))
//
// second and shortcut look at one row each; the shortcut is x itself where the config says so.
type residual struct {
	first, second, shortcut *conv
	bias                    []float32 // of second and shortcut together
}

func newResidual(v vars, cfg Config, dim, dilation int) *residual {
	hidden := dim / cfg.Compress
	r := &residual{
		first:  newConv(v.in("block.1"), dim, hidden, cfg.ResidualKernelSize, 1, dilation),
		second: newConv(v.in("block.3"), hidden, dim, 1, 1, 1),
	}
	r.bias = append(r.bias, r.second.b...)
	if cfg.UseConvShortcut {
		r.shortcut = newConv(v.in("shortcut"), dim, dim, 1, 1, 1)
		elem.Add(r.bias, r.shortcut.b)
	}
	return r
}

func (r *residual) width() int { return r.second.out }

func (r *residual) length(total int) int { return total }

func (r *residual) needs(lo, hi, total int) (from, to int) { return r.first.needs(lo, hi, total) }

func (r *residual) run(y []float32, x rows, lo, hi, total int, s *scratch) {
	w := r.first.window(x, lo, hi, total, &s.padded)
	s.elu = sized(s.elu, len(w))
	elem.ELU(s.elu, w)
	s.hidden = sized(s.hidden, (hi-lo)*r.first.out)
	fill(s.hidden, r.first.b)
	r.first.add(s.hidden, s.elu, gemm.MultiplySerial)
	elem.ELU(s.hidden, s.hidden)

	fill(y, r.bias)
	if r.shortcut == nil {
		elem.Add(y, x.at(lo, hi))
	} else {
		r.shortcut.add(y, x.at(lo, hi), gemm.MultiplySerial)
	}
	r.second.add(y, s.hidden, gemm.MultiplySerial)
}
