package op

import (
	"math"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op/elem"
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

// groupRows is the number of frames whose contributions to a channel's sums are
// collected in float32; the blocks are added in float64.
const groupRows = 128

// channelSums returns for every clip and channel the sum of what add collects
// from blocks of rows: [clips][C]. add gets the clip, the block's first row and
// its number of rows, and adds to sum [C].
func channelSums(clips, t, c int, add func(sum []float32, clip, row, rows int)) []float64 {
	blocks := (t + groupRows - 1) / groupRows
	partial := borrow(clips * blocks * c)
	defer partial.release()
	clear(partial.data)
	parallel(clips*blocks, clips*t*c, func(i int) {
		row := i % blocks * groupRows
		add(partial.data[i*c:(i+1)*c], i/blocks, i/blocks*t+row, min(groupRows, t-row))
	})
	sums := make([]float64, clips*c)
	for clip := range clips {
		for b := range blocks {
			for j, v := range partial.data[(clip*blocks+b)*c : (clip*blocks+b+1)*c] {
				sums[clip*c+j] += float64(v)
			}
		}
	}
	return sums
}

// mean and deviation return a clip's part of stats.
func (l *groupNorm) mean(clip, c int) []float32      { return l.stats[clip*2*c : clip*2*c+c] }
func (l *groupNorm) deviation(clip, c int) []float32 { return l.stats[clip*2*c+c : (clip+1)*2*c] }

// gains returns deviation·w of every clip and channel: [clips][C].
func (l *groupNorm) gains(c int) []float32 {
	gains, w := make([]float32, l.clips*c), values(l.w)
	for clip := range l.clips {
		for j, d := range l.deviation(clip, c) {
			gains[clip*c+j] = d * w[j]
		}
	}
	return gains
}

// eachBlock calls f for every block of rows of every clip, in parallel.
func eachBlock(clips, t, c int, f func(clip, lo, hi int)) {
	step := max(1, blockElements/c)
	blocks := (t + step - 1) / step
	parallel(clips*blocks, 4*clips*t*c, func(i int) {
		clip, lo := i/blocks, i%blocks*step
		f(clip, clip*t+lo, clip*t+min(t, lo+step))
	})
}

func (l *groupNorm) Forward() (mat.Tensor, error) {
	rows, c := dims(l.x)
	t := rows / l.clips
	x, b, y := values(l.x), values(l.b), make([]float32, rows*c)
	l.stats = make([]float32, l.clips*2*c)
	sums := channelSums(l.clips, t, c, func(sum []float32, _, row, n int) { elem.SumRows(sum, x[row*c:], n, c) })
	for clip := range l.clips {
		for j := range c {
			l.mean(clip, c)[j] = float32(sums[clip*c+j] / float64(t))
		}
	}
	squares := channelSums(l.clips, t, c, func(sum []float32, clip, row, n int) {
		elem.SquareRows(sum, x[row*c:], l.mean(clip, c), n, c)
	})
	for clip := range l.clips {
		for j := range c {
			l.deviation(clip, c)[j] = float32(1 / math.Sqrt(squares[clip*c+j]/float64(t)+float64(l.eps)))
		}
	}
	gains := l.gains(c)
	eachBlock(l.clips, t, c, func(clip, lo, hi int) {
		l.normalise(y[lo*c:hi*c], x[lo*c:hi*c], gains, b, clip, c)
		(&activation{act: l.act}).forward(y[lo*c:hi*c], 1, (hi-lo)*c, false)
	})
	l.y = Tensor(rows, c, y)
	if !requiresGrad(l.Operands()...) {
		l.stats = nil
	}
	return l.y, nil
}

// normalise writes the argument of the activation for rows of one clip to dst.
func (l *groupNorm) normalise(dst, x, gains, b []float32, clip, c int) {
	for i := 0; i < len(x); i += c {
		elem.NormaliseColumns(dst[i:i+c], x[i:i+c], l.mean(clip, c), gains[clip*c:(clip+1)*c], b)
	}
}

func (l *groupNorm) Backward(gy mat.Tensor) error {
	rows, c := dims(l.x)
	t := rows / l.clips
	x, b, g, gains := values(l.x), values(l.b), values(gy), l.gains(c)
	if l.act != None {
		eachBlock(l.clips, t, c, func(clip, lo, hi int) {
			pre := borrow((hi - lo) * c)
			defer pre.release()
			l.normalise(pre.data, x[lo*c:hi*c], gains, b, clip, c)
			(&activation{act: l.act, pre: pre.data, post: pre.data}).backward(g[lo*c:hi*c], 1, (hi-lo)*c)
		})
	}
	s := channelSums(l.clips, t, c, func(sum []float32, _, row, n int) { elem.SumRows(sum, g[row*c:], n, c) })
	q := channelSums(l.clips, t, c, func(sum []float32, clip, row, n int) {
		elem.DotRows(sum, g[row*c:], x[row*c:], l.mean(clip, c), n, c)
	})
	addGrad(l.w, func(dst []float32, _ bool) {
		for clip := range l.clips {
			for j, d := range l.deviation(clip, c) {
				dst[j] += float32(q[clip*c+j] * float64(d))
			}
		}
	})
	addGrad(l.b, func(dst []float32, _ bool) {
		for i, v := range s {
			dst[i%c] += float32(v)
		}
	})
	if l.x.RequiresGrad() {
		m, slope := make([]float32, len(s)), make([]float32, len(q))
		for i := range s {
			d := float64(l.deviation(i/c, c)[i%c])
			m[i], slope[i] = float32(s[i]/float64(t)), float32(q[i]/float64(t)*d*d)
		}
		eachBlock(l.clips, t, c, func(clip, lo, hi int) {
			at := clip * c
			for r := lo; r < hi; r++ {
				elem.NormaliseColumnsGrad(g[r*c:(r+1)*c], x[r*c:(r+1)*c], l.mean(clip, c), gains[at:at+c], m[at:at+c], slope[at:at+c])
			}
		})
		give(l.x, g)
	}
	l.stats = nil
	l.y.ZeroGrad()
	return nil
}
