package kmeans

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Two centres that no frame is nearest to are moved to the two furthest frames, lowest centre first.
func TestEmptyCentresTakeTheFurthestFrames(t *testing.T) {
	x := []float32{0, 1, 2, 10, 20, 20.5} // one value a frame
	f := newFitting(x, 1)
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
	f := newFitting([]float32{1, 2, 3, 4, 5, 6}, 2)
	copy(f.codes, []int32{2, 0, 2})
	if got, want := f.means([]int{1, 0, 2}, []float32{9, 9, 8, 7, 9, 9}), []float32{3, 4, 8, 7, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("means %v, want %v", got, want)
	}
}

func TestCentreAndMeasure(t *testing.T) {
	f := newFitting([]float32{1, 10, 3, 20}, 2)
	if mean := f.centre(); !slices.Equal(mean, []float32{2, 15}) || !slices.Equal(f.residual, []float32{-1, -5, 1, 5}) {
		t.Errorf("mean %v, residual %v", mean, f.residual)
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
	f := newFitting(x, 3)
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
