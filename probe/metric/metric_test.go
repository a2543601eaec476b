package metric

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	perfectScores = [][]float64{{0.9, 0.1}, {0.2, 0.8}, {0.7, 0.6}}
	perfectLabels = [][]bool{{true, false}, {false, true}, {true, true}}
)

func TestPerfect(t *testing.T) {
	got, err := MultiLabel(perfectScores, perfectLabels, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]float64{
		"roc_auc macro": got.ROCAUC.Macro, "roc_auc micro": got.ROCAUC.Micro,
		"ap macro": got.AveragePrecision.Macro, "ap micro": got.AveragePrecision.Micro,
		"f1 macro": got.F1.Macro, "f1 micro": got.F1.Micro,
	} {
		if v != 1 {
			t.Errorf("%s is %v, want 1", name, v)
		}
	}
}

func TestReversedScoresGiveZeroAUC(t *testing.T) {
	scores := [][]float64{{-0.9, -0.1}, {-0.2, -0.8}, {-0.7, -0.6}}
	got, err := ROCAUC(scores, perfectLabels)
	if err != nil || got.Macro != 0 || got.Micro != 0 {
		t.Errorf("got %v %v %v, want 0 0 nil", got.Macro, got.Micro, err)
	}
}

func TestMalformed(t *testing.T) {
	for _, c := range []struct {
		name   string
		scores [][]float64
		labels [][]bool
		want   string
	}{
		{"empty", nil, nil, "no items"},
		{"no tags", [][]float64{{}}, [][]bool{{}}, "no tags"},
		{"counts differ", [][]float64{{1}}, [][]bool{{true}, {false}}, "scores of 1 items, labels of 2"},
		{"ragged scores", [][]float64{{1, 2}, {1}}, [][]bool{{true, true}, {true, false}}, "item 1 has scores for 1 tags, want 2"},
		{"ragged labels", [][]float64{{1, 2}, {1, 2}}, [][]bool{{true, true}, {true}}, "item 1 has labels for 1 tags, want 2"},
		{"NaN", [][]float64{{1, math.NaN()}}, [][]bool{{true, true}}, "item 0, tag 1: score is NaN"},
		{"infinite", [][]float64{{math.Inf(-1)}}, [][]bool{{true}}, "item 0, tag 0: score is -Inf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, errMulti := MultiLabel(c.scores, c.labels, 0.5)
			_, errAUC := ROCAUC(c.scores, c.labels)
			_, errAP := AveragePrecision(c.scores, c.labels)
			_, errF1 := F1(c.scores, c.labels, 0.5)
			_, _, errBest := BestThreshold(c.scores, c.labels, Macro)
			_, errBoot := PairedBootstrap(c.labels, c.scores, c.scores, MacroROCAUC, 10, 1)
			for _, err := range []error{errMulti, errAUC, errAP, errF1, errBest, errBoot} {
				if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want ErrInvalid with %q", err, c.want)
				}
			}
		})
	}
	if _, err := F1(perfectScores, perfectLabels, math.NaN()); !errors.Is(err, ErrInvalid) {
		t.Errorf("threshold NaN: got %v", err)
	}
	if _, _, err := BestThreshold(perfectScores, perfectLabels, 7); !errors.Is(err, ErrInvalid) {
		t.Errorf("average 7: got %v", err)
	}
}

// TestMonotone checks that ranking metrics see nothing but the order of scores.
func TestMonotone(t *testing.T) {
	scores, labels := random(1, 40, 5)
	moved := make([][]float64, len(scores))
	for i, row := range scores {
		for _, s := range row {
			moved[i] = append(moved[i], math.Exp(3*s)-7)
		}
	}
	for name, f := range map[string]func([][]float64, [][]bool) (Summary, error){"ROCAUC": ROCAUC, "AveragePrecision": AveragePrecision} {
		a, errA := f(scores, labels)
		b, errB := f(moved, labels)
		if errA != nil || errB != nil || a.Macro != b.Macro || a.Micro != b.Micro {
			t.Errorf("%s: %v %v, then %v %v", name, a, errA, b, errB)
		}
	}
}

// TestAUCCountsPairs compares with the definition, in O(n²).
func TestAUCCountsPairs(t *testing.T) {
	scores, labels := random(2, 60, 3)
	for _, row := range scores {
		for j, s := range row {
			row[j] = math.Round(2 * s)
		}
	}
	got, err := ROCAUC(scores, labels)
	if err != nil {
		t.Fatal(err)
	}
	for tag := range 3 {
		var wins, pairs float64
		for i, a := range labels {
			for j, b := range labels {
				if !a[tag] || b[tag] {
					continue
				}
				pairs++
				switch p, n := scores[i][tag], scores[j][tag]; {
				case p > n:
					wins++
				case p == n:
					wins += 0.5
				}
			}
		}
		checkClose(t, "auc", got.PerTag[tag], wins/pairs)
	}
}

