package probe

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"syncretic/probe/metric"
)

func TestFitAndScore(t *testing.T) {
	train, valid, test := toy(1, 40, 3, 6)
	cfg := smallMLP()
	cfg.Epochs = 5
	eval, err := FitAndScore(context.Background(), train, valid, test, cfg, []uint64{5, 6, 7})
	if err != nil {
		t.Fatal(err)
	}
	if len(eval.Runs) != 3 || len(eval.Heads) != 3 || eval.Config.Seed != 5 {
		t.Fatalf("%d runs, %d heads, first seed %d", len(eval.Runs), len(eval.Heads), eval.Config.Seed)
	}
	var mean, square float64
	for i, run := range eval.Runs {
		if run.Seed != uint64(5+i) || run.Test.Items != len(test.Labels) || run.Valid.Items != len(valid.Labels) {
			t.Errorf("run %d: %+v", i, run)
		}
		mean += run.Test.ROCAUC.Macro / 3
	}
	for _, run := range eval.Runs {
		square += (run.Test.ROCAUC.Macro - mean) * (run.Test.ROCAUC.Macro - mean)
	}
	const tolerance = 1e-12
	if got := eval.Test.ROCAUC; math.Abs(*got.Mean-mean) > tolerance || math.Abs(got.SD-math.Sqrt(square/2)) > tolerance {
		t.Errorf("test ROC-AUC %v ± %v, want %v ± %v", *got.Mean, got.SD, mean, math.Sqrt(square/2))
	}
	var want float64
	for _, head := range eval.Heads {
		scores, err := head.Scores(test.Features)
		if err != nil {
			t.Fatal(err)
		}
		want += scores[2][1] / 3
	}
	if math.Abs(eval.TestScores[2][1]-want) > tolerance || len(eval.TestScores) != len(eval.TestLabels) {
		t.Errorf("mean score %v, want %v", eval.TestScores[2][1], want)
	}
	if _, err := metric.PairedBootstrap(eval.TestLabels, eval.TestScores, eval.TestScores, metric.MacroROCAUC, 10, 1); err != nil {
		t.Errorf("the scores do not fit the bootstrap: %v", err)
	}
}

// TestTestLabelsChangeNothingButTheTest scores against other test labels: heads, choices and validation results must stay.
func TestTestLabelsChangeNothingButTheTest(t *testing.T) {
	train, valid, test := toy(2, 40, 2, 5)
	flipped := test
	flipped.Labels = nil
	for _, row := range test.Labels {
		flipped.Labels = append(flipped.Labels, []bool{!row[0], !row[1]})
	}
	for _, cfg := range []HeadConfig{logisticHead(1, 10, 100), smallMLP()} {
		cfg.Threshold = 0
		a, err := FitAndScore(context.Background(), train, valid, test, cfg, []uint64{1})
		if err != nil {
			t.Fatal(err)
		}
		b, err := FitAndScore(context.Background(), train, valid, flipped, cfg, []uint64{1})
		if err != nil {
			t.Fatal(err)
		}
		one, _ := json.Marshal([]any{a.Runs[0].Chosen, a.Runs[0].Valid, a.TestScores})
		two, _ := json.Marshal([]any{b.Runs[0].Chosen, b.Runs[0].Valid, b.TestScores})
		if string(one) != string(two) {
			t.Errorf("%s: choices depend on test labels:\n%s\n%s", cfg.Kind, one, two)
		}
		if math.Abs(*a.Test.ROCAUC.Mean+*b.Test.ROCAUC.Mean-1) > 1e-12 {
			t.Errorf("%s: test ROC-AUC %v, with flipped labels %v", cfg.Kind, *a.Test.ROCAUC.Mean, *b.Test.ROCAUC.Mean)
		}
	}
}

func TestFitAndScoreLogisticRunsOnce(t *testing.T) {
	train, valid, test := toy(3, 30, 2, 4)
	eval, err := FitAndScore(context.Background(), train, valid, test, logisticHead(1), []uint64{4, 5, 6})
	if err != nil {
		t.Fatal(err)
	}
	if len(eval.Runs) != 1 || eval.Test.ROCAUC.SD != 0 || eval.Runs[0].Seed != 4 {
		t.Errorf("%d runs, spread %v, want one run without spread", len(eval.Runs), eval.Test.ROCAUC.SD)
	}
}

func TestFitAndScoreRefuses(t *testing.T) {
	train, valid, test := toy(4, 20, 2, 3)
	leak := test
	leak.Features = &Features{Layers: 2, Dim: 3, Items: append([]int{valid.Features.Items[0]}, test.Features.Items[1:]...), Values: test.Features.Values}
	narrow := test
	narrow.Features = &Features{Layers: 1, Dim: 6, Items: test.Features.Items, Values: test.Features.Values}
	unlabelled := test
	unlabelled.Labels = nil
	for _, c := range []struct {
		name  string
		test  Split
		seeds []uint64
		is    error
		want  string
	}{
		{"no seeds", test, nil, ErrConfig, "no seeds"},
		{"valid as test", valid, []uint64{1}, ErrInvalid, `got split "valid", want "test"`},
		{"an item of valid", leak, []uint64{1}, ErrInvalid, `is in splits "valid" and "test"`},
		{"other features", narrow, []uint64{1}, ErrInvalid, `of "test" [1][6]`},
		{"no labels", unlabelled, []uint64{1}, ErrInvalid, "labels of 0 items"},
	} {
		_, err := FitAndScore(context.Background(), train, valid, c.test, logisticHead(1), c.seeds)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %v with %s", c.name, err, c.is, c.want)
		}
	}
}

// TestEvaluationJSON checks a test split on which ROC-AUC is undefined: null, never NaN.
func TestEvaluationJSON(t *testing.T) {
	train, valid, test := toy(5, 20, 2, 3)
	for i := range test.Labels {
		test.Labels[i] = []bool{true, false}
	}
	eval, err := FitAndScore(context.Background(), train, valid, test, logisticHead(1), []uint64{1})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(eval)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), `"test":{"roc_auc":{"mean":null,"sd":0}`) || strings.Contains(string(doc), "NaN") {
		t.Errorf("got %s", doc)
	}
	var back Evaluation
	if err := json.Unmarshal(doc, &back); err != nil || back.Test.ROCAUC.Mean != nil || back.Valid.ROCAUC.Mean == nil {
		t.Errorf("read back %+v, %v", back, err)
	}
}
