package main

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/audio"
	"syncretic/sweep"
)

// sweepConfig is a search over two values of lambda; tests replace parts of it.
const sweepConfig = `
base: base
vectors: {tuned: tau.safetensors}
lambda: {values: [0.2, 0.5]}
study: out/study.db
seed: 3
probe:
  window: 0
  datasets:
    - {name: tones, manifest: low.csv}
    - {name: chimes, manifest: high.csv, western: true}
`

// gallery makes models, two corpora and the configuration sweep.yml.
func (w workshop) gallery() {
	w.t.Helper()
	w.models()
	w.corpus("low")
	w.corpus("high")
	w.write("sweep.yml", sweepConfig)
}

// scored counts the study's complete trials.
func (w workshop) scored(path string) (n int) {
	w.t.Helper()
	db, err := sql.Open("sqlite", path)
	w.must(err)
	defer db.Close()
	w.must(db.QueryRow("SELECT COUNT(*) FROM trials JOIN studies USING (study_id) WHERE state = 'COMPLETE' AND study_name = 'syncretic'").Scan(&n))
	return n
}

func TestSweep(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	before := w.contents()
	got := w.result("sweep run sweep.yml")
	w.unchanged(before, "out")
	selection, scores := got["selection"].(map[string]any), got["scores"].(map[string]any)
	if selection["candidates"] != 2.0 || selection["reason"] == "" || selection["lambdas"].(map[string]any)["tuned"] == nil {
		t.Errorf("selection %v, want one among 2 candidates", selection)
	}
	for _, model := range []string{"base", "winner"} {
		tasks := scores[model].(map[string]any)["tasks"].(map[string]any)
		if len(tasks) != 2 || tasks["tones"] == nil || tasks["chimes"] == nil {
			t.Errorf("%s: test scores %v, want those of tones and chimes", model, tasks)
		}
		if tags := tasks["tones"].(map[string]any)["tags"].(map[string]any); tags["low"] == nil || tags["high"] == nil {
			t.Errorf("%s: scores by tag %v", model, tags)
		}
	}
	if n := w.scored("out/study.db"); n != 2 {
		t.Errorf("%d scored trials, want two", n)
	}

	// Again: every trial is there and the test was made, so the same record comes back.
	o := w.succeed("sweep run sweep.yml --quiet")
	for _, want := range []string{"lambda ", "test tones ", "test chimes ", "study out/study.db"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("text without %q:\n%s", want, o.stdout)
		}
	}
	if again := w.result("sweep run sweep.yml"); again["time"] != got["time"] || w.scored("out/study.db") != 2 {
		t.Error("a second run tested or scored again")
	}

	page := w.result("sweep report out/study.db out/study.html --tensorboard out/events")
	if page["output"] != "out/study.html" || page["trials"] != 2.0 || page["selection"] == nil {
		t.Errorf("report result %v", page)
	}
	html := w.read("out/study.html")
	for _, want := range []string{"<!DOCTYPE html>", "ROC-AUC on test data", "Average precision on test data", "F1 on test data", "sha-256 of base", "sha-256 of vector tuned",
		"syncretic sweep work", "merge_method: task_arithmetic"} {
		if !strings.Contains(html, want) {
			t.Errorf("the report has no %q", want)
		}
	}
	if events, err := filepath.Glob("out/events/*tfevents*"); err != nil || len(events) != 1 {
		t.Errorf("event files %q, %v", events, err)
	}
	w.refuse([]refusal{
		{"report exists", "sweep report out/study.db out/study.html", exitExists, "out/study.html: file already exists", "--force replaces it"},
		{"report of another kind", "sweep report out/study.db out/study.pdf", exitUsage, "ends in .html", "sweep report --help"},
		{"report over the study", "sweep report out/study.html out/study.html --force", exitUsage, "is also an input", "sweep report --help"},
	})
}

