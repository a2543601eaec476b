package op

import (
	"math"

	"github.com/nlpodyssey/spago/mat"
)

type groupNorm struct {
	x, w, b mat.Tensor
	clips   int
	eps     float32
	act     Activation
	stats   []float32 // [clips][2][C]: mean, 1/deviation
	y       *mat.Dense[float32]
}

// GroupNorm normalises every channel of every clip over its time, one group a
// channel, then applies w, b and act: act((x − mean)/√(var + eps)·w + b) with the
// population variance. x [clips*frames][C], w and b [C] -> [clips*frames][C].
func GroupNorm(x, w, b mat.Tensor, clips int, eps float32, act Activation) mat.Tensor {
	rows, c := dims(x)
	mustDivide("GroupNorm", "rows (clips)", rows, clips)
	mustSize("GroupNorm", "w", w, c)
	mustSize("GroupNorm", "b", b, c)
	return run(&groupNorm{x: x, w: w, b: b, clips: clips, eps: eps, act: act})
}

func (l *groupNorm) Operands() []mat.Tensor { return []mat.Tensor{l.x, l.w, l.b} }

func (l *groupNorm) Forward() (mat.Tensor, error) {
	rows, c := dims(l.x)
	t := rows / l.clips
	x, w, b, y := values(l.x), values(l.w), values(l.b), make([]float32, rows*c)
	l.stats = make([]float32, l.clips*2*c)
	parallel(l.clips, rows*c, func(clip int) {
		in, out := x[clip*t*c:(clip+1)*t*c], y[clip*t*c:(clip+1)*t*c]
		mean, scale := l.stats[clip*2*c:clip*2*c+c], l.stats[clip*2*c+c:(clip+1)*2*c]
		s, q := make([]float64, c), make([]float64, c)
		for i, v := range in {
			s[i%c] += float64(v)
		}
		for j := range s {
			s[j] /= float64(t)
			mean[j] = float32(s[j])
		}
		for i, v := range in {
			d := float64(v) - s[i%c]
			q[i%c] += d * d
		}
		for j := range q {
			scale[j] = float32(1 / math.Sqrt(q[j]/float64(t)+float64(l.eps)))
		}
		for i, v := range in {
			j := i % c
			out[i] = (v-mean[j])*scale[j]*w[j] + b[j]
		}
	})
	a := activation{act: l.act}
	l.y = Tensor(rows, c, a.forward(y, rows, c, false))
	if !requiresGrad(l.Operands()...) {
		l.stats = nil
	}
	return l.y, nil
}

func (l *groupNorm) Backward(gy mat.Tensor) error {
	rows, c := dims(l.x)
	t := rows / l.clips
	x, w, b, g := values(l.x), values(l.w), values(l.b), values(gy)
	s, q := make([]float64, l.clips*c), make([]float64, l.clips*c)
	pre := make([]float32, rows*c)
	for i, v := range x {
		j, k := i%c, i/(t*c)
		pre[i] = (v-l.stats[k*2*c+j])*l.stats[k*2*c+c+j]*w[j] + b[j]
	}
	a := activation{act: l.act, pre: pre, post: pre}
	a.backward(g, rows, c)
	for i, v := range g {
		j, k := i%c, i/(t*c)
		s[k*c+j] += float64(v)
		q[k*c+j] += float64(v) * float64((x[i]-l.stats[k*2*c+j])*l.stats[k*2*c+c+j])
	}
	addGrad(l.w, func(dst []float32, _ bool) {
		for i, v := range q {
			dst[i%c] += float32(v)
		}
	})
	addGrad(l.b, func(dst []float32, _ bool) {
		for i, v := range s {
			dst[i%c] += float32(v)
		}
	})
	if l.x.RequiresGrad() {
		for i, v := range g {
			j, k := i%c, i/(t*c)
			mean, scale := l.stats[k*2*c+j], l.stats[k*2*c+c+j]
			g[i] = (v - float32(s[k*c+j]/float64(t)) - (x[i]-mean)*scale*float32(q[k*c+j]/float64(t))) * scale * w[j]
		}
		give(l.x, g)
	}
	l.stats = nil
	l.y.ZeroGrad()
	return nil
}
