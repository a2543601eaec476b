package kmeans_test

import (
	"context"
	"errors"
	"math"
	"runtime/metrics"
	"strings"
	"testing"

	"syncretic/adapt/kmeans"
	"syncretic/checkpoint"
)

// left is the share of the frames' variance that a quantiser leaves at the end, measured on the frames themselves.
func left(q *kmeans.Quantizer, frames []float32) float64 {
	dim := q.Dim()
	n := len(frames) / dim
	codes := q.Encode(frames)
	rest := make([]float64, len(frames))
	mean := make([]float64, dim)
	for i, v := range frames {
		rest[i] = float64(v)
		mean[i%dim] += float64(v) / float64(n)
	}
	for b := range codes {
		centres, err := checkpoint.ReadAll(q.Source(), "codebooks."+string(rune('0'+b)))
		if err != nil {
			panic(err)
		}
		for i := range rest {
			rest[i] -= float64(centres[int(codes[b][i/dim])*dim+i%dim])
		}
	}
	var spread, sum float64
	for i, v := range frames {
		spread += (float64(v) - mean[i%dim]) * (float64(v) - mean[i%dim])
		sum += rest[i] * rest[i]
	}
	return sum / spread
}

// Mini-batches of a twelfth of the frames quantise as well as as many of Lloyd's steps over all of them, on blobs and on one cloud that
// has no clusters, and a tenth better than Lloyd's steps over one such batch alone.
func TestMiniBatchIsAsGoodAsLloyd(t *testing.T) {
	const n, dim = 6000, 10
	for name, frames := range map[string][]float32{"blobs": blobs(n, dim, 150, 3), "cloud": blobs(n, dim, 1, 3)} {
		cfg := kmeans.Config{Codebooks: 3, Size: 40, Iterations: 5, Seed: 1, Batch: 500}
		mini := fitted(t, frames, dim, cfg)
		got := left(mini, frames)
		if said := mini.ResidualVariance()[2]; math.Abs(said-got) > 1e-5 {
			t.Errorf("%s: residual variance %g, measured %g", name, said, got)
		}
		sample := left(fitted(t, frames[:cfg.Batch*dim], dim, cfg), frames)
		cfg.Batch = n
		lloyd := left(fitted(t, frames, dim, cfg), frames)
		t.Logf("%s: mini-batch leaves %.4f, Lloyd %.4f, Lloyd on one batch %.4f", name, got, lloyd, sample)
		if got > 1.01*lloyd || got > 0.9*sample {
			t.Errorf("%s: mini-batch leaves %g, want at most 1.01 of Lloyd's %g and 0.9 of %g", name, got, lloyd, sample)
		}
	}
}

func TestMiniBatchIsTheSameForAnyThreads(t *testing.T) {
	const dim = 21
	frames := blobs(2601, dim, 50, 7) // the last batch has a single frame
	for i := range frames {
		frames[i] += 30
	}
	cfg := kmeans.Config{Codebooks: 3, Size: 24, Iterations: 2, Batch: 650, Seed: 11}
	sameForAnyThreads(t, frames, dim, cfg)
}

// As many frames as fit a batch are taken by Lloyd's steps, whatever the batch.
func TestOneBatchIsLloyd(t *testing.T) {
	frames := blobs(700, 5, 20, 1)
	cfg := kmeans.Config{Codebooks: 2, Size: 16, Iterations: 3, Seed: 2}
	want := hash(t, fitted(t, frames, 5, cfg))
	for batch, same := range map[int]bool{700: true, 5000: true, 699: false} {
		cfg.Batch = batch
		if got := hash(t, fitted(t, frames, 5, cfg)); (got == want) != same {
			t.Errorf("batches of %d: the bytes of one batch: %v, want %v", batch, got == want, same)
		}
	}
}

// generated is a table of frames of which none exists, and watches what the process holds meanwhile.
type generated struct {
	n, dim int
	peak   uint64
}

func (g *generated) Len() int { return g.n }

func (g *generated) Read(dst []float32, from int) error {
	for i := range dst {
		x := uint64(from*g.dim+i) * 0x9e3779b97f4a7c15
		x ^= x >> 29
		x *= 0xbf58476d1ce4e5b9
		dst[i] = float32(x>>40)/(1<<23) - 1
	}
	if from%997 == 0 {
		g.peak = max(g.peak, held())
	}
	return nil
}

// held is what lies on the heap, garbage included.
func held() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

func TestMiniBatchMemoryIsBounded(t *testing.T) {
	src := &generated{n: 500_000, dim: 16} // 32 MB, had it been read whole
	before := held()
	q, err := kmeans.FitFrom(t.Context(), src, src.dim, kmeans.Config{Codebooks: 2, Size: 8, Iterations: 1, Batch: 8192})
	if err != nil {
		t.Fatal(err)
	}
	if v := q.ResidualVariance(); !(v[0] < 1 && v[1] < v[0] && v[1] > 0.5) { // 16 independent values
		t.Errorf("residual variance %v", v)
	}
	if grown := src.peak - min(src.peak, before); src.peak == 0 || grown > 10<<20 {
		t.Errorf("the heap grew by %d bytes, want at most 10 MiB", grown)
	}
}

// faulty is a table that breaks at a frame.
type faulty struct {
	n, at int
	err   error   // from then on, or
	value float32 // in its place
}

func (f faulty) Len() int { return f.n }

func (f faulty) Read(dst []float32, from int) error {
	for i := range dst {
		if dst[i] = float32((from + i) % 7); from+i == f.at {
			dst[i] = f.value
			if f.err != nil {
				return f.err
			}
		}
	}
	return nil
}

func TestFitFromErrors(t *testing.T) {
	lost := errors.New("disk lost")
	for _, test := range []struct {
		name string
		src  faulty
		cfg  kmeans.Config
		is   error
		want string
	}{
		{"an error of the table", faulty{n: 100, at: 50, err: lost}, kmeans.Config{Codebooks: 1, Size: 2, Iterations: 1, Batch: 10}, lost, "disk lost"},
		{"an error in the only batch", faulty{n: 100, at: 50, err: lost}, kmeans.Config{Codebooks: 1, Size: 2, Iterations: 1}, lost, "disk lost"},
		{"a value", faulty{n: 100, at: 50, value: float32(math.Inf(1))}, kmeans.Config{Codebooks: 1, Size: 2, Iterations: 1, Batch: 10}, kmeans.ErrInvalid, "frame 50, value 0 is +Inf"},
		{"fewer frames than codes", faulty{n: 1, at: -1}, kmeans.Config{Codebooks: 1, Size: 2, Iterations: 1, Batch: 10}, kmeans.ErrInvalid, "1 frames for codebooks of 2"},
		{"batches smaller than a codebook", faulty{n: 100, at: -1}, kmeans.Config{Codebooks: 1, Size: 20, Iterations: 1, Batch: 10}, kmeans.ErrConfig, "batch 10, want 20 to"},
		{"a negative batch", faulty{n: 100, at: -1}, kmeans.Config{Codebooks: 1, Size: 2, Iterations: 1, Batch: -1}, kmeans.ErrConfig, "batch -1"},
	} {
		if _, err := kmeans.FitFrom(t.Context(), test.src, 1, test.cfg); !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %v with %q", test.name, err, test.is, test.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := kmeans.FitFrom(ctx, faulty{n: 100, at: -1}, 1, kmeans.Config{Codebooks: 1, Size: 2, Iterations: 1, Batch: 10}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
