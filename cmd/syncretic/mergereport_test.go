package main

import (
	"encoding/json"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"syncretic/arithmetic/mergekit"
	"syncretic/checkpoint"
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
		{"a report that is the output", "merge recipe.yml new.txt --report ./new.txt", exitUsage, "--report ./new.txt is the output", "merge --help"},
		{"spectra of nothing", "merge recipe.yml new --spectra", exitUsage, "--spectra is for the --report FILE", "merge --help"},
		{"a report of a plan", "merge recipe.yml new --plan --report new.json", exitUsage, "--plan does not", "merge --help"},
	})
	w.unchanged(before)
}

func TestLeftOut(t *testing.T) {
	var list []mergekit.LeftOut
	for _, name := range strings.Fields("a b c d e f") {
		list = append(list, mergekit.LeftOut{Name: name, Why: "written by an earlier run"})
	}
	list = append(list, mergekit.LeftOut{Name: "x", Why: "copied from base"})
	want := []string{"Left out of this report, written by an earlier run: a, b, c, d and 2 more.", "Left out of this report, copied from base: x."}
	if got := leftOut(list); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// layered writes a model of four layers, whose tensors are larger than what one core takes at a time, with a name that HTML must not
// take for its own.
func (w workshop) layered(path string, step float64) {
	w.t.Helper()
	var tensors []checkpoint.Tensor
	for _, name := range []string{"layers.0.w", "layers.1.w", "layers.2.w", "layers.3.w", "<script>alert(1)</script>.w"} {
		x := make([]float32, 3*120_000)
		for i := range x {
			x[i] = float32(math.Sin(step * float64(i+len(tensors))))
		}
		tensors = append(tensors, checkpoint.Tensor{Name: name, Shape: []int{3, len(x) / 3}, Data: x})
	}
	src, err := checkpoint.NewMemory(tensors...)
	w.must(err)
	w.must(checkpoint.Write(w.t.Context(), path, src, checkpoint.WriteOptions{}))
}

// Reports are the same bytes on any number of cores, and leave the merge as it is without them.
func TestReportsDoNotDependOnThreads(t *testing.T) {
	w := newWorkshop(t)
	w.layered("base", 1)
	w.layered("a", 1.001)
	w.layered("b", 0.7)
	w.write("recipe.yml", "merge_method: dare_ties\nbase_model: base\nparameters: {density: 0.4}\nmodels: [{model: a, parameters: {weight: 0.5}}, {model: b, parameters: {weight: 1}}]\n")
	w.succeed("merge recipe.yml plain --quiet")
	for _, ext := range []string{".json", ".txt", ".html"} {
		w.succeed("merge recipe.yml one --force --threads 1 --quiet --spectra --report one" + ext)
		w.succeed("merge recipe.yml four --force --threads 4 --quiet --spectra --report four" + ext)
		if w.read("one"+ext) != w.read("four"+ext) {
			t.Errorf("the %s report differs between one and four threads", ext)
		}
	}
	for _, path := range []string{"one", "four"} {
		if w.read(path+"/model.safetensors") != w.read("plain/model.safetensors") {
			t.Errorf("%s differs from the merge without a report", path)
		}
	}
	if one, four := w.succeed("compare base a b --json --threads 1"), w.succeed("compare base a b --json --threads 4"); one.stdout != four.stdout {
		t.Error("a comparison differs between one and four threads")
	}
	w.succeed("compare base a b --html compared.html --quiet")
	for _, path := range []string{"one.html", "compared.html"} {
		w.selfContained(path)
	}
}

// selfContained checks that a page asks for nothing from elsewhere, that it has light and dark colours, and that it shows the name
// of a tensor as text.
func (w workshop) selfContained(path string) {
	w.t.Helper()
	page := w.read(path)
	for _, link := range regexp.MustCompile(`(?i)(?:src|href|srcset|action|data)\s*=\s*"([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(link[1], "#") {
			w.t.Errorf("%s leads to %s", path, link[1])
		}
	}
	for _, no := range []string{"<script", "<link", "@import", "url(", "http:", "https:"} {
		if strings.Contains(strings.ReplaceAll(page, `xmlns="http://www.w3.org/2000/svg"`, ""), no) {
			w.t.Errorf("%s has %s", path, no)
		}
	}
	for _, want := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;.w", "prefers-color-scheme: dark", "Cosine by layer, layers", "Figures of this chart"} {
		if !strings.Contains(page, want) {
			w.t.Errorf("%s lacks %q", path, want)
		}
	}
}

// What cannot be written is refused before the inputs are hashed, which an interrupt would end.
func TestMergeChecksItsOutputsFirst(t *testing.T) {
	w := newWorkshop(t)
	w.recipes()
	w.write("seen.json", "precious")
	if err := os.Mkdir("merged", 0o777); err != nil {
		t.Fatal(err)
	}
	w.write("merged/notes.txt", "precious")
	before := w.contents()
	for line, code := range map[string]int{"merge ta.yml out --report seen.json": exitExists, "merge ta.yml merged": exitExists,
		"merge ta.yml merged --force": exitExists, "merge ta.yml out --report new.json": exitInterrupted} {
		if o := w.within(cancelled(t), line+" --quiet"); o.code != code {
			t.Errorf("%s: exit code %d, want %d\n%s", line, o.code, code, o.stderr)
		}
	}
	w.unchanged(before)
	w.succeed("merge ta.yml out --report seen.json --force --quiet")
	if w.read("seen.json") == "precious" {
		t.Error("--force leaves the old report")
	}
}
