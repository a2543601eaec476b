package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sweepTrial is what the tests read of a line of trials.jsonl.
type sweepTrial struct {
	State  string
	Part   float64
	Values []float64
	Recipe string
	Choice struct {
		Method  string
		Lambdas map[string]float64
		Params  map[string]float64
	}
	Params map[string]float64
}

// sweepTrials are the trials of out/study.db.
func (w workshop) sweepTrials() (all []sweepTrial) {
	w.t.Helper()
	w.succeed("sweep trials out/study.db out/trials.jsonl --force --quiet")
	for line := range strings.Lines(w.read("out/trials.jsonl")) {
		var t sweepTrial
		w.must(json.Unmarshal([]byte(line), &t))
		all = append(all, t)
	}
	return all
}

// winner is the trial that a test's record names.
func winner(t *testing.T, record map[string]any, trials []sweepTrial) sweepTrial {
	t.Helper()
	n := int(record["selection"].(map[string]any)["trial"].(float64))
	if n < 0 || n >= len(trials) {
		t.Fatalf("the winner is trial %d of %d", n, len(trials))
	}
	return trials[n]
}

// TestSweepByLoss chooses without labels: by the masked-prediction loss, with the same heads on every merge.
func TestSweepByLoss(t *testing.T) {
	w := newWorkshop(t)
	w.pair()
	const config = `
base: base
vectors: {makam: makam}
lambda: {values: [0, 0.5, 1]}
masked_loss: {recipe: adapt.yml, heads: makam, corpora: [{name: low, manifest: low.csv}]}
study: out/study.db
`
	w.write("sweep.yml", config)
	got := w.result("sweep run sweep.yml")
	trials := w.sweepTrials()
	if best := winner(t, got, trials); best.Choice.Lambdas["makam"] == 0 || len(trials) != 3 || trials[0].Values[0] <= best.Values[0] {
		t.Errorf("winner %+v of %+v, want a smaller loss than the base's", best, trials)
	}
	loss := func(model string) float64 {
		return got["scores"].(map[string]any)[model].(map[string]any)["losses"].(map[string]any)["low"].(map[string]any)["value"].(float64)
	}
	if loss("winner") >= loss("base") || loss("base") != trials[0].Values[0] {
		t.Errorf("losses: winner %v, base %v", loss("winner"), loss("base"))
	}
	measured := evalScores(t, w.result("adapt eval base low --recipe adapt.yml --heads makam"))["base low"]
	if measured["total"] != loss("base") {
		t.Errorf("the sweep's loss of the base is %v, adapt eval's %v", loss("base"), measured["total"])
	}
	if text := w.succeed("sweep run sweep.yml --quiet").stdout; !strings.Contains(text, "loss low ") {
		t.Errorf("text %q", text)
	}
	if page := w.result("sweep report out/study.db out/study.html"); page["trials"] != 3.0 {
		t.Errorf("report %v", page)
	}
	w.write("heads.yml", strings.Replace(config, "heads: makam", "heads: start", 1))
	w.write("halving.yml", config+"halving: {parts: [0.5]}\n")
	w.must(os.CopyFS("kept", os.DirFS("makam")))
	w.must(os.WriteFile("makam/heads.safetensors", []byte(w.read("start/heads.safetensors")), 0o666))
	w.refuse([]refusal{
		{"other heads", "sweep run heads.yml", exitUsage, "masked_loss.heads", "name another study"},
		{"the same path, other heads", "sweep run sweep.yml", exitUsage, "inputs.heads", "name another study"},
		{"halving of what has no parts", "sweep run halving.yml", exitUsage, "always measured in full", "mend the configuration"},
	})
}

// TestSweepHalving gives trials up after a part of the recordings; only one that was measured in full can win.
func TestSweepHalving(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.write("sweep.yml", strings.Replace(sweepConfig, "[0.2, 0.5]", "[0, 0.2, 0.4, 0.6, 0.8, 1]", 1)+"halving: {parts: [0.75], eta: 2}\n")
	w.write("small.yml", strings.Replace(w.read("sweep.yml"), "0.75", "0.1", 1))
	w.refuse([]refusal{{"a part of one item", "sweep run small.yml", exitUsage, `0.1 of dataset "tones" are 1 train items`, "mend the configuration"}})
	got := w.result("sweep run sweep.yml")
	trials := w.sweepTrials()
	pruned := 0
	for i, trial := range trials {
		switch {
		case trial.State == "PRUNED":
			pruned++
			if trial.Part != 0.75 || len(trial.Values) > 0 {
				t.Errorf("trial %d was given up with %+v", i, trial)
			}
		case trial.State != "COMPLETE" || trial.Part != 1:
			t.Errorf("trial %d: %+v", i, trial)
		}
	}
	if pruned == 0 || pruned == len(trials) {
		t.Errorf("%d of %d trials were given up: this test shows nothing", pruned, len(trials))
	}
	if best := winner(t, got, trials); best.State != "COMPLETE" {
		t.Errorf("the winner was given up: %+v", best)
	}
	if status := w.result("sweep status out/study.db"); status["done"] != 6.0 || status["states"].(map[string]any)["PRUNED"] != float64(pruned) {
		t.Errorf("status %v", status)
	}
	w.succeed("sweep report out/study.db out/study.html --quiet")
}

