package op

import (
	"fmt"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
)

type conv struct {
	activation
	x, w, b               mat.Tensor
	clips, kernel, stride int
	y                     *mat.Dense[float32]
}

// Conv1D is a valid (unpadded) convolution over each clip's time:
//
//	y[t][o] = act(b[o] + Σ_i Σ_k w[o][i][k]·x[t·stride + k][i])
//
// x [clips*tin][in], w [out][in*kernel] as PyTorch stores it (taps innermost), b
// [out] or nil -> [clips*tout][out] with tout = (tin − kernel)/stride + 1.
func Conv1D(x, w, b mat.Tensor, clips, kernel, stride int, act Activation) mat.Tensor {
	rows, in := dims(x)
	out, _ := dims(w)
	mustDivide("Conv1D", "rows (clips)", rows, clips)
	mustShape("Conv1D", "w", w, out, in*kernel)
	if b != nil {
		mustSize("Conv1D", "b", b, out)
	}
	if stride < 1 || rows/clips < kernel {
		panic(fmt.Sprintf("op: Conv1D: %d frames a clip, kernel %d, stride %d", rows/clips, kernel, stride))
	}
	return run(&conv{activation: activation{act: act}, x: x, w: w, b: b, clips: clips, kernel: kernel, stride: stride})
}

func (l *conv) Operands() []mat.Tensor { return operands(l.x, l.w, l.b) }

// size returns frames in and out of a clip, and channels in and out.
func (l *conv) size() (tin, tout, in, out int) {
	rows, in := dims(l.x)
	out, _ = dims(l.w)
	tin = rows / l.clips
	return tin, (tin-l.kernel)/l.stride + 1, in, out
}

func (l *conv) Forward() (mat.Tensor, error) {
	tin, tout, in, out := l.size()
	keep := requiresGrad(l.Operands()...)
	x, y := values(l.x), output(l.clips*tout*out, keep)
	act := l.result(y, keep)
	if in == 1 && out%elem.FilterWidth == 0 {
		l.filter(act, y)
	} else {
		k := l.kernel * in
		w, release := packed(l.w, 1, func(_ int, p *gemm.Packed) {
			p.Set(true, out, k, tapsOuter(values(l.w), out, in, l.kernel), k)
		})
		defer release()
		eachClip(l.clips, tout*out*k, func(clip int, serial bool) {
			multiply := w[0].Multiply
			if serial {
				multiply = w[0].MultiplySerial
			}
			at := clip * tout * out
			multiply(tout, x[clip*tin*in:], l.stride*in, bias(l.b), y[at:], out, l.finish(act[at:], y[at:], out))
		})
	}
	l.y = Tensor(l.clips*tout, out, act)
	return l.y, nil
}

func (l *conv) Backward(gy mat.Tensor) error {
	tin, tout, in, out := l.size()
	g, k := values(gy), l.kernel*in
	l.backward(g, l.clips*tout, out)
	addGrad(l.b, func(dst []float32, _ bool) { columnSums(dst, g, l.clips*tout, out, out) })
	addGrad(l.w, func(dst []float32, _ bool) {
		if in == 1 && l.kernel%elem.FilterTaps == 0 && out%elem.FilterWidth == 0 {
			l.filterGrad(dst, g)
		} else {
			l.weightGrad(dst, g)
		}
	})
	if l.x.RequiresGrad() {
		w, gx := tapsOuter(values(l.w), out, in, l.kernel), make([]float32, l.clips*tin*in)
		eachClip(l.clips, tout*out*k, func(clip int, serial bool) {
			multiply := gemm.Multiply
			if serial {
				multiply = gemm.MultiplySerial
			}
			// Taps of one stride write disjoint elements: one product for each run of them.
			for tap := 0; tap < l.kernel; tap += l.stride {
				width := min(l.stride, l.kernel-tap) * in
				multiply(false, false, tout, width, out, g[clip*tout*out:], out, w[tap*in:], k, tap > 0, gx[(clip*tin+tap)*in:], l.stride*in)
			}
		})
		give(l.x, gx)
	}
	l.y.ZeroGrad()
	return nil
}

// smallWeight is the number of elements below which a weight's gradient is
// computed clip by clip in parallel: its product alone is too small to share out.
const smallWeight = 1 << 16

// weightGrad adds the gradient of the weight to dst.
func (l *conv) weightGrad(dst, g []float32) {
	tin, tout, in, out := l.size()
	x, k := values(l.x), l.kernel*in
	parts := 1
	if out*k < smallWeight {
		parts = l.clips
	}
	sums := borrow(parts * out * k)
	defer sums.release()
	product := func(multiply multiplier, clip, part int) {
		multiply(true, false, out, k, tout, g[clip*tout*out:], out, x[clip*tin*in:], l.stride*in, clip != part, sums.data[part*out*k:], k)
	}
	if parts > 1 {
		parallel(parts, parts*tout*out*k, func(i int) { product(gemm.MultiplySerial, i, i) })
	} else {
		for clip := range l.clips {
			product(gemm.Multiply, clip, 0)
		}
	}
	for i := 1; i < parts; i++ {
		elem.Add(sums.data[:out*k], sums.data[i*out*k:(i+1)*out*k])
	}
	addTapsInner(dst, sums.data, out, in, l.kernel)
}

// multiplier is gemm.Multiply or gemm.MultiplySerial.
type multiplier = func(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int)

// wholeCost is the number of multiplications from which a clip's product is shared out over the cores by itself.
const wholeCost = 1 << 26

// eachClip calls f for every clip: one after another where a clip's product, of that many multiplications, is worth sharing
// out, otherwise several at a time, with serial products.
func eachClip(clips, cost int, f func(clip int, serial bool)) {
	if clips == 1 || cost >= wholeCost {
		for i := range clips {
			f(i, false)
		}
		return
	}
	parallel(clips, clips*cost, func(i int) { f(i, true) })
}

// tapsOuter repacks w from [out][in][kernel] to [out][kernel][in].
func tapsOuter(w []float32, out, in, kernel int) []float32 {
	if in == 1 || kernel == 1 {
		return w
	}
	packed, size := make([]float32, len(w)), in*kernel
	parallelRows(out, size, func(lo, hi int) {
		for o := lo; o < hi; o++ {
			for k := range kernel {
				src := w[o*size+k : (o+1)*size]
				dst := packed[o*size+k*in : o*size+(k+1)*in]
				for i := range dst {
					dst[i] = src[i*kernel]
				}
			}
		}
	})
	return packed
}

// addTapsInner adds g [out][kernel][in] to dst [out][in][kernel].
func addTapsInner(dst, g []float32, out, in, kernel int) {
	size := in * kernel
	parallelRows(out, size, func(lo, hi int) {
		for o := lo; o < hi; o++ {
			for k := range kernel {
				d := dst[o*size+k : (o+1)*size]
				for i, v := range g[o*size+k*in : o*size+(k+1)*in] {
					d[i*kernel] += v
				}
			}
		}
	})
}
