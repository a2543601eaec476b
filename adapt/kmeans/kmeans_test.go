package kmeans_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/kmeans"
	"syncretic/checkpoint"
)

func fitted(t *testing.T, frames []float32, dim int, cfg kmeans.Config) *kmeans.Quantizer {
	t.Helper()
	q, err := kmeans.Fit(t.Context(), frames, dim, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// book reads codebook i as the tensors give it.
func book(t *testing.T, q *kmeans.Quantizer, i int) []float32 {
	t.Helper()
	data, err := checkpoint.ReadAll(q.Source(), fmt.Sprintf("codebooks.%d", i))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Every code is the nearest centre to what the codebooks before it left, by float64 distances, and the residual variance is
// that of the frames themselves.
func TestEncodeIsNearestCentre(t *testing.T) {
	const n, dim = 1500, 9
	frames := blobs(n, dim, 30, 3)
	for i := range frames {
		frames[i] += 50 // far from zero
	}
	q := fitted(t, frames, dim, kmeans.Config{Codebooks: 3, Size: 16, Iterations: 5, Seed: 4})
	if q.Codebooks() != 3 || q.Size() != 16 || q.Dim() != dim {
		t.Fatalf("%d codebooks of %d by %d", q.Codebooks(), q.Size(), q.Dim())
	}
	before := slices.Clone(frames)
	codes := q.Encode(frames)
	if !slices.Equal(before, frames) {
		t.Fatal("Encode changed the frames")
	}
	r := make([]float64, len(frames))
	mean := make([]float64, dim)
	for i, v := range frames {
		r[i] = float64(v)
		mean[i%dim] += float64(v) / n
	}
	var spread float64
	for i, v := range r {
		spread += (v - mean[i%dim]) * (v - mean[i%dim])
	}
	for b := range 3 {
		centres := book(t, q, b)
		var left float64
		for f := range n {
			least, own := math.Inf(1), 0.0
			for j := range 16 {
				var d2 float64
				for d := range dim {
					e := r[f*dim+d] - float64(centres[j*dim+d])
					d2 += e * e
				}
				least = math.Min(least, d2)
				if j == int(codes[b][f]) {
					own = d2
				}
			}
			if own > least+1e-4*(1+least) {
				t.Fatalf("codebook %d, frame %d: code at squared distance %g, the nearest is %g", b, f, own, least)
			}
			left += own
			for d := range dim {
				r[f*dim+d] -= float64(centres[int(codes[b][f])*dim+d])
			}
		}
		if got := q.ResidualVariance()[b]; math.Abs(got-left/spread) > 1e-5 {
			t.Errorf("residual variance %d: %g, want %g", b, got, left/spread)
		}
	}
}

func TestResidualVarianceFalls(t *testing.T) {
	q := fitted(t, blobs(3000, 16, 40, 5), 16, kmeans.Config{Codebooks: 6, Size: 32, Iterations: 6, Seed: 1})
	last := 1.0
	for i, v := range q.ResidualVariance() {
		if !(v > 0 && v < last) {
			t.Errorf("codebook %d leaves %g after %g", i, v, last)
		}
		last = v
	}
	// 40 blobs whose means hold 1/(1+0.25) of the variance: 32 centres find most of them, five more books do the rest.
	if first := q.ResidualVariance()[0]; first > 0.45 {
		t.Errorf("the first codebook leaves %g, want at most 0.45", first)
	}
}

func TestBlobsAreFound(t *testing.T) {
	// Ten tight blobs, ten centres: greedy seeding puts one into each, so codes and blobs correspond.
	const n, dim = 1000, 4
	frames := make([]float32, 0, n*dim)
	noise := blobs(n, dim, 1, 6)
	for i := range n {
		for d := range dim {
			frames = append(frames, float32(100*((i%10)>>d&1))+noise[i*dim+d]/10)
		}
	}
	codes := fitted(t, frames, dim, kmeans.Config{Codebooks: 1, Size: 10, Iterations: 3, Seed: 2}).Encode(frames)[0]
	for i := range codes {
		if codes[i] != codes[i%10] {
			t.Fatalf("frame %d of blob %d has code %d, its first frame %d", i, i%10, codes[i], codes[i%10])
		}
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(codes[:10]))); len(distinct) != 10 {
		t.Errorf("%d codes for 10 blobs", len(distinct))
	}
}

func TestSameBytesForAnyThreads(t *testing.T) {
	sameForAnyThreads(t, blobs(2600, 21, 50, 7), 21, kmeans.Config{Codebooks: 3, Size: 24, Iterations: 4, Seed: 11})
}

func hash(t *testing.T, q *kmeans.Quantizer) string {
	t.Helper()
	h, err := checkpoint.Hash(q.Source())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func sameForAnyThreads(t *testing.T, frames []float32, dim int, cfg kmeans.Config) {
	t.Helper()
	old := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(old)
	var first string
	var codes [][]int32
	for _, threads := range []int{1, 2, 3, 8} {
		runtime.GOMAXPROCS(threads)
		q := fitted(t, frames, dim, cfg)
		h, c := hash(t, q), q.Encode(frames)
		if first == "" {
			first, codes = h, c
		}
		if h != first || !reflect.DeepEqual(c, codes) {
			t.Errorf("%d threads: other bytes than with 1", threads)
		}
	}
	cfg.Seed++
	if hash(t, fitted(t, frames, dim, cfg)) == first {
		t.Error("another seed gives the same codebooks")
	}
}

func TestFitLeavesFramesAlone(t *testing.T) {
	frames := blobs(300, 5, 3, 1)
	before := slices.Clone(frames)
	fitted(t, frames, 5, kmeans.Config{Codebooks: 2, Size: 4, Iterations: 2})
	if !slices.Equal(frames, before) {
		t.Error("Fit changed the frames")
	}
}

func TestEqualFrames(t *testing.T) {
	frames := make([]float32, 600)
	for i := range frames {
		frames[i] = 7
	}
	q := fitted(t, frames, 3, kmeans.Config{Codebooks: 2, Size: 4, Iterations: 2})
	if v := q.ResidualVariance(); v[0] != 0 || v[1] != 0 {
		t.Errorf("residual variance %v, want 0", v)
	}
	for b, row := range q.Encode(frames) { // all centres are equal, so the lowest code wins
		if slices.Max(row) != 0 {
			t.Errorf("codebook %d has code %d", b, slices.Max(row))
		}
	}
}

func TestFitErrors(t *testing.T) {
	ok := kmeans.Config{Codebooks: 1, Size: 2, Iterations: 1}
	nan, huge := make([]float32, 20), make([]float32, 20)
	nan[7] = float32(math.NaN())
	huge[19] = 1e20
	tests := []struct {
		name   string
		frames []float32
		dim    int
		cfg    kmeans.Config
		is     error
		want   string
	}{
		{"no codebooks", make([]float32, 20), 2, kmeans.Config{Size: 2, Iterations: 1}, kmeans.ErrConfig, "codebooks 0"},
		{"no size", make([]float32, 20), 2, kmeans.Config{Codebooks: 1, Iterations: 1}, kmeans.ErrConfig, "size 0"},
		{"no iterations", make([]float32, 20), 2, kmeans.Config{Codebooks: 1, Size: 2}, kmeans.ErrConfig, "iterations 0"},
		{"dim", make([]float32, 20), 0, ok, kmeans.ErrInvalid, "frames of 0 values"},
		{"ragged", make([]float32, 20), 3, ok, kmeans.ErrInvalid, "20 values are not a whole number of frames of 3"},
		{"too few", make([]float32, 2), 2, ok, kmeans.ErrInvalid, "1 frames for codebooks of 2"},
		{"none", nil, 2, ok, kmeans.ErrInvalid, "0 frames"},
		{"NaN", nan, 4, ok, kmeans.ErrInvalid, "frame 1, value 3 is NaN"},
		{"huge", huge, 4, ok, kmeans.ErrInvalid, "frame 4, value 3 is 1e+20"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := kmeans.Fit(t.Context(), test.frames, test.dim, test.cfg)
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %v with %q", err, test.is, test.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := kmeans.Fit(ctx, make([]float32, 20), 2, ok); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestEncodePanicsOnRaggedFrames(t *testing.T) {
	q := fitted(t, blobs(50, 3, 2, 1), 3, kmeans.Config{Codebooks: 1, Size: 2, Iterations: 1})
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	q.Encode(make([]float32, 4))
}

func TestEncodeNothing(t *testing.T) {
	q := fitted(t, blobs(50, 3, 2, 1), 3, kmeans.Config{Codebooks: 2, Size: 2, Iterations: 1})
	if codes := q.Encode(nil); len(codes) != 2 || len(codes[0]) != 0 {
		t.Errorf("codes %v, want two empty rows", codes)
	}
}

func Example() {
	frames := []float32{0, 0, 0, 1, 10, 10, 10, 11} // four frames of two values
	q, err := kmeans.Fit(context.Background(), frames, 2, kmeans.Config{Codebooks: 2, Size: 2, Iterations: 3, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	codes := q.Encode(frames)
	fmt.Println("pairs:", codes[0][0] == codes[0][1], codes[0][2] == codes[0][3], codes[0][0] == codes[0][2])
	fmt.Printf("left: %.4f\n", q.ResidualVariance())
	back, err := kmeans.Load(q.Source())
	fmt.Println("dim:", back.Dim(), err)
	// Output:
	// pairs: true true false
	// left: [0.0050 0.0000]
	// dim: 2 <nil>
}
