package main

import (
	"math"
	"strings"
	"testing"
)

// tasks writes what a model and a worse one say of twelve items, four recordings of three crops.
func (w workshop) tasks() {
	var good, bad, labels, classes, values, targets, groups [][]float64
	for i := range 12 {
		k, x := i%3, float64(i)
		row := []float64{0.2, 0.2 + x/100, 0.2}
		if i != 4 {
			row[k] = 0.7
		}
		good, bad = append(good, row), append(bad, []float64{0.5, math.Mod(7*x, 5) / 5, 0.1})
		one := []float64{0, 0, 0}
		one[k] = 1
		labels, classes = append(labels, one), append(classes, []float64{float64(k)})
		values, targets = append(values, []float64{x + 0.5}), append(targets, []float64{x})
		groups = append(groups, []float64{float64(i / 3)})
	}
	w.npy("good.npy", good, false)
	w.npy("bad.npy", bad, false)
	w.npy("tags.npy", labels, true)
	w.npy("classes.npy", classes, true)
	w.npy("values.npy", values, false)
	w.npy("targets.npy", targets, false)
	w.npy("groups.npy", groups, true)
}

func TestProbeScoreSingle(t *testing.T) {
	w := newWorkshop(t)
	w.tasks()
	got := w.result("probe score --task single --scores good.npy --labels classes.npy")
	if got["task"] != "single" || got["classes"] != 3.0 || got["accuracy"] != 1.0 {
		t.Errorf("got %v, want an accuracy of 1 in 3 classes", got)
	}
	if one := w.result("probe score --task single --scores good.npy --labels tags.npy"); one["accuracy"] != 1.0 {
		t.Errorf("one-hot labels: %v", one)
	}
	got = w.result("probe score --task single --scores good.npy --labels classes.npy --against bad.npy --replicates 500")
	against := got["against"].(map[string]any)
	d := against["differences"].(map[string]any)["accuracy"].(map[string]any)
	if p := d["permutation_test"].(map[string]any)["p"].(float64); !(d["difference"].(float64) > 0.4 && d["low"].(float64) > 0 && p < 0.05) {
		t.Errorf("difference %v, want a clear one", d)
	}
	if against["result"].(map[string]any)["accuracy"].(float64) >= 0.6 || against["scores"] != "bad.npy" {
		t.Errorf("the other's result %v", against)
	}
	if text := w.succeed("probe score --task single --scores good.npy --labels classes.npy").stdout; text != "12 items, 3 classes\naccuracy  1.0000\nF1        macro 1.0000  (0 classes left out)\n" {
		t.Errorf("text %q", text)
	}
}

func TestProbeScoreRegression(t *testing.T) {
	w := newWorkshop(t)
	w.tasks()
	got := w.result("probe score --task regression --scores values.npy --labels targets.npy --interval=bca --seed 3")
	// Twelve errors of 0.5 against Σ (i - 5.5)² = 143.
	if r := got["r2"].(map[string]any)["mean"].(float64); math.Abs(r-(1-3.0/143)) > 1e-12 {
		t.Errorf("R2 %v, want 1 - 3/143", r)
	}
	e := got["intervals"].(map[string]any)["r2"].(map[string]any)
	if low, high := e["low"].(float64), e["high"].(float64); !(low < e["value"].(float64) && e["value"].(float64) < high) || e["replicates"] != 2000.0 {
		t.Errorf("interval %v", e)
	}
	if text := w.succeed("probe score --task regression --scores values.npy --labels targets.npy").stdout; text != "12 items, 1 outputs\nR2  mean 0.9790  0.9790\n" {
		t.Errorf("text %q", text)
	}
}

func TestProbeScoreIntervals(t *testing.T) {
	w := newWorkshop(t)
	w.tasks()
	const line = "probe score --scores good.npy --labels tags.npy --interval --against bad.npy"
	got := w.result(line)
	for _, key := range []string{"roc_auc_macro", "average_precision_macro", "f1_macro", "f1_micro"} {
		e, ok := got["intervals"].(map[string]any)[key].(map[string]any)
		d, also := got["against"].(map[string]any)["differences"].(map[string]any)[key].(map[string]any)
		if !ok || !also || !(e["low"].(float64) <= e["value"].(float64) && e["value"].(float64) <= e["high"].(float64)) || d["difference"].(float64) <= 0 {
			t.Errorf("%s: interval %v, difference %v", key, e, d)
		}
	}
	if got["roc_auc"] == nil || got["f1"] == nil || got["task"] != "multilabel" {
		t.Errorf("the metrics themselves: %v", got)
	}
	one := w.succeed(line + " --threads 1 --json").stdout
	if two := w.succeed(line + " --threads 2 --json").stdout; one != two {
		t.Error("the result depends on the number of threads")
	}
	test := w.result(line + " --groups groups.npy")["against"].(map[string]any)["differences"].(map[string]any)["f1_macro"].(map[string]any)["permutation_test"].(map[string]any)
	if test["exact"] != true || test["replicates"] != 16.0 {
		t.Errorf("test on four recordings %v, want all 16 exchanges", test)
	}
	text := w.succeed(line).stdout
	if !strings.Contains(text, "95 % interval\nROC-AUC macro") || !strings.Contains(text, "against bad.npy") || !strings.Contains(text, "F1 micro") {
		t.Errorf("text %q", text)
	}
	// Without positives nothing can be drawn, and nothing is said of it.
	w.arrays()
	if none := w.result("probe score --scores scores.npy --labels none.npy --interval"); none["intervals"].(map[string]any)["roc_auc_macro"] != nil {
		t.Errorf("interval of what is undefined: %v", none["intervals"])
	}
}

func TestProbeScoreTaskRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.tasks()
	w.arrays()
	const help = "probe score --help"
	const both = "probe score --scores good.npy --labels tags.npy "
	w.refuse([]refusal{
		{"task", both + "--task tagging", exitUsage, "--task tagging: want multilabel, single or regression", help},
		{"interval", both + "--interval=normal", exitUsage, "--interval=normal: want percentile or bca", help},
		{"replicates", both + "--interval --replicates 1", exitUsage, "--replicates 1: want 2 to 1000000", help},
		{"seed of nothing", both + "--seed 3", exitUsage, "of --interval and --against", help},
		{"threshold of classes", both + "--task single --threshold 1", exitUsage, "--threshold is of --task multilabel", help},
		{"groups", both + "--interval --groups none.npy", exitInput, "none.npy: invalid probe input: shape (4, 2), want one number an item", ""},
		{"groups of others", "probe score --scores scores.npy --labels labels.npy --interval --groups groups.npy", exitInput, "groups of 12 items, labels.npy of 4", ""},
		{"the other's items", both + "--against scores.npy", exitInput, "scores.npy, tags.npy: invalid scores or labels: scores of 4 items, labels of 12", ""},
		{"the other's outputs", "probe score --task single --scores good.npy --labels classes.npy --against values.npy", exitInput, "values.npy", ""},
		{"two classes", "probe score --task single --scores scores.npy --labels nan.npy", exitInput, "label is 0.1, want 0 or 1", ""},
		{"class without a score", "probe score --task single --scores values.npy --labels classes.npy", exitInput, "item 1 is of class 1, want 0 to 0", ""},
		{"shapes", "probe score --task regression --scores good.npy --labels targets.npy", exitInput, "predictions are [12][3], targets [12][1]", ""},
	})
}
