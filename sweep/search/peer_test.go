package search

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// peerCell is what a peer found on a function of some dimensions: the best value after a number of trials, of 20 seeds.
type peerCell struct {
	Function           string
	Dimensions, Trials int
	Median             float64
	Best               []float64 // ascending
	Probe              float64   // the peer's value at x_i = 0.3 i - 1
}

// readPeer reads a golden, and makes sure that it is whole and that the peer's functions are ours.
func readPeer(t *testing.T, path string) []peerCell {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Cells []peerCell }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cells) != 20 {
		t.Fatalf("%s: %d cells, want 5 functions of 1, 2, 5 and 8 dimensions", path, len(golden.Cells))
	}
	for _, c := range golden.Cells {
		x := make([]float64, c.Dimensions)
		for i := range x {
			x[i] = 0.3*float64(i) - 1
		}
		if got := named(t, c.Function).eval(x); math.Abs(got-c.Probe) > 1e-9*c.Probe {
			t.Fatalf("%s of %d dimensions: %v where the peer has %v", c.Function, c.Dimensions, got, c.Probe)
		}
		if m := (c.Best[9] + c.Best[10]) / 2; len(c.Best) != 20 || !slices.IsSorted(c.Best) || math.Abs(m-c.Median) > 1e-5*m {
			t.Fatalf("%s of %d dimensions: median %v of %v", c.Function, c.Dimensions, c.Median, c.Best)
		}
	}
	return golden.Cells
}

func named(t *testing.T, name string) function {
	t.Helper()
	for _, f := range functions() {
		if f.name == name {
			return f
		}
	}
	t.Fatalf("no function %q", name)
	return function{}
}

// optimise returns the best values that a sampler finds, one a seed, ascending.
func optimise(t *testing.T, kind Kind, f function, dims, trials int, seeds uint64) []float64 {
	t.Helper()
	var found []float64
	space := numbers(dims, f.low, f.high)
	for seed := range seeds {
		x, best := make([]float64, dims), math.Inf(1)
		ask(t, Config{Kind: kind, Space: space, Directions: []Direction{Minimize}, Seed: seed}, trials, func(p Point) float64 {
			for i := range x {
				x[i] = p[space[i].Name]
			}
			v := f.eval(x)
			best = min(best, v)
			return v
		})
		found = append(found, best)
	}
	slices.Sort(found)
	return found
}

// TPE's median is no worse than Optuna's in any cell. Another processor rounds otherwise, after which a search takes another
// path, so the test leaves room for the noise of a median of 20: it fails where ours is above the 15th of the peer's 20
// values, the upper end of the exact 96 % confidence interval of their median (ranks 6 to 15 of 20, by the binomial
// distribution), or above their median in more than 3 cells. 5 and 8 dimensions take longer: SYNCRETIC_BENCH=1 adds them.
func TestTPEReachesOptunasMedians(t *testing.T) {
	cells := readPeer(t, "testdata/optuna_tpe.json")
	all := os.Getenv("SYNCRETIC_BENCH") != ""
	var table strings.Builder
	worse := 0
	for _, c := range cells {
		if c.Dimensions > 2 && !all {
			continue
		}
		found := optimise(t, TPE, named(t, c.Function), c.Dimensions, c.Trials, 20)
		median := (found[9] + found[10]) / 2
		fmt.Fprintf(&table, "//\t%-15s %10d %6d %8.2g %8.2g\n", c.Function, c.Dimensions, c.Trials, median, c.Median)
		if median > c.Best[14] {
			t.Errorf("%s of %d dimensions: median %.3g, the peer's %.3g, and the end of its interval %.3g",
				c.Function, c.Dimensions, median, c.Median, c.Best[14])
		}
		if median > c.Median {
			worse++
		}
	}
	if worse > 3 {
		t.Errorf("the median is above the peer's in %d cells, want at most 3", worse)
	}
	t.Logf("the table of the package comment:\n%s", table.String())
}
