package cqt

import (
	"math"
	"math/cmplx"
	"runtime"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/dsp/fourier"
)

// bands are the bins with long windows, computed from one spectrum of the clip.
//
// A bin is a filter of which every Hop-th output is wanted. With N = Hop·M the spectrum Y of N samples, and G that of the filter, the
// outputs are
//
//	C[t] = 1/N Σ_ν Y[ν]·G[ν]·e^(2πiν(before + Hop·t)/N) = Σ_(r<M) (Σ_(ν≡r mod M) Y[ν]·H[ν]) · e^(2πirt/M)
//
// so that products are folded to M numbers, and one inverse transform of length M gives all frames of the bin. G is narrow: where a
// Hann window of l samples has fallen off, more than [lobes] steps of N/l from its peak, nothing is summed.
type bands struct {
	n, m        int // lengths of the transforms
	hop, before int // samples from one frame's centre to the next, and before the first
	bins        []band
}

// band is one bin's H, from index lo of the spectrum on, which may be negative.
type band struct {
	lo           int
	h            []complex64
	ahead, after int // samples of the window before its centre, and from there on
}

// lobes is how many widths of a lobe a window's spectrum is followed to each side: what is left out falls with the cube of it.
const lobes = 128

// spectral is the longest window, in samples, whose bins are cheaper as a product of matrices.
const spectral = 2048

// spectralWork is the number of multiplications from which a spectrum is the cheaper way for a block of frames. A shorter clip needs a
// part of the products, but a whole spectrum: at 1 s the two cost the same for [MERT], which has 2.8e9, and products a fifth where there
// are 0.3e9.
const spectralWork = 1 << 30

// newBands makes the filters of the bins below count. frames is how many frames a block has at least.
func newBands(cfg Config, count, before, width, frames int) *bands {
	b := &bands{m: smooth((width+cfg.Hop-1)/cfg.Hop + frames), hop: cfg.Hop, before: before, bins: make([]band, count)}
	b.n = b.m * cfg.Hop
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				k := int(next.Add(1)) - 1
				if k >= count {
					return
				}
				b.bins[k] = newBand(cfg, k, b.n, before)
			}
		})
	}
	wg.Wait()
	return b
}

// frames is how many frames one transform gives.
func (b *bands) frames(cfg Config, width int) int { return b.m - (width+cfg.Hop-1)/cfg.Hop }

// newBand evaluates the filter's spectrum in closed form: a Hann window is three complex exponentials, and the transform of each is a
// geometric sum.
func newBand(cfg Config, k, n, before int) band {
	l := int(cfg.length(k))
	omega := 2 * math.Pi * cfg.frequency(k) / float64(cfg.SampleRate)
	peak, reach := cfg.frequency(k)*float64(n)/float64(cfg.SampleRate), lobes*float64(n)/float64(l)
	lo, hi := int(math.Ceil(peak-reach)), int(math.Floor(peak+reach))
	lo, hi = max(lo, -n/2), min(hi, n/2)
	out := band{lo, make([]complex64, hi-lo+1), (l + 1) / 2, l / 2}
	scale := 2 / math.Sqrt(float64(l)) / float64(n)
	start := float64(-(l + 1) / 2)
	for i := range out.h {
		nu := 2 * math.Pi * float64(lo+i) / float64(n)
		theta := omega - nu
		sum := hann(theta, l)
		out.h[i] = complex64(complex(scale, 0) * sum * cmplx.Exp(complex(0, nu*float64(before)-theta*start)))
	}
	return out
}

// hann is Σ_j w_j·e^(−iθj) for a periodic Hann window of l samples.
func hann(theta float64, l int) complex128 {
	step := 2 * math.Pi / float64(l)
	return geometric(theta, l)/2 - geometric(theta-step, l)/4 - geometric(theta+step, l)/4
}

// geometric is Σ_(j<l) e^(−iθj) = e^(−iθ(l−1)/2)·sin(lθ/2)/sin(θ/2).
func geometric(theta float64, l int) complex128 {
	n := float64(l)
	below := math.Sin(theta / 2)
	if math.Abs(below) < 1e-12 {
		return complex(n, 0)
	}
	sin, cos := math.Sincos(-theta * (n - 1) / 2)
	r := math.Sin(n*theta/2) / below
	return complex(r*cos, r*sin)
}

// spectrum is room for one block.
type spectrum struct {
	fft    *fourier.FFT
	ifft   *fourier.CmplxFFT
	signal []float64
	y      []complex128 // 0 to n/2
	folded []complex128
	frames []complex128
	holes  []int // samples that are not finite
}

func (b *bands) scratch() *spectrum {
	return &spectrum{fft: fourier.NewFFT(b.n), ifft: fourier.NewCmplxFFT(b.m), signal: make([]float64, b.n),
		y: make([]complex128, b.n/2+1), folded: make([]complex128, b.m), frames: make([]complex128, b.m)}
}

// block computes the bands of frames frames of the clip in padded, whose frame t is centred on sample before + Hop·t, into columns
// from 0 of rows of stride numbers.
func (b *bands) block(s *spectrum, padded []float32, frames, stride int, out []float32) {
	s.holes = s.holes[:0]
	for i, x := range padded {
		s.signal[i] = float64(x)
		if x-x != 0 { // NaN or infinite, which would be in every number of the spectrum
			s.signal[i] = 0
			s.holes = append(s.holes, i)
		}
	}
	clear(s.signal[len(padded):])
	s.fft.Coefficients(s.y, s.signal)
	for k := range b.bins {
		b.fold(s, &b.bins[k])
		s.ifft.Sequence(s.frames, s.folded)
		for t, c := range s.frames[:frames] {
			out[t*stride+k] = float32(math.Sqrt(real(c)*real(c) + imag(c)*imag(c)))
		}
		for _, i := range s.holes { // under the windows of frames whose centre lies in (i − after, i + ahead]
			f := &b.bins[k]
			from, to := i-b.before-f.after, i-b.before+f.ahead
			for t := max(0, from/b.hop); t < frames && t*b.hop <= to; t++ {
				if t*b.hop > from {
					out[t*stride+k] = float32(math.NaN())
				}
			}
		}
	}
}

// fold sums products over indices that leave the same rest by m.
func (b *bands) fold(s *spectrum, f *band) {
	clear(s.folded)
	h, nu := f.h, f.lo
	for nu < 0 && len(h) > 0 { // of a real signal, Y[−ν] is the conjugate of Y[ν]
		c := complex128(h[0])
		y := s.y[-nu]
		s.folded[((nu%b.m)+b.m)%b.m] += complex(real(y), -imag(y)) * c
		h, nu = h[1:], nu+1
	}
	for len(h) > 0 {
		r := nu % b.m
		n := min(len(h), b.m-r)
		to, y := s.folded[r:r+n], s.y[nu:nu+n]
		for i, c := range h[:n] {
			re, im := float64(real(c)), float64(imag(c))
			a, d := real(y[i]), imag(y[i])
			to[i] += complex(a*re-d*im, a*im+d*re)
		}
		h, nu = h[n:], nu+n
	}
}

// smooth is the least number from n on without prime factors above 5.
func smooth(n int) int {
	for ; ; n++ {
		rest := n
		for _, p := range []int{2, 3, 5} {
			for rest%p == 0 {
				rest /= p
			}
		}
		if rest == 1 {
			return n
		}
	}
}