// TestSweepFront: NSGA-II keeps two values a trial; the rule chooses one point of the front.
func TestSweepFront(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.write("sweep.yml", sweepConfig+"sampler: {kind: nsga2, trials: 6, population: 3}\n")
	got := w.result("sweep run sweep.yml")
	trials := w.sweepTrials()
	for i, trial := range trials {
		if trial.State != "COMPLETE" || len(trial.Values) != 2 {
			t.Errorf("trial %d: %+v", i, trial)
		}
	}
	if len(trials) != 6 || got["scores"] == nil {
		t.Errorf("%d trials, result %v", len(trials), got)
	}
	w.succeed("sweep report out/study.db out/study.html --quiet")
	if html := w.read("out/study.html"); !strings.Contains(html, "Western") {
		t.Error("the report shows no front")
	}
	w.write("alone.yml", strings.Replace(sweepConfig, ", western: true", "", 1)+"sampler: {kind: nsga2, trials: 6}\n")
	w.refuse([]refusal{{"a front without Western data", "sweep run alone.yml", exitUsage, "no western dataset", "mend the configuration"}})
}

// TestSweepMethods: parameters exist where their method does, and the winner is shown beside the expert and the multi-culture model.
func TestSweepMethods(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.write("sweep.yml", strings.Replace(sweepConfig, "[0.2, 0.5]", "[0.5]", 1)+`
method: [task_arithmetic, ties]
parameters: {ties: {density: [0.5, 1], normalize: true}}
experts: {tones: tuned}
multi: tuned
name: methods
`)
	if text := w.succeed("sweep run sweep.yml --create --quiet").stdout; !strings.Contains(text, "3 trials to do") || !strings.Contains(text, "sweep work out/study.db --name methods") {
		t.Errorf("text %q", text)
	}
	got := w.result("sweep run sweep.yml")
	var seen []string
	for _, trial := range w.sweepTrials() {
		density, has := trial.Params["ties.density"]
		if has != (trial.Choice.Method == "ties") || !strings.Contains(trial.Recipe, "merge_method: "+trial.Choice.Method) {
			t.Errorf("trial %+v", trial)
		}
		seen = append(seen, fmt.Sprint(trial.Choice.Method, " ", density, " ", trial.Choice.Params["normalize"]))
	}
	if got, want := strings.Join(seen, ", "), "task_arithmetic 0 0, ties 0.5 1, ties 1 1"; got != want {
		t.Errorf("trials %s, want %s", got, want)
	}
	var others []string
	for _, o := range got["scores"].(map[string]any)["others"].([]any) {
		others = append(others, o.(map[string]any)["model"].(string))
	}
	if len(others) != 2 || others[0] != "expert tuned" || others[1] != "multi" || got["selection"].(map[string]any)["normalised"] != true {
		t.Errorf("tested beside %q: %v", others, got["selection"])
	}
	w.succeed("sweep report out/study.db out/study.html --quiet")
	html := w.read("out/study.html")
	for _, want := range []string{"multi-culture", "expert tuned", "sha-256 of multi", "ties.density", "sweep work out/study.db --name methods"} {
		if !strings.Contains(html, want) {
			t.Errorf("the report has no %q", want)
		}
	}
	if strings.Contains(html, "Without the interference") {
		t.Error("the models are there, and the report is without their interference")
	}
}

// TestSweepGroups: a coefficient a group of layers, in the model that is scored and in the recipe alike.
func TestSweepGroups(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	config := strings.Replace(sweepConfig, "{values: [0.2, 0.5]}", "{mode: per-group, values: [0, 1]}", 1)
	w.write("sweep.yml", config+"groups: [{name: layers, filters: [encoder.layers]}, {name: rest}]\n")
	w.write("unnamed.yml", config)
	w.succeed("sweep run sweep.yml --quiet")
	trials := w.sweepTrials()
	if len(trials) != 4 || trials[2].Params["lambda.layers"] != 1 || trials[2].Params["lambda.rest"] != 0 {
		t.Fatalf("trials %+v", trials)
	}
	w.write("layers.yml", trials[2].Recipe)
	w.succeed("merge layers.yml out/layers --quiet")
	base, tuned, merged := w.weights("base"), w.weights("tuned"), w.weights("out/layers")
	for name, values := range merged {
		want := base[name]
		if strings.Contains(name, "encoder.layers") {
			want = tuned[name]
		}
		for i, v := range values {
			if math.Abs(float64(v-want[i])) > 1e-6 {
				t.Fatalf("%s[%d] is %v, want %v", name, i, v, want[i])
			}
		}
	}
	w.refuse([]refusal{{"groups that the model does not have", "sweep run unnamed.yml", exitUsage, `no group "`, "mend the configuration"}})
}

// TestSweepDirectory: a worker of another machine finds the inputs elsewhere, and refuses them where they are others.
func TestSweepDirectory(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.succeed("sweep run sweep.yml --create --quiet")
	inputs, err := filepath.Glob("*")
	w.must(err)
	w.must(os.Mkdir("there", 0o777))
	for _, name := range inputs {
		if name != "out" {
			w.must(os.Rename(name, filepath.Join("there", name)))
		}
	}
	w.refuse([]refusal{{"inputs that are gone", "sweep work out/study.db", exitInput, "base: no such file or directory", "spelling"}})
	if got := w.result("sweep work out/study.db --directory there"); got["scores"] == nil || w.scored("out/study.db") != 2 {
		t.Errorf("result %v", got)
	}
	if o := w.succeed("sweep report out/study.db out/study.html"); !strings.Contains(o.stderr, "without the interference") {
		t.Errorf("a report whose models have moved says nothing: %q", o.stderr)
	}
}
