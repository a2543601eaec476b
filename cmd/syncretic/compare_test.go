package main

import (
	"math"
	"strings"
	"testing"

	"syncretic/arithmetic"
)

func TestCompare(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	before := w.contents()
	r := w.result("compare base tuned stranger")
	if r["schema"] != 1.0 {
		t.Errorf("schema %v, want 1", r["schema"])
	}
	cosine := r["cosine"].([]any)[0].([]any)[1].(float64)
	base, tuned, stranger := w.weights("base"), w.weights("tuned"), w.weights("stranger")
	var dot, x, y, whole float64
	for name, b := range base {
		for i := range b {
			p, q := float64(tuned[name][i]-b[i]), float64(stranger[name][i]-b[i])
			dot, x, y, whole = dot+p*q, x+p*p, y+q*q, whole+float64(b[i])*float64(b[i])
		}
	}
	if want := dot / math.Sqrt(x*y); math.Abs(cosine-want) > 1e-6 {
		t.Errorf("cosine %v, want %v", cosine, want)
	}
	if got := r["base_norm"].(float64); math.Abs(got-math.Sqrt(whole)) > 1e-6*got {
		t.Errorf("base norm %v, want %v", got, math.Sqrt(whole))
	}
	w.unchanged(before)
	text := w.succeed("compare base tuned tau.safetensors").stdout
	for _, want := range []string{"tuned", "tau", "cos 1.000, conflict 0.000", "encoder.layers.0", "say nearly the same"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	w.succeed("compare base tuned stranger --html page.html --quiet")
	page := w.read("page.html")
	for _, want := range []string{"Task vectors compared", "Cosine between task vectors", "encoder.layers.0"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "http://") || strings.Contains(page, "<script src") {
		t.Error("the page needs a network")
	}
}

func TestVerdict(t *testing.T) {
	pair := func(cosine, conflict float64) arithmetic.Report {
		m := func(v float64) [][]float64 { return [][]float64{{1, v}, {v, 1}} }
		return arithmetic.Report{Names: []string{"a", "b"}, Relation: arithmetic.Relation{Cosine: m(cosine), SignConflict: m(conflict)}}
	}
	for _, test := range []struct {
		report arithmetic.Report
		says   string
	}{
		{pair(0.01, 0.49), "share almost nothing"},
		{pair(0.3, 0.3), "share a part"},
		{pair(0.8, 0.1), "say nearly the same"},
		{pair(-0.5, 0.8), "undo each other"},
		{arithmetic.Report{Names: []string{"a"}}, "One task vector"},
	} {
		if got := verdict(test.report); !strings.Contains(got, test.says) {
			t.Errorf("%q, want %q in it", got, test.says)
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.model("other", wide, 3)
	w.refuse([]refusal{
		{"no model", "compare base", exitUsage, "compare takes the arguments BASE MODEL...", "compare --help"},
		{"a model that is not there", "compare base nowhere", exitInput, "nowhere: no such file", "check the spelling"},
		{"other shapes", "compare base other", exitInput, "does not fit", "the same tensor names and shapes"},
		{"a page over an input", "compare base tuned --html tau.safetensors", exitExists, "tau.safetensors: file already exists", "--force"},
	})
}

func TestCompareSpectra(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	text := w.succeed("compare base tuned stranger --spectra --tensors --quiet").stdout
	for _, want := range []string{"effective rank", "by chance", "\ntensors", "encoder.layers.0.attention.k_proj.weight"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	spectra := 0
	for _, tensor := range w.result("compare base tuned --spectra")["tensors"].([]any) {
		if s, ok := tensor.(map[string]any)["spectrum"].(map[string]any); ok {
			spectra++
			if rank := s["effective_rank"].([]any)[0].(float64); !(rank > 0 && rank <= s["rank"].(float64)) {
				t.Errorf("effective rank %v of %v", rank, s["rank"])
			}
		}
	}
	if spectra == 0 {
		t.Error("no matrix has a spectrum")
	}
}

func TestCompareEndsWhenInterrupted(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.interrupt("compare base tuned stranger --html page.html", "")
}
