package main

import (
	"database/sql"
	"os"
	"strings"
	"testing"
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
	w.must(db.QueryRow("SELECT COUNT(*) FROM trials WHERE state = 'COMPLETE'").Scan(&n))
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
	}
	if n := w.scored("out/study.db"); n != 3 {
		t.Errorf("%d scored trials, want the base and two", n)
	}

	// Again: every trial is there and the test was made, so the same record comes back.
	o := w.succeed("sweep run sweep.yml --quiet")
	for _, want := range []string{"lambda ", "test tones ", "test chimes ", "study out/study.db"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("text without %q:\n%s", want, o.stdout)
		}
	}
	if again := w.result("sweep run sweep.yml"); again["time"] != got["time"] || w.scored("out/study.db") != 3 {
		t.Error("a second run tested or scored again")
	}

	page := w.result("sweep report out/study.db out/study.html")
	if page["output"] != "out/study.html" || page["trials"] != 3.0 || page["selection"] == nil {
		t.Errorf("report result %v", page)
	}
	html := w.read("out/study.html")
	for _, want := range []string{"<!DOCTYPE html>", "ROC-AUC on test data", "Average precision on test data", "sha-256 of base", "sha-256 of vector tuned"} {
		if !strings.Contains(html, want) {
			t.Errorf("the report has no %q", want)
		}
	}
	w.refuse([]refusal{
		{"report exists", "sweep report out/study.db out/study.html", exitExists, "out/study.html: file already exists", "--force replaces it"},
		{"report over the study", "sweep report out/study.db out/study.db --force", exitUsage, "is also an input", "sweep report --help"},
	})
}

func TestSweepRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.succeed("vector stranger tuned foreign.safetensors --quiet")
	w.write("text.db", "a text that is long enough for a header of SQLite, yet is none, whatever its name says; "+strings.Repeat("-", 100))
	for name, change := range map[string][2]string{
		"typo":    {"vectors:", "vectros:"},
		"window":  {"window: 0", "window: 0.5"},
		"foreign": {"tau.safetensors", "foreign.safetensors"},
		"larger":  {"tau.safetensors", "larger"},
		"nowhere": {"tau.safetensors", "nowhere.safetensors"},
		"no-base": {"base: base", "base: nowhere"},
		"western": {"low.csv}", "low.csv, western: true}"},
		"text":    {"out/study.db", "text.db"},
		"folder":  {"out/study.db", "base"},
		"missing": {"low.csv", "missing.csv"},
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
		{"other values", "sweep run other.yml", exitUsage, "made with another configuration", "name another study file"},
	})
	labels, err := os.ReadFile("low.csv") // the same recipe, but other labels
	w.must(err)
	w.write("low.csv", string(labels)+"\n")
	w.refuse([]refusal{
		{"another manifest", "sweep run sweep.yml", exitUsage, "made with another configuration", "name another study file"},
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
	if n := w.scored("out/study.db"); n != 3 {
		t.Errorf("%d scored trials, want 3", n)
	}
}