// TestComplement checks AUC(labels, s) = 1 - AUC(not labels, s).
func TestComplement(t *testing.T) {
	scores, labels := random(3, 50, 4)
	flipped := make([][]bool, len(labels))
	for i, row := range labels {
		for _, v := range row {
			flipped[i] = append(flipped[i], !v)
		}
	}
	a, errA := ROCAUC(scores, labels)
	b, errB := ROCAUC(scores, flipped)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	checkClose(t, "macro", a.Macro, 1-b.Macro)
	checkClose(t, "micro", a.Micro, 1-b.Micro)
}

func TestInputIsUnchanged(t *testing.T) {
	scores, labels := random(4, 30, 3)
	before, _ := json.Marshal([]any{scores, labels})
	if _, err := MultiLabel(scores, labels, 0.2); err != nil {
		t.Fatal(err)
	}
	if _, err := PairedBootstrap(labels, scores, scores, MacroROCAUC, 20, 1); err != nil {
		t.Fatal(err)
	}
	if after, _ := json.Marshal([]any{scores, labels}); string(after) != string(before) {
		t.Error("scores or labels were changed")
	}
}

func TestAbsentClasses(t *testing.T) {
	scores := [][]float64{{0.1, 0.2, 0.9}, {0.3, 0.4, 0.1}, {0.5, 0.6, 0.8}}
	labels := [][]bool{{false, true, true}, {false, true, false}, {false, true, true}}
	got, err := MultiLabel(scores, labels, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	if got.WithoutPositives != 1 || got.WithoutNegatives != 1 || got.ROCAUC.LeftOut != 2 || got.AveragePrecision.LeftOut != 0 {
		t.Errorf("counts %d %d %d %d, want 1 1 2 0", got.WithoutPositives, got.WithoutNegatives, got.ROCAUC.LeftOut, got.AveragePrecision.LeftOut)
	}
	if got.ROCAUC.Macro != 1 || !math.IsNaN(got.ROCAUC.PerTag[0]) || !math.IsNaN(got.ROCAUC.PerTag[1]) {
		t.Errorf("roc_auc %+v", got.ROCAUC)
	}
	if want := (0.0 + 1 + 1) / 3; got.AveragePrecision.Macro != want {
		t.Errorf("average precision %v, want %v", got.AveragePrecision.Macro, want)
	}
}

func TestJSON(t *testing.T) {
	got, err := MultiLabel([][]float64{{0.9, 0.1}, {0.2, 0.8}}, [][]bool{{true, false}, {false, false}}, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"items":2,"tags":2,` +
		`"roc_auc":{"macro":1,"micro":1,"per_tag":[1,null],"left_out":1},` +
		`"average_precision":{"macro":0.5,"micro":1,"per_tag":[1,0],"left_out":0},` +
		`"f1":{"macro":0.5,"micro":0.6666666666666666,"per_tag":[1,0],"threshold":0.5},` +
		`"tags_without_positives":1,"tags_without_negatives":0}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
	var back Result
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(back.ROCAUC.PerTag[1]) || back.ROCAUC.PerTag[0] != 1 || back.F1.Macro != 0.5 {
		t.Errorf("read back %+v", back)
	}
	if err := json.Unmarshal([]byte(`{"roc_auc": 3}`), &back); err == nil {
		t.Error("a number in place of a summary: no error")
	}
	undefined, err := ROCAUC([][]float64{{1}}, [][]bool{{true}})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := json.Marshal(undefined); err != nil || string(data) != `{"macro":null,"micro":null,"per_tag":[null],"left_out":1}` {
		t.Errorf("got %s, %v", data, err)
	}
}

// random returns scores with some skill, and labels with about a third positive.
func random(seed uint64, items, tags int) ([][]float64, [][]bool) {
	r := rand.New(rand.NewPCG(seed, 0))
	scores, labels := make([][]float64, items), make([][]bool, items)
	for i := range scores {
		for range tags {
			positive := r.Float64() < 0.3
			s := r.NormFloat64()
			if positive {
				s++
			}
			scores[i], labels[i] = append(scores[i], s), append(labels[i], positive)
		}
	}
	return scores, labels
}
