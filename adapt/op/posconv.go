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

// tapNorms returns ‖v[·][·][k]‖ of every tap.
func (l *posConv) tapNorms() []float64 {
	norms := make([]float64, l.kernel)
	for i, v := range values(l.v) {
		norms[i%l.kernel] += float64(v) * float64(v)
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
	for o := range c {
		for i := range cg {
			for k := range l.kernel {
				w[(o*l.kernel+k)*cg+i] = float32(float64(g[k]) / norms[k] * float64(v[(o*cg+i)*l.kernel+k]))
			}
		}
	}
	return w
}

// padded copies one group's columns of a clip x [t][c] to [before+t+after][cg].
func padded(x []float32, t, c, cg, before, after int) []float32 {
	p := make([]float32, (before+t+after)*cg)
	for r := range t {
		copy(p[(before+r)*cg:(before+r+1)*cg], x[r*c:])
	}
	return p
}

func (l *posConv) Forward() (mat.Tensor, error) {
	t, c, cg := l.size()
	x, w, b := values(l.x), l.weight(l.tapNorms()), values(l.b)
	pre := make([]float32, l.clips*t*c)
	fillRows(pre, b, l.clips*t, c)
	before := l.kernel / 2
	k := l.kernel * cg
	n := l.clips * l.groups
	parallel(n, n*t*cg*k, func(i int) {
		at := i/l.groups*t*c + i%l.groups*cg
		in := padded(x[at:], t, c, cg, before, l.kernel-1-before)
		gemm.MultiplySerial(false, true, t, cg, k, in, cg, w[i%l.groups*cg*k:], k, true, pre[at:], c)
	})
	y := pre
	if requiresGrad(l.Operands()...) {
		l.pre, y = pre, make([]float32, len(pre))
	}
	parallelRows(l.clips*t, c, func(lo, hi int) {
		elem.GELU(y[lo*c:hi*c], pre[lo*c:hi*c])
		elem.Add(y[lo*c:hi*c], x[lo*c:hi*c])
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
				gemm.MultiplySerial(true, false, cg, k, t, inner[at:], c, in, cg, true, gw[group*cg*k:], k)
			}
		})
		l.weightNormGrad(gw, norms)
	}
	if l.x.RequiresGrad() {
		w := l.weight(norms)
		flipped := make([]float32, c*k) // [group][in][kernel, last tap first][out]
		for o := range c {
			group := o / cg
			for tap := range l.kernel {
				for i := range cg {
					flipped[((group*cg+i)*l.kernel+l.kernel-1-tap)*cg+o%cg] = w[(o*l.kernel+tap)*cg+i]
				}
			}
		}
		parallel(n, n*t*cg*k, func(i int) {
			at := i/l.groups*t*c + i%l.groups*cg
			in := padded(inner[at:], t, c, cg, l.kernel-1-before, before)
			gemm.MultiplySerial(false, true, t, cg, k, in, cg, flipped[i%l.groups*cg*k:], k, true, g[at:], c)
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
	along := make([]float64, l.kernel) // Σ gw·v of each tap
	for o := range c {
		for i := range cg {
			for k := range l.kernel {
				along[k] += float64(gw[(o*l.kernel+k)*cg+i]) * float64(v[(o*cg+i)*l.kernel+k])
			}
		}
	}
	addGrad(l.g, func(dst []float32, _ bool) {
		for k, s := range along {
			dst[k] += float32(s / norms[k])
		}
	})
	addGrad(l.v, func(dst []float32, _ bool) {
		for o := range c {
			for i := range cg {
				for k := range l.kernel {
					at := (o*cg+i)*l.kernel + k
					d := float64(gw[(o*l.kernel+k)*cg+i]) - float64(v[at])*along[k]/(norms[k]*norms[k])
					dst[at] += float32(float64(g[k]) / norms[k] * d)
				}
			}
		}
	})
}
