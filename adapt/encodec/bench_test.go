package encodec

import "testing"

// BenchmarkEncode5s is the codes of one clip as long as MERT's, 8 codebooks. examples/bench/encodec.sh sets it against
// PyTorch.
func BenchmarkEncode5s(b *testing.B) {
	const samples = 5 * 24000
	cfg := DefaultConfig()
	e, err := Load(cfg, source(b, caseTensors("24khz", cfg)))
	if err != nil {
		b.Fatal(err)
	}
	clip := caseSamples("bench", samples)
	if _, err := e.Encode(b.Context(), clip, 8); err != nil { // fills the pools of package gemm
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(4 * samples)
	for b.Loop() {
		if _, err := e.Encode(b.Context(), clip, 8); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLSTMLayer is the part that no further core makes faster: a second of frames through one layer.
func BenchmarkLSTMLayer(b *testing.B) {
	const dim, frames = 512, 75
	l := newLSTMLayer(vars{prefix: "lstm:", get: func(name string, shape []int) []float32 {
		n := 1
		for _, d := range shape {
			n *= d
		}
		return recipe(name, n)
	}}, 0, dim)
	x, m := recipe("lstm:samples", frames*dim), l.begin()
	y := make([]float32, len(x))
	b.SetBytes(int64(frames * 4 * len(l.recurrent)))
	for b.Loop() {
		l.run(y, x, m)
	}
}
