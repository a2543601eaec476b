package kmeans

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// fittingOf holds frames.
func fittingOf(frames []float32, dim int) *fitting {
	f := newFitting(len(frames)/dim, dim)
	copy(f.residual, frames)
	return f
}

// Two centres that no frame is nearest to are moved to the two furthest frames, lowest centre first.
func TestEmptyCentresTakeTheFurthestFrames(t *testing.T) {
	x := []float32{0, 1, 2, 10, 20, 20.5} // one value a frame
	f := fittingOf(x, 1)
	f.measure()
	// 10 is 8.5 from its centre and furthest: centre 1 takes it. Then 0 is 1.5 from its own: centre 3 takes that.
	got, err := f.lloyd(t.Context(), []float32{1.5, 500, 20, -500}, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{1.5, 10, 20.25, 0}; !slices.Equal(got, want) {
		t.Errorf("centres %v, want %v", got, want)
	}
}

// With fewer distinct frames than centres the spare ones stay where they were and every frame is met exactly.
func TestMoreCentresThanDistinctFrames(t *testing.T) {
	x := make([]float32, 0, 40)
	for i := range 20 {
		x = append(x, float32(i%3), 5)
	}
	q, err := Fit(t.Context(), x, 2, Config{Codebooks: 2, Size: 8, Iterations: 4, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if v := q.ResidualVariance(); v[0] > 1e-12 || v[1] > 1e-12 {
		t.Errorf("residual variance %v, want 0", v)
	}
	if codes := q.Encode(x); codes[0][0] == codes[0][1] || codes[0][0] != codes[0][3] {
		t.Errorf("codes %v", codes[0])
	}
}

func TestMeansKeepOldPlaceWhenEmpty(t *testing.T) {
	f := fittingOf([]float32{1, 2, 3, 4, 5, 6}, 2)
	copy(f.codes, []int32{2, 0, 2})
	if got, want := f.means([]int{1, 0, 2}, []float32{9, 9, 8, 7, 9, 9}), []float32{3, 4, 8, 7, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("means %v, want %v", got, want)
	}
}

func TestShiftAndMeasure(t *testing.T) {
	f := fittingOf([]float32{1, 10, 3, 20}, 2)
	sums := make([]float64, 2)
	f.sum(sums)
	if mean := divided(sums, 2); !slices.Equal(mean, []float32{2, 15}) {
		t.Errorf("mean %v", mean)
	}
	if f.shift([]float32{2, 15}); !slices.Equal(f.residual, []float32{-1, -5, 1, 5}) {
		t.Errorf("residual %v", f.residual)
	}
	if sum := f.measure(); sum != 52 || !slices.Equal(f.norms, []float64{26, 26}) {
		t.Errorf("sum %g, norms %v", sum, f.norms)
	}
}

func TestBest(t *testing.T) {
	for _, c := range []struct {
		scores []float32
		want   int
	}{{[]float32{1}, 0}, {[]float32{1, 2, 0}, 1}, {[]float32{2, 3, 3}, 1}, {[]float32{-4, -4}, 0}} {
		if got := best(c.scores); got != c.want {
			t.Errorf("best(%v) = %d, want %d", c.scores, got, c.want)
		}
	}
}

func TestDraw(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	counts := make([]int, 4)
	for range 4000 {
		counts[draw([]float64{0, 1, 1, 4}, rng)]++ // shares 0, ¼, 0, ¾
	}
	// The spread of a count is √(4000·¼·¾) = 27; five of them.
	if counts[0] != 0 || counts[2] != 0 || counts[1] < 1000-137 || counts[1] > 1000+137 {
		t.Errorf("counts %v, want 0, about 1000, 0, about 3000", counts)
	}
	if i := draw([]float64{0, 0}, rng); i < 0 || i > 1 {
		t.Errorf("draw without any weight gave %d", i)
	}
}

// Seeds are frames, and distinct ones while there are enough.
func TestSeedsAreDistinctFrames(t *testing.T) {
	x := lcgFrames(9, 1200, 3, 5, 0)
	f := fittingOf(x, 3)
	f.measure()
	seeds := f.seeds(40, rand.New(rand.NewPCG(3, 0)))
	var found []int
	for j := range 40 {
		at := -1
		for i := range 1200 {
			if slices.Equal(x[i*3:i*3+3], seeds[j*3:j*3+3]) {
				at = i
			}
		}
		if at < 0 || slices.Contains(found, at) {
			t.Fatalf("seed %d is frame %d; before: %v", j, at, found)
		}
		found = append(found, at)
	}
}

// A pass takes every frame once, and any batch of it is spread over the table.
func TestPassesTakeEveryFrameOnce(t *testing.T) {
	for _, n := range []int{2, 3, 10, 97, 1000, 46368} { // the last is a Fibonacci number: the golden section of it shares no divisor
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i)
		}
		most := max(1, n/7)
		b := &batches{src: slice{x, 1}, dim: 1, most: most, f: newFitting(most, 1), mean: []float32{0}}
		b.order(rand.New(rand.NewPCG(1, 1)))
		seen := make([]bool, n)
		for step := range b.steps() {
			if err := b.load(t.Context(), step); err != nil {
				t.Fatal(err)
			}
			thirds := [3]int{}
			for _, v := range b.f.residual {
				if seen[int(v)] {
					t.Fatalf("%d frames: frame %v comes twice", n, v)
				}
				seen[int(v)] = true
				thirds[3*int(v)/n]++
			}
			if low := slices.Min(thirds[:]); n > 100 && low < len(b.f.residual)/4 {
				t.Errorf("%d frames: a batch of %d has %v in the thirds of the table", n, len(b.f.residual), thirds)
			}
		}
		if slices.Contains(seen, false) {
			t.Errorf("%d frames: some never come", n)
		}
	}
}

// A step moves a centre by its frames' share in all that it was moved by.
func TestPull(t *testing.T) {
	f := fittingOf([]float32{4, 8, 1}, 1)
	copy(f.codes, []int32{0, 0, 2})
	centres, weight := []float32{3, 50, 7}, []float64{6, 5, 0}
	f.pull(centres, weight, []int{2, 0, 1})
	if want := []float32{3.75, 50, 1}; !slices.Equal(centres, want) || !slices.Equal(weight, []float64{8, 5, 1}) { // 3 + 2/8·(6−3)
		t.Errorf("centres %v, want %v; weights %v", centres, want, weight)
	}
}

// Centres that a whole pass left empty go to the furthest frames of its last step, the lowest first, and forget their weight.
func TestRefill(t *testing.T) {
	f := fittingOf([]float32{0, 1, 5, 9}, 1)
	copy(f.codes, []int32{1, 1, 1, 3})
	copy(f.distance, []float32{1, 4, 16, 25}) // 9 is alone at its centre and stays
	centres, weight := []float32{-80, 1, -90, 9}, []float64{3, 3, 3, 3}
	f.refill(centres, weight, []int{0, 10, 0, 1}, []int{0, 3, 0, 1})
	if want := []float32{5, 1, 1, 9}; !slices.Equal(centres, want) || !slices.Equal(weight, []float64{0, 3, 0, 3}) {
		t.Errorf("centres %v, want %v; weights %v", centres, want, weight)
	}
}
