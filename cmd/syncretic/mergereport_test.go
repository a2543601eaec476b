package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMergeReport(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.write("recipe.yml", "merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: tuned, parameters: {weight: 1}}, {model: stranger, parameters: {weight: 1}}]\n")
	w.succeed("merge recipe.yml out --report seen.json --quiet")
	var seen struct {
		Schema  int
		Method  string
		Names   []string
		Norms   []float64
		Tensors []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(w.read("seen.json")), &seen); err != nil {
		t.Fatal(err)
	}
	if seen.Schema != 1 || seen.Method != "task_arithmetic" || strings.Join(seen.Names, " ") != "tuned stranger merged" || len(seen.Norms) != 3 || len(seen.Tensors) == 0 {
		t.Errorf("report %+v", seen)
	}
	w.succeed("merge recipe.yml other --report seen.html --spectra --quiet")
	page := w.read("seen.html")
	for _, want := range []string{"A merge and its models", "merged", "encoder.layers.0", "By tensor", "effective rank merged"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	w.succeed("merge recipe.yml many --lambda 0.5,1 --report seen.txt --quiet")
	if half, one := w.read("seen-lambda-0.5.txt"), w.read("seen-lambda-1.txt"); half == one || !strings.Contains(half, "merged") {
		t.Error("reports of two lambdas are the same")
	}
	before := w.contents()
	w.refuse([]refusal{
		{"a file that is there", "merge recipe.yml new --report seen.json", exitExists, "seen.json: file already exists", "--force"},
		{"a report over an input", "merge recipe.yml new --report recipe.yml --force", exitUsage, "--report recipe.yml: want a name that ends in .json, .txt or .html", "merge --help"},
		{"spectra of nothing", "merge recipe.yml new --spectra", exitUsage, "--spectra is for the --report FILE", "merge --help"},
		{"a report of a plan", "merge recipe.yml new --plan --report new.json", exitUsage, "--plan does not", "merge --help"},
	})
	w.unchanged(before)
}
