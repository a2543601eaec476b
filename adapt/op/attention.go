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

// head is one head of one clip: views of queries, keys and values, with rows 3c apart, and what they are multiplied with.
type head struct {
	q, k, v          []float32
	keys, values     gemm.Packed // Kᵀ [d][t] and V [t][d]
	keyRows, valCols gemm.Packed // K and Vᵀ, for gradients
	p, dp            []float32   // [queryRows][t]
}

var headPool = sync.Pool{New: func() any { return new(head) }}

// head returns head i of all clips' heads, to be put back into headPool.
func (l *attention) head(i int) *head {
	t, c, d := l.size()
	h := headPool.Get().(*head)
	in := values(l.qkv)[i/l.heads*t*3*c+i%l.heads*d:]
	h.q, h.k, h.v = in, in[c:], in[2*c:]
	h.keys.SetSerial(true, t, d, h.k, 3*c)
	if len(h.p) < queryRows*t {
		h.p = make([]float32, queryRows*t)
	}
	return h
}

// probabilities computes the softmax of rows queries from row on, before dropout.
func (h *head) probabilities(row, rows, t, c, d int) []float32 {
	p := h.p[:rows*t]
	h.keys.MultiplySerial(rows, h.q[row*3*c:], 3*c, nil, p, t, nil)
	scale := float32(1 / math.Sqrt(float64(d)))
	for r := range rows {
		elem.Softmax(p[r*t:(r+1)*t], scale)
	}
	return p
}

func (l *attention) Forward() (mat.Tensor, error) {
	t, c, d := l.size()
	y := output(l.clips*t*c, l.qkv.RequiresGrad())
	n, blocks, parts := l.clips*l.heads, (t+queryRows-1)/queryRows, 1
	if procs := runtime.GOMAXPROCS(0); n < 2*procs { // parts of a head, each with its own form of keys and values
		parts = min(blocks, 2*procs/n)
	}
	parallel(n*parts, n*t*t*d, func(i int) {
		i, part := i/parts, i%parts
		h := l.head(i)
		defer headPool.Put(h)
		h.values.SetSerial(false, d, t, h.v, 3*c)
		out := y[i/l.heads*t*c+i%l.heads*d:]
		for block := blocks * part / parts; block < blocks*(part+1)/parts; block++ {
			row := block * queryRows
			rows := min(queryRows, t-row)
			p := h.probabilities(row, rows, t, c, d)
			if l.drop.P > 0 {
				l.drop.apply(p, p, (i*t+row)*t)
			}
			h.values.MultiplySerial(rows, p, t, nil, out[row*c:], c, nil)
		}
	})
	l.y = Tensor(l.clips*t, c, y)
	return l.y, nil
}

// Backward computes the probabilities again, which takes a hundredth of a step and saves 4·heads·frames² bytes a clip.
func (l *attention) Backward(gy mat.Tensor) error {
	t, c, d := l.size()
	g, gx := values(gy), make([]float32, l.clips*t*3*c)
	scale := float32(1 / math.Sqrt(float64(d)))
	n := l.clips * l.heads
	parallel(n, n*t*t*d, func(i int) {
		h := l.head(i)
		defer headPool.Put(h)
		h.keyRows.SetSerial(false, d, t, h.k, 3*c)
		h.valCols.SetSerial(true, t, d, h.v, 3*c)
		if len(h.dp) < queryRows*t {
			h.dp = make([]float32, queryRows*t)
		}
		out := gx[i/l.heads*t*3*c+i%l.heads*d:]
		gq, gk, gv := out, out[c:], out[2*c:]
		for row := 0; row < t; row += queryRows {
			rows := min(queryRows, t-row)
			p, dp := h.probabilities(row, rows, t, c, d), h.dp[:rows*t]
			gh := g[i/l.heads*t*c+i%l.heads*d+row*c:]
			kept := p
			if l.drop.P > 0 {
				kept = dp // free until the gradient of V is done
				l.drop.apply(kept, p, (i*t+row)*t)
			}
			gemm.MultiplySerial(true, false, t, d, rows, kept, t, gh, c, row > 0, gv, 3*c)
			h.valCols.MultiplySerial(rows, gh, c, nil, dp, t, nil)
			if l.drop.P > 0 {
				l.drop.apply(dp, dp, (i*t+row)*t)
			}
			for r := range rows {
				elem.SoftmaxGrad(dp[r*t:(r+1)*t], p[r*t:(r+1)*t], scale)
			}
			h.keyRows.MultiplySerial(rows, dp, t, nil, gq[row*3*c:], 3*c, nil)
			gemm.MultiplySerial(true, false, t, d, rows, dp, t, h.q[row*3*c:], 3*c, row > 0, gk, 3*c)
		}
	})
	give(l.qkv, gx)
	l.y.ZeroGrad()
	return nil
}
