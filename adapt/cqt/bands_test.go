package cqt

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The spectrum gives what the direct sum does, to 1e-5 of the loudest bin of the frame, for noise, a sweep, a loud tone beside
// silence, and clicks; and across the seams of blocks.
func TestBandsAreTheDirectSum(t *testing.T) {
	cfg := MERT()
	fast, direct := newTransform(cfg, spectral), newTransform(cfg, math.MaxInt)
	if fast.bands == nil || len(fast.groups) == 0 || direct.bands != nil {
		t.Fatal("want bins of both kinds, and a transform with the direct one alone")
	}
	r := rand.New(rand.NewPCG(1, 2))
	for name, at := range map[string]func(i int) float64{
		"noise":  func(int) float64 { return r.NormFloat64() / 4 },
		"sweep":  func(i int) float64 { s := float64(i) / 24000; return math.Sin(2 * math.Pi * 30 * s * math.Exp2(s/2)) },
		"tone":   func(i int) float64 { return math.Sin(2 * math.Pi * 440 * float64(i) / 24000) },
		"clicks": func(i int) float64 { return float64((i%7001 + 1) / 7001) },
	} {
		x := make([]float32, 9*24000) // two blocks
		for i := range x {
			x[i] = float32(at(i))
		}
		got, want := fast.Magnitudes(x), direct.Magnitudes(x)
		worst := 0.0
		for f := 0; f < len(want); f += cfg.Bins {
			loudest := 0.0
			for _, v := range want[f : f+cfg.Bins] {
				loudest = max(loudest, float64(v))
			}
			for k, v := range want[f : f+cfg.Bins] {
				worst = max(worst, math.Abs(float64(got[f+k])-float64(v))/loudest)
			}
		}
		if worst > 1e-5 {
			t.Errorf("%s: differs by %.2g of the frame's loudest bin, want at most 1e-5", name, worst)
		}
	}
}

// A filter's spectrum in closed form is its discrete Fourier transform.
func TestBandIsTheTransformOfItsFilter(t *testing.T) {
	cfg := Config{SampleRate: 8000, Hop: 10, FMin: 200, Bins: 3, BinsPerOctave: 12}
	const n, before = 1000, 400
	for k := range cfg.Bins {
		g := newGroup(cfg, k, 1)
		b := newBand(cfg, k, n, before)
		for _, i := range []int{0, 1, len(b.h) / 2, len(b.h)/2 + 1, len(b.h) - 1} {
			nu := 2 * math.Pi * float64(b.lo+i) / n
			var re, im float64
			for row := range g.rows {
				p := float64(row + g.offset)
				sin, cos := math.Sincos(nu * (p + before))
				x, y := float64(g.kernel[2*row]), float64(g.kernel[2*row+1])
				re += (x*cos - y*sin) / n
				im += (x*sin + y*cos) / n
			}
			if h := complex128(b.h[i]); math.Hypot(real(h)-re, imag(h)-im) > 1e-8 {
				t.Errorf("bin %d: H[%d] = %v, want %v", k, b.lo+i, h, complex(re, im))
			}
		}
	}
}

// A spectrum is used where the products of long windows are many.
func TestCheaperWay(t *testing.T) {
	for name, test := range map[string]struct {
		cfg   Config
		bands bool
	}{
		"MERT's":       {MERT(), true},
		"24 an octave": {Config{SampleRate: 24000, Hop: 320, FMin: 65.4, Bins: 144, BinsPerOctave: 24, MaxWindow: 8192}, false},
		"short":        {Config{SampleRate: 24000, Hop: 320, FMin: 440, Bins: 36, BinsPerOctave: 12}, false},
	} {
		tr, err := New(test.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if (tr.bands != nil) != test.bands {
			t.Errorf("%s bins: spectrum %t, want %t; %d multiplications", name, tr.bands != nil, test.bands, test.cfg.longWork())
		}
	}
}
