package kmeans

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// goldenTolerance is relative, for centres to the largest value: distances are float32 here and float64 in scikit-learn.
const goldenTolerance = 1e-4

// lcgFrames repeats the frames of testdata/make_kmeans.py.
func lcgFrames(seed uint64, n, dim, blobs int, offset float64) []float32 {
	draw := func() uint64 {
		seed = seed*6364136223846793005 + 1442695040888963407
		return seed >> 48
	}
	u := func() float64 { return (float64(draw()) - 32768) / 32768 }
	centres := make([]float64, blobs*dim)
	for i := range centres {
		centres[i] = 2 * u()
	}
	out := make([]float32, 0, n*dim)
	for range n {
		b := int(draw()) % blobs
		for d := range dim {
			out = append(out, float32(offset+centres[b*dim+d]+u()/2))
		}
	}
	return out
}

func TestLloydEqualsScikitLearn(t *testing.T) {
	data, err := os.ReadFile("testdata/kmeans.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		SKLearn string `json:"sklearn"`
		Cases   []struct {
			Name                                   string
			Seed                                   uint64
			Frames, Dim, Blobs, Size, Start, Steps int
			Offset, Inertia, Variance              float64
			Labels                                 []int32
			Centres                                [][]float64
		} `json:"cases"`
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if g.SKLearn == "" || len(g.Cases) < 4 {
		t.Fatalf("fixture by scikit-learn %q with %d cases, want a version and at least 4", g.SKLearn, len(g.Cases))
	}
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			x := lcgFrames(c.Seed, c.Frames, c.Dim, c.Blobs, c.Offset)
			var first []float32
			for j := range c.Size {
				at := c.Start * (1 + j)
				first = append(first, x[at*c.Dim:(at+1)*c.Dim]...)
			}
			q, err := fit(t.Context(), slice{x, c.Dim}, c.Dim, Config{Codebooks: 1, Size: c.Size, Iterations: c.Steps}, first)
			if err != nil {
				t.Fatal(err)
			}
			var worst, largest float64
			for j, row := range c.Centres {
				for d, want := range row {
					worst = math.Max(worst, math.Abs(float64(q.books[0].centres[j*c.Dim+d])-want))
					largest = math.Max(largest, math.Abs(want))
				}
			}
			if worst > goldenTolerance*largest {
				t.Errorf("centres differ by %g, want at most %g of %g", worst, goldenTolerance, largest)
			}
			if got := q.ResidualVariance()[0] * c.Variance; math.Abs(got-c.Inertia) > goldenTolerance*c.Inertia {
				t.Errorf("inertia %g, want %g", got, c.Inertia)
			}
			if got := q.Encode(x)[0]; !slices.Equal(got, c.Labels) {
				t.Errorf("labels differ:\n%v\n%v", got, c.Labels)
			}
		})
	}
}
