package cqt_test

import (
	"math/rand/v2"
	"testing"

	"syncretic/adapt/cqt"
)

// small is the profile of the demonstration: six octaves from C2, two bins a semitone, windows of at most 0.34 s.
func small() cqt.Config {
	return cqt.Config{SampleRate: 24000, Hop: 320, FMin: 65.4, Bins: 144, BinsPerOctave: 24, MaxWindow: 8192}
}

// BenchmarkMagnitudes times a clip of 4 s on one core.
func BenchmarkMagnitudes(b *testing.B) {
	for _, c := range []struct {
		name string
		cfg  cqt.Config
	}{{"small", small()}, {"mert", cqt.MERT()}} {
		b.Run(c.name, func(b *testing.B) {
			t, err := cqt.New(c.cfg)
			if err != nil {
				b.Fatal(err)
			}
			clip := noise(5*24000, 1)
			b.SetBytes(int64(4 * len(clip)))
			for b.Loop() {
				t.Magnitudes(clip)
			}
		})
	}
}

func noise(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.Float64()*2-1) * 0.5
	}
	return x
}
