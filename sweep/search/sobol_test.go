package search

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// The direction numbers, their recurrence and the order of the points are scipy's: testdata/sobol.py.
func TestSobolSequenceIsScipys(t *testing.T) {
	data, err := os.ReadFile("testdata/sobol.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Points []struct {
			Index uint32
			Bits  []uint32
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	v := directions()
	if len(golden.Points) < 10 {
		t.Fatalf("%d points in the golden, want at least 10", len(golden.Points))
	}
	for _, p := range golden.Points {
		if len(p.Bits) != len(v) {
			t.Fatalf("point %d has %d dimensions, the table %d", p.Index, len(p.Bits), len(v))
		}
		for dim, want := range p.Bits {
			if got := sequence(&v[dim], p.Index); got != want {
				t.Errorf("point %d, dimension %d: got %#x, want %#x", p.Index, dim, got, want)
			}
		}
	}
}

// numbers is a space of n continuous parameters on [low, high].
func numbers(n int, low, high float64) Space {
	space := make(Space, n)
	for i := range space {
		space[i] = Param{Name: fmt.Sprintf("x%d", i), Low: low, High: high}
	}
	return space
}

// ask asks n times; every trial completes with its point's value.
func ask(t *testing.T, cfg Config, n int, value func(Point) float64) []Trial {
	t.Helper()
	sampler, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var history []Trial
	for number := range n {
		proposal, err := sampler.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		if proposal.Point == nil {
			t.Fatalf("no proposal %d", number)
		}
		values := make([]float64, len(cfg.Directions))
		for i := range values {
			values[i] = value(proposal.Point)
		}
		history = append(history, Trial{Number: number, State: Complete, Point: proposal.Point, Tags: proposal.Tags, Values: values})
	}
	return history
}

func zero(Point) float64 { return 0 }

// The first 2^m points have one coordinate in each of 2^m intervals of every parameter, scrambled or not; and the first 16
// of dimensions 1 and 2, a (0, 4, 2)-net in base 2, one point in each cell of every 4 by 4, 2 by 8 and 8 by 2 division.
func TestSobolFillsEveryInterval(t *testing.T) {
	const n, dims = 64, 20
	history := ask(t, Config{Kind: Sobol, Space: numbers(dims, 0, 1), Directions: []Direction{Minimize}, Seed: 7}, n, zero)
	for dim := range dims {
		seen := map[int]bool{}
		for _, trial := range history {
			seen[int(trial.Point[fmt.Sprintf("x%d", dim)]*n)] = true
		}
		if len(seen) != n {
			t.Errorf("dimension %d: %d of %d intervals are hit", dim, len(seen), n)
		}
	}
	for _, cells := range []float64{2, 4, 8} {
		seen := map[[2]int]bool{}
		for _, trial := range history[:16] {
			seen[[2]int{int(trial.Point["x0"] * cells), int(trial.Point["x1"] * 16 / cells)}] = true
		}
		if len(seen) != 16 {
			t.Errorf("%v by %v cells: %d of 16 are hit", cells, 16/cells, len(seen))
		}
	}
}

// A scrambled point is uniform over seeds: of 4,000 first points, each tenth holds 400 with standard deviation 19.
func TestSobolScramblingIsUniform(t *testing.T) {
	const seeds = 4000
	var counts [10]int
	for seed := range uint64(seeds) {
		sampler, err := New(Config{Kind: Sobol, Space: numbers(1, 0, 1), Directions: []Direction{Minimize}, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		proposal, err := sampler.Ask(nil)
		if err != nil {
			t.Fatal(err)
		}
		counts[int(proposal.Point["x0"]*10)]++
	}
	for i, n := range counts {
		if math.Abs(float64(n)-seeds/10) > 5*19 {
			t.Errorf("tenth %d holds %d of %d, want about %d", i, n, seeds, seeds/10)
		}
	}
}

// A failure does not make a later point come twice, and does not shorten the sequence; without tags (another program's
// trials) the number of trials that have not failed decides.
func TestSobolAfterFailures(t *testing.T) {
	cfg := Config{Kind: Sobol, Space: numbers(2, 0, 1), Directions: []Direction{Minimize}, Seed: 3}
	history := ask(t, cfg, 5, zero)
	sampler, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	index := func(history []Trial) string {
		proposal, err := sampler.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		return proposal.Tags[indexTag]
	}
	history[2].State = Fail
	if got := index(history); got != "5" {
		t.Errorf("trial 2 of 5 failed: point %s, want 5", got)
	}
	for i := range history {
		history[i].Tags = nil
	}
	if got := index(history); got != "4" {
		t.Errorf("4 trials without tags, and a failed one: point %s, want 4", got)
	}
	history[0].Tags = map[string]string{indexTag: "99999999999999"}
	if got := index(history); got != "4" {
		t.Errorf("a tag out of range: point %s, want 4", got)
	}
}
