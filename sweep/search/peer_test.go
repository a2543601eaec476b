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

// peerCell is what a peer found on a function of some dimensions: the best value after a number of trials, of each seed.
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
		if got := functionNamed(t, c.Function).eval(x); math.Abs(got-c.Probe) > 1e-9*c.Probe {
			t.Fatalf("%s of %d dimensions: %v where the peer has %v", c.Function, c.Dimensions, got, c.Probe)
		}
		if len(c.Best) < 20 || len(c.Best)%2 != 0 || !slices.IsSorted(c.Best) || math.Abs(middle(c.Best)-c.Median) > 1e-5*c.Median {
			t.Fatalf("%s of %d dimensions: median %v of %v", c.Function, c.Dimensions, c.Median, c.Best)
		}
	}
	return golden.Cells
}

// middle returns the median of an even number of ascending values.
func middle(values []float64) float64 {
	n := len(values)
	return (values[n/2-1] + values[n/2]) / 2
}

func functionNamed(t *testing.T, name string) function {
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

// TPE's median over as many seeds is no worse than Optuna's. Another processor rounds otherwise, after which a search takes
// another path, so the test leaves room for the noise of a median: it fails where ours lies above the upper end of the exact
// 96 % confidence interval of the peer's (by the binomial distribution, ranks 6 to 15 of 20 values, and 40 to 61 of 100), or
// above the peer's median in more than 2 of the 20 cells. 5 and 8 dimensions take longer: SYNCRETIC_BENCH=1 adds them.
func TestTPEReachesOptunasMedians(t *testing.T) {
	cells := readPeer(t, "testdata/optuna_tpe.json")
	all := os.Getenv("SYNCRETIC_BENCH") != ""
	var table strings.Builder
	worse := 0
	for _, c := range cells {
		if c.Dimensions > 2 && !all {
			continue
		}
		upper := map[int]int{20: 15, 100: 61}[len(c.Best)]
		if upper == 0 {
			t.Fatalf("%s of %d dimensions: %d seeds, want 20 or 100", c.Function, c.Dimensions, len(c.Best))
		}
		ours := middle(optimise(t, TPE, functionNamed(t, c.Function), c.Dimensions, c.Trials, uint64(len(c.Best))))
		fmt.Fprintf(&table, "//\t%-16s%10d%8d%10.2g%10.2g\n", c.Function, c.Dimensions, c.Trials, ours, c.Median)
		if ours > c.Best[upper-1] {
			t.Errorf("%s of %d dimensions: median %.3g, the peer's %.3g, and the end of its interval %.3g",
				c.Function, c.Dimensions, ours, c.Median, c.Best[upper-1])
		}
		if ours > c.Median {
			worse++
		}
	}
	if worse > 2 {
		t.Errorf("the median is above the peer's in %d cells, want at most 2", worse)
	}
	t.Logf("the table of the package comment:\n%s", table.String())
}
