package metric

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestSingleLabel(t *testing.T) {
	// Predicted: 0, 1, 0 (a tie), 2. Class 3 never occurs.
	scores := [][]float64{{9, 1, 0, 0}, {0, 2, 1, 0}, {5, 5, 5, 5}, {0, 0, 1, 0}}
	got, err := SingleLabel(scores, []int{0, 1, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"items":4,"classes":4,"accuracy":0.75,"f1":{"macro":0.7777777777777777,"per_class":[0.6666666666666666,0.6666666666666666,1,null],"left_out":1}}`
	data, err := json.Marshal(got)
	if err != nil || string(data) != want {
		t.Errorf("got %s, %v, want %s", data, err, want)
	}
	var back ClassResult
	if err := json.Unmarshal(data, &back); err != nil || back.Accuracy != 0.75 || !math.IsNaN(back.F1.PerClass[3]) || back.F1.LeftOut != 1 {
		t.Errorf("read back %+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"f1": 3}`), &back); err == nil {
		t.Error("a number in place of F1: no error")
	}
}

func TestRegression(t *testing.T) {
	// Errors 0.1 and 0.1 of distances 0.5 and 0.5; a constant met; a constant missed.
	got, err := Regression([][]float64{{0.1, 7, 1}, {0.9, 7, 2}}, [][]float64{{0, 7, 0.1}, {1, 7, 0.1}})
	if err != nil {
		t.Fatal(err)
	}
	checkClose(t, "R2", got.R2.PerOutput[0], 1-0.02/0.5)
	if got.R2.PerOutput[1] != 1 || got.R2.PerOutput[2] != 0 {
		t.Errorf("constant targets: %v, want 1 and 0", got.R2.PerOutput[1:])
	}
	checkClose(t, "mean", got.R2.Mean, (0.96+1+0)/3)
	data, err := json.Marshal(got)
	if err != nil || !strings.HasPrefix(string(data), `{"items":2,"outputs":3,"r2":{"mean":0.65`) {
		t.Errorf("%s, %v", data, err)
	}
	var back RegressionResult
	if err := json.Unmarshal(data, &back); err != nil || back.R2.Mean != got.R2.Mean || !slices.Equal(back.R2.PerOutput, got.R2.PerOutput) {
		t.Errorf("read back %+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"r2": 3}`), &back); err == nil {
		t.Error("a number in place of R2: no error")
	}
	one, err := Regression([][]float64{{1}}, [][]float64{{1}})
	if data, _ := json.Marshal(one.R2); err != nil || string(data) != `{"mean":null,"per_output":[null]}` {
		t.Errorf("one item: %s, %v, want undefined", data, err)
	}
	// 0.1 summed ten times is not 1: scikit-learn takes this target for one that varies.
	constant := slices.Repeat([][]float64{{0.1}}, 10)
	if got, err := Regression(slices.Repeat([][]float64{{0.2}}, 10), constant); err != nil || got.R2.Mean != 0 {
		t.Errorf("a constant whose mean is rounded: %+v, %v, want 0", got, err)
	}
}

func TestTasksRefuse(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name, want string
		err        func() error
	}{
		{"no scores", "no scores", func() error { _, err := SingleLabel(nil, nil); return err }},
		{"ragged", "scores: item 1 has 1 values, want 2", func() error { _, err := SingleLabel([][]float64{{1, 2}, {1}}, []int{0, 0}); return err }},
		{"items", "scores of 1 items, classes of 2", func() error { _, err := SingleLabel([][]float64{{1, 2}}, []int{0, 0}); return err }},
		{"class", "item 0 is of class 2, want 0 to 1", func() error { _, err := Accuracy.Prepare([][]float64{{1, 2}}, []int{2}); return err }},
		{"negative class", "class -1", func() error { _, err := ClassMacroF1.Prepare([][]float64{{1, 2}}, []int{-1}); return err }},
		{"no targets", "no targets", func() error { _, err := Regression(nil, nil); return err }},
		{"no predictions", "no predictions", func() error { _, err := PrepareR2(nil, [][]float64{{1}}); return err }},
		{"shapes", "predictions are [1][2], targets [1][1]", func() error { _, err := Regression([][]float64{{1, 2}}, [][]float64{{1}}); return err }},
		{"NaN", "targets: item 0, column 0 is NaN", func() error { _, err := Regression([][]float64{{1}}, [][]float64{{nan}}); return err }},
		{"overflow", "squares are not finite", func() error { _, err := Regression([][]float64{{1e300}, {0}}, [][]float64{{-1e300}, {0}}); return err }},
		{"overflow when drawn", "squares are not finite", func() error {
			_, err := PrepareR2([][]float64{{1}, {0}}, [][]float64{{1.5e308}, {-1.5e308}})
			return err
		}},
	} {
		if err := c.err(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want ErrInvalid with %q", c.name, err, c.want)
		}
	}
}