// TestSweepTables: the trials for notebooks, and how the study stands.
func TestSweepTables(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.succeed("sweep run sweep.yml --quiet")
	for _, kind := range []string{"csv", "parquet", "jsonl"} {
		if r := w.result("sweep trials out/study.db out/trials." + kind); r["trials"] != 2.0 {
			t.Errorf("%s: %v", kind, r)
		}
	}
	rows := strings.Split(strings.TrimSpace(w.read("out/trials.csv")), "\n")
	if len(rows) != 3 || !strings.HasPrefix(rows[0], "number,state,method,lambda,value,western,violation,") || !strings.HasPrefix(rows[1], "0,COMPLETE,task_arithmetic,0.2,") ||
		!strings.Contains(rows[0], "tones.roc_auc") {
		t.Errorf("table %q", rows)
	}
	if text := w.read("out/trials.parquet"); !strings.HasPrefix(text, "PAR1") || !strings.HasSuffix(text, "PAR1") {
		t.Error("no Parquet file")
	}
	var trial struct {
		Recipe  string
		Seconds map[string]float64
		Scores  struct {
			Tasks map[string]struct {
				Tags      map[string]any
				Intervals map[string]any
			}
		}
	}
	w.must(json.Unmarshal([]byte(strings.SplitAfter(w.read("out/trials.jsonl"), "\n")[1]), &trial))
	if tones := trial.Scores.Tasks["tones"]; len(tones.Tags) != 2 || tones.Intervals["roc_auc"] == nil || trial.Seconds["merge"] <= 0 || trial.Seconds["extract"] <= 0 {
		t.Errorf("trial %+v", trial)
	}

	// The recipe that a trial keeps makes the model that it was scored with.
	w.write("winner.yml", trial.Recipe)
	w.succeed("merge winner.yml out/winner --quiet")
	w.succeed("apply base out/applied --vector tau.safetensors=0.5 --quiet")
	applied := w.weights("out/applied")
	for name, values := range w.weights("out/winner") {
		for i, v := range values {
			if d := math.Abs(float64(v - applied[name][i])); d > 1e-6 {
				t.Fatalf("%s[%d] of the recipe's model is %v away from theta_0 + 0.5 tau", name, i, d)
			}
		}
	}

	status := w.result("sweep status out/study.db")
	if status["done"] != 2.0 || status["total"] != 2.0 || status["test"] == nil || status["best"].(map[string]any)["candidates"] != 2.0 {
		t.Errorf("status %v", status)
	}
	if text := w.succeed("sweep status out/study.db --watch --quiet").stdout; !strings.Contains(text, "2 of 2 trials done") || !strings.Contains(text, "tested: ") {
		t.Errorf("status %q", text)
	}
	if lines := w.succeed("sweep status out/study.db --watch --json --quiet").stdout; strings.Count(lines, "\n") != 1 || !json.Valid([]byte(lines)) {
		t.Errorf("one look of --watch --json is %q, want one object on one line", lines)
	}
	w.refuse([]refusal{
		{"a table of another kind", "sweep trials out/study.db out/trials.xlsx", exitUsage, "ends in .parquet, .csv or .jsonl", "sweep trials --help"},
		{"a table that exists", "sweep trials out/study.db out/trials.csv", exitExists, "already exists", "--force"},
		{"status of nothing", "sweep status nowhere.db", exitInput, "nowhere.db", "spelling"},
		{"no such study", "sweep status out/study.db --name other", exitInput, `no study named "other", it has ["syncretic"]`, "--name"},
		{"a database of another kind", "sweep status mysql://db.lab/sweeps", exitUsage, "mysql://db.lab/sweeps: not the place of a study: want a path", ""},
		{"reading too often", "sweep status out/study.db --watch --every 1ms", exitUsage, "at least 100ms", "sweep status --help"},
	})
}

