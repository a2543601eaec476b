package op

import (
	"math"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
)

type attention struct {
	qkv          mat.Tensor
	heads, clips int
	drop         Drop
	p            *scratch // softmax [clips][heads][frames][frames], before dropout
	y            *mat.Dense[float32]
}

// Attention is multi-head self-attention within each clip:
// softmax(Q·Kᵀ/√d)·V for every head of d = C/heads channels, the probabilities
// dropped as drop says. qkv is QKV's [clips*frames][3C] -> [clips*frames][C].
func Attention(qkv mat.Tensor, heads, clips int, drop Drop) mat.Tensor {
	rows, c3 := dims(qkv)
	mustDivide("Attention", "rows (clips)", rows, clips)
	mustDivide("Attention", "columns (queries, keys, values)", c3, 3)
	mustDivide("Attention", "channels (heads)", c3/3, heads)
	drop.validate("Attention")
	return run(&attention{qkv: qkv, heads: heads, clips: clips, drop: drop})
}

func (l *attention) Operands() []mat.Tensor { return []mat.Tensor{l.qkv} }

// size returns frames of a clip, channels, and channels of a head.
func (l *attention) size() (t, c, d int) {
	rows, c3 := dims(l.qkv)
	return rows / l.clips, c3 / 3, c3 / 3 / l.heads
}

func (l *attention) Forward() (mat.Tensor, error) {
	t, c, d := l.size()
	x, y := values(l.qkv), make([]float32, l.clips*t*c)
	scale := float32(1 / math.Sqrt(float64(d)))
	keep := l.qkv.RequiresGrad()
	if keep {
		l.p = borrow(l.clips * l.heads * t * t)
	}
	n := l.clips * l.heads
	parallel(n, n*t*t*d, func(i int) {
		clip, h := i/l.heads, i%l.heads
		in := x[clip*t*3*c+h*d:]
		var p []float32
		if keep {
			p = l.p.data[i*t*t : (i+1)*t*t]
		} else {
			own := borrow(t * t)
			defer own.release()
			p = own.data
		}
		gemm.MultiplySerial(false, true, t, t, d, in, 3*c, in[c:], 3*c, false, p, t)
		for r := range t {
			elem.Softmax(p[r*t:(r+1)*t], scale)
		}
		if l.drop.P > 0 {
			if keep {
				dropped := borrow(t * t)
				defer dropped.release()
				copy(dropped.data, p)
				p = dropped.data
			}
			l.drop.apply(p, i*t*t)
		}
		gemm.MultiplySerial(false, false, t, d, t, p, t, in[2*c:], 3*c, false, y[clip*t*c+h*d:], c)
	})
	l.y = Tensor(l.clips*t, c, y)
	return l.y, nil
}

func (l *attention) Backward(gy mat.Tensor) error {
	t, c, d := l.size()
	x, g, gx := values(l.qkv), values(gy), make([]float32, l.clips*t*3*c)
	scale := float32(1 / math.Sqrt(float64(d)))
	n := l.clips * l.heads
	parallel(n, n*t*t*d, func(i int) {
		clip, h := i/l.heads, i%l.heads
		in, out := x[clip*t*3*c+h*d:], gx[clip*t*3*c+h*d:]
		gh := g[clip*t*c+h*d:]
		work := borrow(t * t)
		defer work.release()
		p, dp, kept := l.p.data[i*t*t:(i+1)*t*t], work.data, l.p.data[i*t*t:(i+1)*t*t]
		if l.drop.P > 0 {
			kept = dp // free until the gradient of V is done
			copy(kept, p)
			l.drop.apply(kept, i*t*t)
		}
		gemm.MultiplySerial(true, false, t, d, t, kept, t, gh, c, false, out[2*c:], 3*c)
		gemm.MultiplySerial(false, true, t, t, d, gh, c, in[2*c:], 3*c, false, dp, t)
		if l.drop.P > 0 {
			l.drop.apply(dp, i*t*t)
		}
		for r := range t {
			elem.SoftmaxGrad(dp[r*t:(r+1)*t], p[r*t:(r+1)*t], scale)
		}
		gemm.MultiplySerial(false, false, t, d, t, dp, t, in[c:], 3*c, false, out, 3*c)
		gemm.MultiplySerial(true, false, t, d, t, dp, t, in, 3*c, false, out[c:], 3*c)
	})
	l.p.release()
	l.p = nil
	give(l.qkv, gx)
	l.y.ZeroGrad()
	return nil
}
