package audio

import (
	"math"

	"syncretic/adapt/op/elem"
)

// polyphase computes any stretch of a resampled signal from the input around it. Output n lies at input time n·m/l, between two
// input samples; its value is the product of the input around there with a row of the kernel for the fraction:
//
//	y[n] = Σ_j x[j]·h(j − n·m/l),   ⌊n·m/l⌋ − half < j ≤ ⌊n·m/l⌋ + half
//
// A row depends on n·m mod l alone. Where l rows are few they are all kept; else the four rows that are nearest among fractions a
// 256th apart are combined by cubic interpolation, whose error, −180 dB, is far below float32's.
type polyphase struct {
	l, m  int64     // rates over their greatest common divisor: output, input
	half  int       // taps on each side
	taps  int       // 2·half, rounded up to whole vectors; the rest of a row is zero
	rows  []float32 // [l][taps], or [fractions+3][taps] with the row of fraction f/fractions at f+1
	exact bool
}

const (
	// fractions are the fractions of an input sample for which there are rows when not every fraction has its own.
	fractions = 256
	// maxRows bounds the table of one row a fraction, in numbers: 1 MiB.
	maxRows = 1 << 18
	// vectorTaps is what rows are rounded up to, so that products need no remainder.
	vectorTaps = 8
)

// newPolyphase prepares the rows. Both rates lie within the bounds of checkRate.
func newPolyphase(r Resampling, from, to int) *polyphase {
	d := gcd(from, to)
	p := &polyphase{l: int64(to / d), m: int64(from / d)}
	k := r.kernel(float64(to) / float64(from))
	p.half = int(math.Ceil(k.half))
	p.taps = (2*p.half + vectorTaps - 1) / vectorTaps * vectorTaps
	p.exact = p.l*int64(p.taps) <= maxRows
	first, count, step := 0, int(p.l), 1/float64(p.l)
	if !p.exact {
		first, count, step = -1, fractions+3, 1.0/fractions
	}
	p.rows = make([]float32, count*p.taps)
	for i := range count {
		fraction := float64(first+i) * step
		row := p.rows[i*p.taps:][:p.taps]
		for j := range 2 * p.half {
			row[j] = float32(k.at(float64(j-p.half+1) - fraction))
		}
	}
	return p
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// length is the number of outputs for n inputs: all whose time lies before the input's end, ⌈n·l/m⌉, as in torchaudio.
func (p *polyphase) length(n int) int { return int((int64(n)*p.l + p.m - 1) / p.m) }

// first is the input sample that the row of output n begins at; it may lie before the input's start.
func (p *polyphase) first(n int) int { return int(int64(n)*p.m/p.l) - p.half + 1 }

// span returns the input [lo, hi) that outputs [n, n+count) need; it may reach beyond the input on both sides, where zeros stand.
func (p *polyphase) span(n, count int) (lo, hi int) {
	return p.first(n), p.first(n+count-1) + p.taps
}

// compute fills dst with the outputs from n on; src is the input from p.first(n) on, as long as span says.
func (p *polyphase) compute(dst []float32, n int, src []float32) {
	at := int64(n) * p.m / p.l
	rest := int64(n) * p.m % p.l
	base := at
	for i := range dst {
		x := src[at-base:][:p.taps]
		if p.exact {
			dst[i] = elem.Dot(x, p.rows[int(rest)*p.taps:][:p.taps])
		} else {
			dst[i] = p.between(x, float64(rest)/float64(p.l))
		}
		rest += p.m
		at += rest / p.l
		rest %= p.l
	}
}

// between is the product with the row of a fraction in [0, 1), by Lagrange's cubic through the four rows around it.
func (p *polyphase) between(x []float32, fraction float64) float32 {
	f := fraction * fractions
	i := int(f)
	t := f - float64(i)
	w := [4]float64{-t * (t - 1) * (t - 2) / 6, (t + 1) * (t - 1) * (t - 2) / 2, -(t + 1) * t * (t - 2) / 2, (t + 1) * t * (t - 1) / 6}
	var y float64
	for k, w := range w {
		y += w * float64(elem.Dot(x, p.rows[(i+k)*p.taps:][:p.taps]))
	}
	return float32(y)
}
