package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"syncretic/adapt"
	"syncretic/examples/demo"
	"syncretic/probe/metric"
	"syncretic/sweep"
)

// The demonstration itself runs in its own package and in CI: here are its command line, and its report as text.

func TestDemoRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.write("poem.txt", "a poem")
	w.must(os.Mkdir("folder", 0o777))
	w.write("folder/poem.txt", "a poem")
	w.must(os.Mkdir("earlier", 0o777))
	w.write("earlier/demo.json", `{"schema": 0}`)
	const help, notTaken = "demo --help", "a name that is not taken"
	w.refuse([]refusal{
		{"unknown profile", "demo out --profile gigantic", exitUsage, "--profile gigantic: there are default, long, quick", help},
		{"no output", "demo", exitUsage, "demo takes the arguments OUT; got none", help},
		{"two outputs", "demo a b", exitUsage, "got 2: a b", help},
		{"a folder with something else", "demo folder", exitExists, "folder: is not empty and holds no demonstration", notTaken},
		{"force on a folder with something else", "demo folder --force", exitExists, "folder: is not empty and holds no demonstration", notTaken},
		{"a demonstration with other settings", "demo earlier", exitExists, "another profile or seed", "--force replaces it"},
		{"a file", "demo poem.txt", exitInput, "not a directory", ""},
		{"negative seed", "demo out --seed -1", exitUsage, "want a whole number, 0 or more", help},
	})
}

func TestDemoInterrupted(t *testing.T) {
	w := newWorkshop(t)
	before := w.contents()
	o := w.within(cancelled(t), "demo out --profile quick --json --quiet")
	if o.code != exitInterrupted {
		t.Errorf("exit code %d, want %d", o.code, exitInterrupted)
	}
	o.complains(t, "interrupted", "the same command goes on where it stopped")
	w.unchanged(before, "out")
	for path := range w.contents() {
		if strings.Contains(path, "tmp") {
			t.Errorf("%s is torn", path)
		}
	}
}

func TestDemoText(t *testing.T) {
	interval := func(difference float64, significant bool) *demo.PairedInterval {
		return &demo.PairedInterval{ROCAUC: metric.Interval{Difference: difference, Significant: significant}}
	}
	r := &demo.Report{
		Cultures:   []demo.CultureInfo{{Name: "western"}, {Name: "makam"}},
		Models:     []string{"base", "merged"},
		MaskedLoss: map[string]map[string]adapt.Loss{"base": {"western": {Total: 12.34, CE: 11.1}, "makam": {}}, "merged": {}},
		Unigram:    map[string]demo.UnigramCE{"western": {Own: 13.6}},
		Probe: map[string]map[string]demo.Score{
			"base":   {"western": {ROCAUC: 0.75}, "makam": {ROCAUC: 0.5}},
			"merged": {"western": {ROCAUC: 0.7, MinusBase: interval(-0.05, false)}, "makam": {ROCAUC: 0.625, MinusBase: interval(0.125, true)}}},
		Lambda:    demo.LambdaReport{ByProbe: sweep.Selection{Choice: sweep.Choice{Lambdas: sweep.Lambdas{"makam": 0.25}}}, ByMaskedLoss: sweep.Selection{Choice: sweep.Choice{Lambdas: sweep.Lambdas{"makam": 0.4}}}},
		Contrasts: []demo.Contrast{{Question: "merge over base", Interval: metric.Interval{Difference: 0.125, Low: 0.0625, High: 0.25}, Verdict: "higher"}},
		Checks: []demo.Check{{Statement: "more than", Bound: 0.5, Value: 0.625, Holds: true}, {Statement: "less than", Bound: 1, Value: 2},
			{Statement: "no figure", Bound: 1, Value: math.NaN(), Holds: true}},
	}
	text := demoText(r, "out/demo")
	for _, want := range []string{
		"12.3 (11.1)", "western 13.6", "0.750", "0.700 (-0.050 )", "0.625 (+0.125*)", "by probes on validation clips: 0.25", "without labels: 0.4",
		"merge over base", "+0.125 [+0.062, +0.250] higher", "holds         more than 0.5: 0.625", "DOES NOT HOLD less than 1: 2.000",
		"DOES NOT HOLD no figure 1: NaN", "read out/demo/report.html\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text has no %q:\n%s", want, text)
		}
	}
}
