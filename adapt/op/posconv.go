package op

import (
	"math"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
)

type posConv struct {
	x, g, v, b            mat.Tensor
	clips, groups, kernel int
	pre                   []float32
	y                     *mat.Dense[float32]
}

// PosConv adds to x its own grouped convolution, MERT's encoding of position:
//
//	y[t][o] = x[t][o] + gelu(b[o] + Σ_i Σ_k w[o][i][k]·x[t − kernel/2 + k][i])
//
// i runs over the C/groups channels of o's group, frames outside the clip are 0.
// The weight is normalised for each tap, w[o][i][k] = g[k]·v[o][i][k]/‖v[·][·][k]‖.
// x [clips*frames][C], g [kernel], v [C][C/groups*kernel] (taps innermost), b [C]
// -> [clips*frames][C].
func PosConv(x, g, v, b mat.Tensor, clips, groups, kernel int) mat.Tensor {
	rows, c := dims(x)
	mustDivide("PosConv", "rows (clips)", rows, clips)
	mustDivide("PosConv", "channels (groups)", c, groups)
	mustSize("PosConv", "g", g, kernel)
	mustShape("PosConv", "v", v, c, c/groups*kernel)
	mustSize("PosConv", "b", b, c)
	return run(&posConv{x: x, g: g, v: v, b: b, clips: clips, groups: groups, kernel: kernel})
}

func (l *posConv) Operands() []mat.Tensor { return []mat.Tensor{l.x, l.g, l.v, l.b} }

// size returns frames of a clip, channels, and channels of a group.
func (l *posConv) size() (t, c, cg int) {
	rows, c := dims(l.x)
	return rows / l.clips, c, c / l.groups
}

// normRows is the number of output channels whose squares are summed by themselves.
const normRows = 16

// tapNorms returns ‖v[·][·][k]‖ of every tap.
func (l *posConv) tapNorms() []float64 {
	_, c, cg := l.size()
	v, blocks := values(l.v), (c+normRows-1)/normRows
	sums := make([]float64, blocks*l.kernel)
	parallel(blocks, len(v), func(i int) {
		sum := sums[i*l.kernel : (i+1)*l.kernel]
		rows := v[i*normRows*cg*l.kernel : min(len(v), (i+1)*normRows*cg*l.kernel)]
		for ; len(rows) > 0; rows = rows[len(sum):] {
			for k, x := range rows[:len(sum)] {
				sum[k] += float64(x) * float64(x)
			}
		}
	})
	norms := sums[:l.kernel]
	for i := 1; i < blocks; i++ {
		for k := range norms {
			norms[k] += sums[i*l.kernel+k]
		}
	}
	for k, n := range norms {
		norms[k] = math.Sqrt(n)
	}
	return norms
}

// weight returns the normalised weight as [C][kernel][C/groups].
func (l *posConv) weight(norms []float64) []float32 {
	_, c, cg := l.size()
	v, g, w := values(l.v), values(l.g), make([]float32, c*cg*l.kernel)
	gains := make([]float64, l.kernel)
	for k := range gains {
		gains[k] = float64(g[k]) / norms[k]
	}
	size := cg * l.kernel
	parallelRows(c, size, func(lo, hi int) {
		for o := lo; o < hi; o++ {
			out := w[o*size : (o+1)*size]
			for i := range cg {
				for k, x := range v[o*size+i*l.kernel : o*size+(i+1)*l.kernel] {
					out[k*cg+i] = float32(gains[k] * float64(x))
				}
			}
		}
	})
	return w
}

// forms returns the packed weight of every group, op(B) [kernel·C/groups][C/groups].
func (l *posConv) forms() (form []*gemm.Packed, release func()) {
	_, _, cg := l.size()
	var w []float32
	k := l.kernel * cg
	return packed(l.v, l.groups, func(group int, p *gemm.Packed) {
		if group == 0 {
			w = l.weight(l.tapNorms())
		}
		p.Set(true, cg, k, w[group*cg*k:], k)
	})
}

// padded copies one group's columns of a clip x [t][c] to [before+t+after][cg].
func padded(x []float32, t, c, cg, before, after int) *scratch {
	p := borrow((before + t + after) * cg)
	clear(p.data[:before*cg])
	for r := range t {
		copy(p.data[(before+r)*cg:(before+r+1)*cg], x[r*c:])
	}
	clear(p.data[(before+t)*cg:])
	return p
}

