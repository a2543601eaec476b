package corpus

import "math"

// hash is a small fast generator of white noise (Marsaglia's xorshift with 32
// bits), started from the clip's stream.
type hash uint32

func newHash(d *dice) hash { return hash(d.Uint64()>>32) | 1 }

// next is uniform in [-1, 1).
func (h *hash) next() float32 {
	x := *h
	x ^= x << 13
	x ^= x >> 17
	x ^= x << 5
	*h = x
	return float32(int32(x)) * (1.0 / (1 << 31))
}

// air is noise through one resonance: breath, bow, snare wires.
type air struct {
	white      hash
	a1, a2, in float32
	y1, y2     float32
}

// newAir centres the noise on hz with a quality of about 1.5; its RMS is near 1.
func newAir(hz float64, d *dice) *air {
	a := &air{white: newHash(d)}
	a.tune(math.Min(hz, .45*rate), 1.5)
	return a
}

func (a *air) tune(hz, quality float64) {
	w := 2 * math.Pi * hz / rate
	r := math.Exp(-w / (2 * quality))
	a.a1, a.a2 = float32(2*r*math.Cos(w)), float32(-r*r)
	// power gain of 1/(1 - a1 z^-1 - a2 z^-2) for white noise of variance 1/3
	b1, b2 := -float64(a.a1), -float64(a.a2)
	gain := (1 + b2) / ((1 - b2) * ((1+b2)*(1+b2) - b1*b1))
	a.in = float32(math.Sqrt(3 / gain))
}

// add mixes the noise into dst.
func (a *air) add(dst []float32, gain float64) {
	g := float32(gain)
	for i := range dst {
		y := a.in*a.white.next() + a.a1*a.y1 + a.a2*a.y2
		a.y1, a.y2 = y, a.y1
		dst[i] += g * y
	}
}
