package mergekit

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// spread is a mean and a variance over runs.
type spread struct{ Mean, Variance float64 }

// randomCase is one case of testdata/random.json: what mergekit dropped in 200 runs. See testdata/distribution.py.
type randomCase struct {
	Method     string
	Shape      []int
	Parameters map[string]any
	Runs       int
	Kept       spread
	Bins       []struct {
		Elements int
		spread
	}
	Factor struct {
		spread
		Least, Most float64
	}
	Both *spread
}

// near tells whether two means over runs are of one distribution: within five standard errors of their difference.
func (s spread) near(other spread, runs int) bool {
	return math.Abs(s.Mean-other.Mean) <= 5*math.Sqrt((s.Variance+other.Variance)/float64(runs))+1e-9
}

func spreadOf(x []float64) (s spread) {
	for _, v := range x {
		s.Mean += v / float64(len(x))
	}
	for _, v := range x {
		s.Variance += (v - s.Mean) * (v - s.Mean) / float64(len(x)-1)
	}
	return s
}

// Random methods agree with mergekit in distribution: how much stays, by rank of magnitude, by how much it is multiplied, and that
// two models are dropped from independently.
func TestRandomMethodsAgreeInDistribution(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "random.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []randomCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 18 {
		t.Fatalf("%d cases, want 18", len(cases))
	}
	m, err := checkpoint.Open(filepath.Join("testdata", "random.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	w, err := checkpoint.ReadAll(m, "w")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		c.check(t, w)
	}
}

// merge runs the method over a base of zeros.
func (c randomCase) merge(t *testing.T, seed uint64, models ...[]float32) []float32 {
	t.Helper()
	found, ok := method.Find(c.Method)
	if !ok {
		t.Fatal(c.Method)
	}
	task := method.Task{Name: "w", Shape: c.Shape, Params: method.Values{}, Seed: seed, Layer: -1}
	for i, data := range append([][]float32{make([]float32, len(models[0]))}, models...) {
		src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: c.Shape, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		task.Inputs = append(task.Inputs, method.Input{Model: string(rune('a' + i)), Source: src, Name: "w", Params: method.Values{"weight": 1}})
	}
	for _, p := range found.Params {
		value := p.Default
		if given, ok := c.Parameters[p.Name]; ok {
			var err error
			if value, err = p.Parse(given); err != nil {
				t.Fatal(err)
			}
		}
		for i := range task.Inputs {
			if p.Scope != method.Shared && p.Name != "weight" {
				task.Inputs[i].Params[p.Name] = value
			}
		}
		if p.Scope == method.Shared {
			task.Params[p.Name] = value
		}
	}
	tensor, err := found.Tensor(task)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(models[0]))
	if err := tensor.Read(0, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func (c randomCase) check(t *testing.T, w []float32) {
	bins := c.bins(w)
	kept, factors, both := make([]float64, c.Runs), make([]float64, c.Runs), make([]float64, c.Runs)
	shares := make([][]float64, len(c.Bins))
	twice := make([]float32, len(w))
	for i, x := range w {
		twice[i] = 1024 * x
	}
	for run := range c.Runs {
		out := c.merge(t, uint64(run), w)
		count := make([]float64, len(c.Bins))
		for i, x := range out {
			if x != 0 {
				kept[run] += 1 / float64(len(w))
				count[bins[i]]++
				factors[run] = float64(x) / float64(w[i])
			}
		}
		for b := range count {
			shares[b] = append(shares[b], count[b]/float64(c.Bins[b].Elements))
		}
		if c.Both != nil {
			for i, x := range c.merge(t, uint64(run), w, twice) {
				if math.Round(float64(x)/float64(w[i])) == 1025 {
					both[run] += 1 / float64(len(w))
				}
			}
		}
	}
	name := func(what string) string { return c.Method + " " + what }
	compare := func(what string, got, want spread) {
		t.Helper()
		if !got.near(want, c.Runs) {
			t.Errorf("%s of %v %v: mean %v, mergekit has %v (variances %v, %v)", name(what), c.Shape, c.Parameters, got.Mean, want.Mean, got.Variance, want.Variance)
		}
		// Variances over 200 runs scatter by a tenth; a third is beyond chance.
		if want.Variance > 0 && math.Abs(math.Log(got.Variance/want.Variance)) > 0.6 {
			t.Errorf("%s of %v %v: variance %v, mergekit has %v", name(what), c.Shape, c.Parameters, got.Variance, want.Variance)
		}
	}
	compare("share that stays", spreadOf(kept), c.Kept)
	for b := range c.Bins {
		compare("share of a bin that stays", spreadOf(shares[b]), c.Bins[b].spread)
	}
	if c.Parameters["rescale"] == true {
		compare("factor", spreadOf(factors), c.Factor.spread)
	} else if c.Both != nil {
		compare("share that stays in both models", spreadOf(both), *c.Both)
	}
}

// bins puts each element into a tenth of the ranks of its row, as distribution.py does.
func (c randomCase) bins(w []float32) []int {
	plane, length, stride := len(w), len(w), 1
	if len(c.Shape) > 1 {
		plane, length = len(w)/c.Shape[0], c.Shape[1]
		stride = plane / length
	}
	bins := make([]int, len(w))
	for p := 0; p < len(w); p += plane {
		for s := range stride {
			row := make([]int, length)
			for i := range row {
				row[i] = p + s + i*stride
			}
			slices.SortFunc(row, func(i, j int) int {
				if math.Abs(float64(w[i])) < math.Abs(float64(w[j])) {
					return -1
				}
				return 1
			})
			for rank, i := range row {
				bins[i] = rank * len(c.Bins) / length
			}
		}
	}
	return bins
}

// The paper's rescaling divides by the probability to stay, so that every element keeps its expectation.
func TestRescaleByProbabilityKeepsExpectations(t *testing.T) {
	w := make([]float32, 64)
	for i := range w {
		w[i] = 1 + float32(i)/64
	}
	for _, name := range []string{"dare_linear", "della_linear"} {
		c := randomCase{Method: name, Shape: []int{1, 64}, Parameters: map[string]any{"density": 0.5, "rescale": "probability", "epsilon": 0.2}}
		const runs = 4000
		sum := make([]float64, len(w))
		for seed := range runs {
			for i, x := range c.merge(t, uint64(seed), w) {
				sum[i] += float64(x) / runs
			}
		}
		for i := range w {
			// One element is w/p with probability p ≥ 0.3: a standard deviation of at most 1.53 w a run.
			if math.Abs(sum[i]-float64(w[i])) > 5*1.53*float64(w[i])/math.Sqrt(runs) {
				t.Errorf("%s: element %d is %v on the average, want %v", name, i, sum[i], w[i])
			}
		}
	}
}