func (l *posConv) Forward() (mat.Tensor, error) {
	t, c, cg := l.size()
	x, b := values(l.x), values(l.b)
	keep := requiresGrad(l.Operands()...)
	pre := output(l.clips*t*c, keep)
	y := pre
	if keep {
		l.pre, y = pre, make([]float32, len(pre))
	}
	w, release := l.forms()
	defer release()
	before := l.kernel / 2
	n := l.clips * l.groups
	parallel(n, n*t*cg*l.kernel*cg, func(i int) {
		group, at := i%l.groups, i/l.groups*t*c+i%l.groups*cg
		in := padded(x[at:], t, c, cg, before, l.kernel-1-before)
		defer in.release()
		w[group].MultiplySerial(t, in.data, cg, b[group*cg:(group+1)*cg], pre[at:], c, func(row, rows, col, cols int) {
			for j := at + row*c + col; j < at+(row+rows)*c; j += c {
				elem.GELU(y[j:j+cols], pre[j:j+cols])
				elem.Add(y[j:j+cols], x[j:j+cols])
			}
		})
	})
	l.y = Tensor(l.clips*t, c, y)
	return l.y, nil
}

func (l *posConv) Backward(gy mat.Tensor) error {
	t, c, cg := l.size()
	x, g := values(l.x), values(gy)
	before, k, n := l.kernel/2, l.kernel*cg, l.clips*l.groups
	inner := append([]float32(nil), g...) // gradient of the convolution's result
	parallelRows(l.clips*t, c, func(lo, hi int) { elem.GELUGrad(inner[lo*c:hi*c], l.pre[lo*c:hi*c]) })
	l.pre = nil
	addGrad(l.b, func(dst []float32, _ bool) { columnSums(dst, inner, l.clips*t, c, c) })
	norms := l.tapNorms()
	if requiresGrad(l.g, l.v) {
		gw := make([]float32, c*k)
		parallel(l.groups, n*t*cg*k, func(group int) {
			for clip := range l.clips {
				at := clip*t*c + group*cg
				in := padded(x[at:], t, c, cg, before, l.kernel-1-before)
				gemm.MultiplySerial(true, false, cg, k, t, inner[at:], c, in.data, cg, clip > 0, gw[group*cg*k:], k)
				in.release()
			}
		})
		l.weightNormGrad(gw, norms)
	}
	if l.x.RequiresGrad() {
		w := l.weight(norms)
		flipped := make([]float32, c*k) // [group][kernel, last tap first][out][in]
		parallel(l.groups, c*k, func(group int) {
			for o := range cg {
				for tap := range l.kernel {
					copy(flipped[((group*l.kernel+l.kernel-1-tap)*cg+o)*cg:][:cg], w[((group*cg+o)*l.kernel+tap)*cg:])
				}
			}
		})
		parallel(n, n*t*cg*k, func(i int) {
			at := i/l.groups*t*c + i%l.groups*cg
			in := padded(inner[at:], t, c, cg, l.kernel-1-before, before)
			defer in.release()
			gemm.MultiplySerial(false, false, t, cg, k, in.data, cg, flipped[i%l.groups*cg*k:], cg, true, g[at:], c)
		})
		give(l.x, g)
	}
	l.y.ZeroGrad()
	return nil
}

// weightNormGrad carries gw, the gradient of the weight [C][kernel][C/groups], on
// to g and v.
func (l *posConv) weightNormGrad(gw []float32, norms []float64) {
	_, c, cg := l.size()
	v, g := values(l.v), values(l.g)
	size, blocks := cg*l.kernel, (c+normRows-1)/normRows
	sums := make([]float64, blocks*l.kernel)
	parallel(blocks, len(v), func(block int) {
		sum := sums[block*l.kernel : (block+1)*l.kernel]
		for o := block * normRows; o < min(c, (block+1)*normRows); o++ {
			gw := gw[o*size : (o+1)*size]
			for i := range cg {
				for k, x := range v[o*size+i*l.kernel : o*size+(i+1)*l.kernel] {
					sum[k] += float64(gw[k*cg+i]) * float64(x)
				}
			}
		}
	})
	along := sums[:l.kernel] // Σ gw·v of each tap
	for block := 1; block < blocks; block++ {
		for k := range along {
			along[k] += sums[block*l.kernel+k]
		}
	}
	addGrad(l.g, func(dst []float32, _ bool) {
		for k, s := range along {
			dst[k] += float32(s / norms[k])
		}
	})
	gains, slopes := make([]float64, l.kernel), make([]float64, l.kernel)
	for k := range gains {
		gains[k], slopes[k] = float64(g[k])/norms[k], along[k]/(norms[k]*norms[k])
	}
	addGrad(l.v, func(dst []float32, _ bool) {
		parallelRows(c, size, func(lo, hi int) {
			for o := lo; o < hi; o++ {
				gw := gw[o*size : (o+1)*size]
				for i := range cg {
					at := o*size + i*l.kernel
					dst := dst[at : at+l.kernel]
					for k, x := range v[at : at+l.kernel] {
						dst[k] += float32(gains[k] * (float64(gw[k*cg+i]) - float64(x)*slopes[k]))
					}
				}
			}
		})
	})
}
