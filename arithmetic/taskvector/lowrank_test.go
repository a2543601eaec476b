package taskvector

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"syncretic/checkpoint"
)

// ofRank is a matrix of a given rank with entries of about 1, summed in float64.
func ofRank(seed uint64, rank int, shape ...int) []float32 {
	r := rand.New(rand.NewPCG(seed, 2))
	n, _ := elements(shape)
	width := n / shape[0]
	left, right := make([]float64, shape[0]*rank), make([]float64, rank*width)
	for _, m := range [][]float64{left, right} {
		for i := range m {
			m[i] = r.NormFloat64()
		}
	}
	x := make([]float32, n)
	for i := range x {
		sum := 0.0
		for k := range rank {
			sum += left[i/width*rank+k] * right[k*width+i%width]
		}
		x[i] = float32(sum)
	}
	return x
}

// A difference that has the rank comes back up to float32's rounding: of each of r products and sums, and of the factors.
func TestLowRankOfALowRankDifferenceIsExact(t *testing.T) {
	const rank = 5
	tau := memory(t,
		checkpoint.Tensor{Name: "tall", Shape: []int{200, 90}, Data: ofRank(1, rank, 200, 90)},
		checkpoint.Tensor{Name: "wide", Shape: []int{60, 333}, Data: ofRank(2, rank, 60, 333)},
		checkpoint.Tensor{Name: "conv", Shape: []int{40, 10, 7}, Data: ofRank(3, rank, 40, 10, 7)},
		checkpoint.Tensor{Name: "less", Shape: []int{50, 50}, Data: ofRank(4, 2, 50, 50)},
		checkpoint.Tensor{Name: "bias", Shape: []int{4}, Data: []float32{1, -2, 3, 0}},
		checkpoint.Tensor{Name: "small", Shape: []int{6, 6}, Data: ofRank(5, 6, 6, 6)},
		checkpoint.Tensor{Name: "zero", Shape: []int{30, 40}, Data: make([]float32, 1200)})
	e, err := Encode(tau, Options{Rank: rank})
	if err != nil {
		t.Fatal(err)
	}
	if e.Factored != 5 {
		t.Errorf("%d tensors as factors, want 5", e.Factored)
	}
	for name, shape := range map[string][]int{"tall.left": {200, rank}, "tall.right": {rank, 90}, "conv.left": {40, rank}, "conv.right": {rank, 10, 7},
		"less.left": {50, 2}, "bias.dense": {4}, "small.dense": {6, 6}, "zero.left": {30, 0}, "zero.right": {0, 40}} {
		if info, ok := checkpoint.Find(e, name); !ok || !slices.Equal(info.Shape, shape) {
			t.Errorf("%s has shape %v (%v), want %v", name, info.Shape, ok, shape)
		}
	}
	loss, err := Lost(tau, decode(t, written(t, tau, Options{Rank: rank})), nil)
	if err != nil {
		t.Fatal(err)
	}
	if loss.Worst > 8*rank*0x1p-24 {
		t.Errorf("relative error %v in %s, want that of float32", loss.Worst, loss.Tensor)
	}
}

// Of singular values 4, 3, 2, 1 rank 2 loses √(2² + 1²) of √30: Eckart and Young.
func TestLowRankLosesTheSmallestSingularValues(t *testing.T) {
	const n = 32
	data := make([]float32, n*n)
	for k, s := range []float32{2, 4, 1, 3} { // along pairs of axes, so that nothing is rounded
		data[(3*k+1)*n+5*k] = s
	}
	tau := memory(t, checkpoint.Tensor{Name: "w", Shape: []int{n, n}, Data: data})
	for rank, want := range map[int]float64{1: math.Sqrt(14. / 30), 2: math.Sqrt(5. / 30), 3: math.Sqrt(1. / 30), 4: 0} {
		loss, err := Lost(tau, decode(t, written(t, tau, Options{Rank: rank})), nil)
		if err != nil || math.Abs(loss.Relative-want) > 1e-6 || loss.Relative != loss.Worst {
			t.Errorf("rank %d: lost %+v (%v), want %v", rank, loss, err, want)
		}
	}
}

// The product is rounded the same in whatever range it is read, and tiles of the right factor do not show.
func TestProductByHand(t *testing.T) {
	const rows, rank, width = 3, 300, 900 // three tiles
	r := rand.New(rand.NewPCG(1, 1))
	left, right := make([]float32, rows*rank), make([]float32, rank*width)
	for _, m := range [][]float32{left, right} {
		for i := range m {
			m[i] = float32(r.NormFloat64())
		}
	}
	src := memory(t, checkpoint.Tensor{Name: "l", Shape: []int{rows, rank}, Data: left}, checkpoint.Tensor{Name: "r", Shape: []int{rank, width}, Data: right})
	want := make([]float32, rows*width)
	for i := range want {
		for k := range rank {
			want[i] += float32(left[i/width*rank+k] * right[k*width+i%width])
		}
	}
	p := product{src, "l", "r", rows, rank, width}
	for range 200 {
		lo := r.IntN(len(want))
		got := make([]float32, 1+r.IntN(len(want)-lo))
		if err := p.read(lo, got, new(scratch)); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i] != want[lo+i] {
				t.Fatalf("[%d %d): element %d is %v, want %v", lo, lo+len(got), i, got[i], want[lo+i])
			}
		}
	}
}
