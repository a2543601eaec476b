package mert

import (
	"math"
	"slices"

	"syncretic/adapt/op"
)

// withFoldedNorm returns a pass in which the first convolution has taken in the GroupNorm behind it, for this clip, and
// the clip less its mean, to which that pass applies. The norm removes any constant anyway; taking it off first keeps a
// quiet clip with an offset from losing its digits in the fold.
//
// Channel c of the convolution is o[t] = Σ_k w[c,k]·x[s·t+k] + b[c]. Its mean over the clip is w[c]·m + b[c] and its
// population variance w[c]ᵀ·S·w[c], where m[k] and S[k,l] are the means and covariances of the clip seen through the
// taps. So γ·(o-mean)/√(variance+ε) + β is again a convolution, with weights w·g and bias β - g·(w·m), where
// g = γ/√(variance+ε); b cancels. This costs taps² operations an output row instead of two passes over all channels,
// and all sums are in float64.
func (p *pass) withFoldedNorm(samples []float32) (*pass, []float32) {
	first := p.m.convs[0]
	samples = slices.Clone(samples)
	centre(samples)
	mean, covariance := tapMoments(samples, first.kernel, first.stride)
	w, gamma, beta := values(first.conv.w), values(first.norm.w), values(first.norm.b)
	taps := first.kernel
	weights, biases := make([]float32, len(w)), make([]float32, len(gamma))
	for c := range gamma {
		row := w[c*taps : (c+1)*taps]
		dot, variance := 0.0, 0.0
		for k, wk := range row {
			dot += float64(wk) * mean[k]
			inner := 0.0
			for l, wl := range row {
				inner += covariance[k*taps+l] * float64(wl)
			}
			variance += float64(wk) * inner
		}
		g := float64(gamma[c]) / math.Sqrt(max(variance, 0)+normEps)
		for k, wk := range row {
			weights[c*taps+k] = float32(float64(wk) * g)
		}
		biases[c] = float32(float64(beta[c]) - g*dot)
	}
	folded, m := *p, *p.m
	m.convs = slices.Clone(m.convs)
	m.convs[0] = convLayer{
		conv:   affine{op.Tensor(len(gamma), taps, weights), op.Tensor(len(gamma), 1, biases)},
		kernel: first.kernel,
		stride: first.stride,
	}
	folded.m = &m
	return &folded, samples
}

// tapMoments returns the mean of x[stride·t+k] over all positions t of a valid convolution, and the population
// covariance of taps k and l, [taps][taps].
func tapMoments(x []float32, taps, stride int) (mean, covariance []float64) {
	positions := (len(x)-taps)/stride + 1
	mean, covariance = make([]float64, taps), make([]float64, taps*taps)
	for t := range positions {
		for k, v := range x[t*stride : t*stride+taps] {
			mean[k] += float64(v)
		}
	}
	for k := range mean {
		mean[k] /= float64(positions)
	}
	centred := make([]float64, taps)
	for t := range positions {
		for k, v := range x[t*stride : t*stride+taps] {
			centred[k] = float64(v) - mean[k]
		}
		for k, ck := range centred {
			row := covariance[k*taps : k*taps+k+1]
			for l := range row {
				row[l] += ck * centred[l]
			}
		}
	}
	for k := range taps {
		for l := range k + 1 {
			v := covariance[k*taps+l] / float64(positions)
			covariance[k*taps+l], covariance[l*taps+k] = v, v
		}
	}
	return mean, covariance
}