// TestCountedStatisticsEqualTheirDefinition compares with the metrics on rows that are really repeated.
func TestCountedStatisticsEqualTheirDefinition(t *testing.T) {
	scores, labels := random(22, 30, 4)
	r := rand.New(rand.NewPCG(5, 5))
	classes, targets := make([]int, 30), make([][]float64, 30)
	for i, row := range scores {
		classes[i] = r.IntN(3)
		for k, s := range row {
			targets[i] = append(targets[i], 50+s+r.NormFloat64())
			if k == 3 && i > 0 {
				targets[i][3] = 50 // constant in the draws without the first item
			}
		}
	}
	must := func(f func([]int) float64, err error) func([]int) float64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, c := range []struct {
		name       string
		counted    func(counts []int) float64
		definition func(rows []int) (float64, error)
	}{
		{"macro F1", F1Statistic{Macro, 0.5}.Prepare(scores, labels), func(rows []int) (float64, error) {
			f, err := F1(pick(scores, rows), pick(labels, rows), 0.5)
			return f.Macro, err
		}},
		{"micro F1", F1Statistic{Micro, 0.5}.Prepare(scores, labels), func(rows []int) (float64, error) {
			f, err := F1(pick(scores, rows), pick(labels, rows), 0.5)
			return f.Micro, err
		}},
		{"accuracy", must(Accuracy.Prepare(scores, classes)), func(rows []int) (float64, error) {
			c, err := SingleLabel(pick(scores, rows), pick(classes, rows))
			return c.Accuracy, err
		}},
		{"macro F1 of classes", must(ClassMacroF1.Prepare(scores, classes)), func(rows []int) (float64, error) {
			c, err := SingleLabel(pick(scores, rows), pick(classes, rows))
			return c.F1.Macro, err
		}},
		{"R2", must(PrepareR2(scores, targets)), func(rows []int) (float64, error) {
			c, err := Regression(pick(scores, rows), pick(targets, rows))
			return c.R2.Mean, err
		}},
	} {
		for draw := range 50 {
			counts, rows := make([]int, 30), make([]int, 0, 30)
			for range counts {
				counts[r.IntN(30)]++
			}
			if draw == 0 {
				counts = slices.Repeat([]int{1}, 30)
			}
			for i, n := range counts {
				for range n {
					rows = append(rows, i)
				}
			}
			want, err := c.definition(rows)
			if err != nil {
				t.Fatal(err)
			}
			scale := max(1, math.Abs(want)) // R2 is below -1 where the targets hardly vary
			checkClose(t, c.name, c.counted(counts)/scale, want/scale)
		}
	}
}

func pick[T any](all []T, rows []int) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = all[r]
	}
	return out
}

// TestSortKeys sorts what random bits and few levels give, with both signs of zero, beside the comparison sort.
func TestSortKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	var scratch []uint64
	for _, n := range []int{0, 1, few - 1, few, 3000} {
		for kind := range 4 {
			values, keys := make([]float64, n), make([]uint64, n)
			for i := range values {
				switch kind {
				case 0:
					values[i] = r.NormFloat64() * math.Exp(500*r.NormFloat64()/3)
				case 1:
					values[i] = float64(float32(r.NormFloat64()))
				case 2:
					values[i] = float64(r.IntN(3) - 1)
				}
				if math.IsInf(values[i], 0) {
					values[i] = math.MaxFloat64
				}
				keys[i] = key(values[i])
			}
			slices.Sort(values)
			keys, scratch = sortKeys(keys, scratch)
			for i, v := range values {
				if keys[i] != key(v) {
					t.Fatalf("%d values of kind %d: place %d is not that of %v", n, kind, i, v)
				}
			}
		}
	}
	if key(math.Copysign(0, -1)) != key(0) || key(-math.SmallestNonzeroFloat64) >= key(0) || key(0) >= key(math.SmallestNonzeroFloat64) {
		t.Error("the zeros are not equal, or not between the smallest numbers")
	}
}