// TestSweepIsHonest: whatever the labels of the test split say, the trials, their scores and the choice are the same.
func TestSweepIsHonest(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	config := strings.Replace(sweepConfig, "[0.2, 0.5]", "[0, 0.1, 0.4, 0.9]", 1)
	w.write("sweep.yml", config)
	first := w.result("sweep run sweep.yml")
	changed := 0
	for _, name := range []string{"low", "high"} {
		entries, err := audio.ReadManifest(name + ".csv")
		w.must(err)
		for i := range entries {
			if entries[i].Split == "test" {
				entries[i].Tags = []string{map[string]string{"low": "high", "high": "low"}[entries[i].Tags[0]]}
				changed++
			}
		}
		w.must(audio.WriteManifest(name+".csv", entries, true))
	}
	w.write("sweep.yml", strings.Replace(config, "out/study.db", "out/lies.db", 1))
	second := w.result("sweep run sweep.yml")
	if changed != 8 {
		t.Fatalf("changed the labels of %d test clips, want 8", changed)
	}
	if !reflect.DeepEqual(first["selection"], second["selection"]) {
		t.Errorf("the choice looks at test labels:\n%v\n%v", first["selection"], second["selection"])
	}
	if reflect.DeepEqual(first["scores"], second["scores"]) {
		t.Error("the test scores are the same although every test label is another: this test could not fail")
	}
	table := func(study string) (rows [][]string) {
		w.succeed("sweep trials out/" + study + ".db out/" + study + ".csv --quiet")
		all, err := csv.NewReader(strings.NewReader(w.read("out/" + study + ".csv"))).ReadAll()
		w.must(err)
		for _, row := range all {
			var kept []string
			for i, cell := range row {
				if !slices.Contains([]string{"seconds", "worker", "started", "finished"}, all[0][i]) {
					kept = append(kept, cell)
				}
			}
			rows = append(rows, kept)
		}
		return rows
	}
	if a, b := table("study"), table("lies"); !reflect.DeepEqual(a, b) || len(a) != 5 {
		t.Errorf("validation scores look at test labels:\n%v\n%v", a, b)
	}
}

func TestSweepRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.succeed("vector stranger tuned foreign.safetensors --quiet")
	w.write("text.db", "a text that is long enough for a header of SQLite, yet is none, whatever its name says; "+strings.Repeat("-", 100))
	for name, change := range map[string][2]string{
		"typo":      {"vectors:", "vectros:"},
		"window":    {"window: 0", "window: 0.5"},
		"foreign":   {"tau.safetensors", "foreign.safetensors"},
		"larger":    {"tau.safetensors", "larger"},
		"nowhere":   {"tau.safetensors", "nowhere.safetensors"},
		"no-base":   {"base: base", "base: nowhere"},
		"western":   {"low.csv}", "low.csv, western: true}"},
		"text":      {"out/study.db", "text.db"},
		"folder":    {"out/study.db", "base"},
		"missing":   {"low.csv", "missing.csv"},
		"slerp":     {"base: base", "base: base\nmethod: slerp"},
		"method":    {"base: base", "base: base\nmethod: average_of_everything"},
		"parameter": {"base: base", "base: base\nmethod: ties\nparameters: {ties: {densty: 0.5}}"},
	} {
		w.write(name+".yml", strings.Replace(sweepConfig, change[0], change[1], 1))
	}
	const mend, spelling = "mend the configuration", "check the spelling"
	w.refuse([]refusal{
		{"no such config", "sweep run none.yml", exitInput, "none.yml: no such file or directory", spelling},
		{"unknown key", "sweep run typo.yml", exitUsage, `"vectros"`, mend},
		{"window too short", "sweep run window.yml", exitUsage, "probe.window 0.5 s", mend},
		{"vector of another base", "sweep run foreign.yml", exitInput, "foreign.safetensors: a task vector of another base", "name the model that the vector was taken from"},
		{"model of another size", "sweep run larger.yml", exitInput, "vectors: tuned: the models do not fit together", "the very base"},
		{"no such vector", "sweep run nowhere.yml", exitInput, "nowhere.safetensors: no such file or directory", spelling},
		{"no such base", "sweep run no-base.yml", exitInput, "nowhere: no such file or directory", spelling},
		{"nothing to choose by", "sweep run western.yml", exitUsage, "every dataset of probe.datasets is western", mend},
		{"study is a text", "sweep run text.yml", exitInput, "text.db: not a study database", ""},
		{"study is a folder", "sweep run folder.yml", exitInput, "base: not a regular file", ""},
		{"method of another kind", "sweep run slerp.yml", exitUsage, "method slerp", mend},
		{"no such method", "sweep run method.yml", exitUsage, "average_of_everything", mend},
		{"a parameter of another method", "sweep run parameter.yml", exitUsage, "densty", mend},
		{"no such manifest", "sweep run missing.yml", exitInput, "missing.csv: no such file or directory", spelling},
		{"no config", "sweep run", exitUsage, "run takes the arguments CONFIG.yml; got none", "sweep run --help"},
		{"report of nothing", "sweep report nowhere.db x.html", exitInput, "nowhere.db: no such file or directory", spelling},
		{"report of a text", "sweep report text.db x.html", exitInput, "text.db: not a study database", ""},
		{"report of a folder", "sweep report base x.html", exitInput, "base: not a regular file", ""},
		{"unknown verb", "sweep walk", exitUsage, `no verb "walk"`, "sweep --help"},
	})
}

