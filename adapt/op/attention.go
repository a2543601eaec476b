package op

import (
	"math"
	"runtime"
	"sync"

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

// queryRows is the number of frames whose scores are computed, normalised and used while they are in the cache.
const queryRows = 96

// headForms are the keys and values of one head.
type headForms struct{ keys, values gemm.Packed }

var headPool = sync.Pool{New: func() any { return new(headForms) }}

func (l *attention) Forward() (mat.Tensor, error) {
	t, c, d := l.size()
	x, y := values(l.qkv), make([]float32, l.clips*t*c)
	scale := float32(1 / math.Sqrt(float64(d)))
	keep := l.qkv.RequiresGrad()
	if keep {
		l.p = borrow(l.clips * l.heads * t * t)
	}
	blocks := (t + queryRows - 1) / queryRows
	n := l.clips * l.heads
	parts := 1 // of a head, each with the keys and values in a form of its own
	if n < 2*runtime.GOMAXPROCS(0) {
		parts = min(blocks, 2*runtime.GOMAXPROCS(0)/n)
	}
	parallel(n*parts, n*t*t*d, func(i int) {
		head, part := i/parts, i%parts
		in, out := x[head/l.heads*t*3*c+head%l.heads*d:], y[head/l.heads*t*c+head%l.heads*d:]
		form := headPool.Get().(*headForms)
		defer headPool.Put(form)
		form.keys.SetSerial(true, t, d, in[c:], 3*c)
		form.values.SetSerial(false, d, t, in[2*c:], 3*c)
		work := borrow(queryRows * t)
		defer work.release()
		for block := blocks * part / parts; block < blocks*(part+1)/parts; block++ {
			row := block * queryRows
			rows := min(queryRows, t-row)
			p, first := work.data[:rows*t], (head*t+row)*t
			if keep {
				p = l.p.data[first : first+rows*t]
			}
			form.keys.MultiplySerial(rows, in[row*3*c:], 3*c, nil, p, t, nil)
			for r := range rows {
				elem.Softmax(p[r*t:(r+1)*t], scale)
			}
			if l.drop.P > 0 {
				if keep {
					p = work.data[:rows*t]
					copy(p, l.p.data[first:])
				}
				l.drop.apply(p, first)
			}
			form.values.MultiplySerial(rows, p, t, nil, out[row*c:], c, nil)
		}
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
