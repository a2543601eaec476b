package kmeans_test

import (
	"math/rand/v2"
	"testing"

	"syncretic/adapt/kmeans"
)

// BenchmarkFit times the demonstration's token teacher: 24,000 frames of 144 values, 8 codebooks of 64, 8 steps.
func BenchmarkFit(b *testing.B) {
	frames := blobs(24000, 144, 200, 1)
	for b.Loop() {
		if _, err := kmeans.Fit(b.Context(), frames, 144, kmeans.Config{Codebooks: 8, Size: 64, Iterations: 8, Seed: 1}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFitMiniBatch fits 48,000 frames of which 4,000 are in memory, and all of them at once by as many passes. left% is the share of
// the frames' variance that the codebooks leave over.
func BenchmarkFitMiniBatch(b *testing.B) {
	frames := blobs(48000, 144, 1500, 1)
	for _, c := range []struct {
		name  string
		batch int
	}{{"batch=4000", 4000}, {"lloyd", 48000}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				q, err := kmeans.Fit(b.Context(), frames, 144, kmeans.Config{Codebooks: 4, Size: 128, Iterations: 4, Batch: c.batch, Seed: 1})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(100*q.ResidualVariance()[3], "left%")
			}
		})
	}
}

// BenchmarkEncode times the tokens of the same frames.
func BenchmarkEncode(b *testing.B) {
	frames := blobs(24000, 144, 200, 1)
	q, err := kmeans.Fit(b.Context(), frames[:4000*144], 144, kmeans.Config{Codebooks: 8, Size: 64, Iterations: 2, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(4 * len(frames)))
	for b.Loop() {
		q.Encode(frames)
	}
}

// blobs draws n frames around the given number of centres.
func blobs(n, dim, centres int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 2))
	means := make([]float32, centres*dim)
	for i := range means {
		means[i] = float32(rng.NormFloat64())
	}
	out := make([]float32, 0, n*dim)
	for range n {
		c := rng.IntN(centres)
		for d := range dim {
			out = append(out, means[c*dim+d]+0.5*float32(rng.NormFloat64()))
		}
	}
	return out
}