func TestSweepKeepsToItsConfiguration(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.succeed("sweep run sweep.yml --quiet")
	w.write("other.yml", strings.Replace(sweepConfig, "0.5]", "0.6]", 1))
	w.refuse([]refusal{
		{"other values", "sweep run other.yml", exitUsage, "made with another configuration", "name another study"},
	})
	labels, err := os.ReadFile("low.csv") // the same recipe, but other labels
	w.must(err)
	w.write("low.csv", string(labels)+"\n")
	w.refuse([]refusal{
		{"another manifest", "sweep run sweep.yml", exitUsage, "made with another configuration", "name another study"},
	})
}

// A sweep that is interrupted at its first trial is no result yet, and goes on when it is started again.
func TestSweepInterrupted(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	before := w.contents()
	o := w.within(cancelled(t), "sweep run sweep.yml --json --quiet")
	if o.code != exitInterrupted {
		t.Errorf("exit code %d, want %d", o.code, exitInterrupted)
	}
	o.complains(t, "interrupted", "the same command goes on where it stopped")
	w.unchanged(before, "out")
	w.succeed("sweep run sweep.yml --quiet")
	if n := w.scored("out/study.db"); n != 2 {
		t.Errorf("%d scored trials, want 2", n)
	}
}

// TestBestText: what is not measured is left out, and the base is no trial.
func TestBestText(t *testing.T) {
	nan := math.NaN()
	setup := sweep.Setup{Rule: sweep.Rule{Metric: sweep.ROCAUC}}
	choice := sweep.Choice{Lambdas: sweep.Lambdas{"makam": 0.123456789, "carnatic": 0.5}}
	for _, c := range []struct {
		best sweep.Selection
		want string
	}{
		{sweep.Selection{Trial: 3, Choice: choice, Mean: 0.75, Value: 0.99, Normalised: true, Western: 0.7, BaseMean: 0.5, BaseWestern: 0.6},
			"best so far: trial 3, lambda carnatic=0.5 makam=0.1235: roc_auc 0.7500 (0.9900 of the experts'), Western 0.7000; base 0.5000, Western 0.6000\n"},
		{sweep.Selection{Trial: 3, Choice: choice, Mean: 0.75, Western: nan, BaseMean: 0.5, BaseWestern: nan},
			"best so far: trial 3, lambda carnatic=0.5 makam=0.1235: roc_auc 0.7500; base 0.5000\n"},
		{sweep.Selection{Trial: -1, Mean: 0.5, Value: nan, Normalised: true, Western: nan, BaseMean: 0.5, BaseWestern: nan}, "best so far: the base, roc_auc 0.5000\n"},
	} {
		if got := bestText(setup, c.best); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestFit: a picture in a terminal takes as many rows as it has lines.
func TestFit(t *testing.T) {
	if got := fit("a long line\nλ = 0.5 of all\n\nend", 5); got != "a lon\nλ = 0\n\nend" {
		t.Errorf("%q", got)
	}
}
