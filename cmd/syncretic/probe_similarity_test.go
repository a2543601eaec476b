package main

import (
	"strings"
	"testing"
)

func TestProbeSimilarity(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	w.model("other", narrow, 2)
	w.corpus("low")
	before := w.contents()
	got := w.result("probe similarity base other low.csv long.wav --window 1 --html page.html")
	w.unchanged(before, "page.html")
	cka := got["cka"].(map[string]any)
	if got["recordings"] != 13.0 || cka["items"] != 14.0 || got["schema"] != 1.0 || got["window"] != 1.0 { // long.wav has two windows
		t.Errorf("result %v, want 14 windows of 13 recordings", got)
	}
	models := got["models"].([]any)
	if m := models[1].(map[string]any); m["model"] != "other" || m["layers"] != 2.0 || m["dim"] != float64(narrow) || len(m["model_sha256"].(string)) != 64 {
		t.Errorf("second model %v", m)
	}
	for _, estimator := range []string{"unbiased", "biased"} {
		table := cka[estimator].([]any)
		if len(table) != 2 || len(table[0].([]any)) != 2 {
			t.Fatalf("%s table %v, want 2 layers by 2", estimator, table)
		}
		for _, row := range table {
			for _, v := range row.([]any) {
				if v.(float64) >= 1 || v.(float64) < -0.5 {
					t.Errorf("%s: %v between different encoders", estimator, v)
				}
			}
		}
	}
	if page := w.read("page.html"); !strings.Contains(page, "Linear CKA between the layers of base and other on 14 items") || !strings.Contains(page, models[0].(map[string]any)["model_sha256"].(string)) {
		t.Error("the page lacks its subject or its provenance")
	}
	text := w.succeed("probe similarity base base low.csv").stdout
	if !strings.HasPrefix(text, "linear CKA, unbiased, of 12 windows of 12 recordings; rows: layers of base, columns: base\n      0    1\n 0 1.00") || !strings.HasSuffix(text, " 1.00\n") {
		t.Errorf("a model with itself: %q, want ones on the diagonal", text)
	}
	if one, two := w.succeed("probe similarity base other low.csv --json --threads 1").stdout, w.succeed("probe similarity base other low.csv --json --threads 2").stdout; one != two {
		t.Error("the result depends on the number of threads")
	}
}

func TestProbeSimilarityChoosesWindows(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	w.corpus("low")
	if got := w.result("probe similarity base base low.csv --items 5"); got["cka"].(map[string]any)["items"] != 5.0 || got["recordings"] != 5.0 {
		t.Errorf("5 of 12 windows: %v", got)
	}
	if got := w.result("probe similarity base base low.csv --split test"); got["recordings"] != 4.0 {
		t.Errorf("the test split: %v, want 4 recordings", got["recordings"])
	}
	got := w.result("probe similarity base base low.csv truncated.wav noise.wav --skip-bad")
	if got["recordings"] != 12.0 || len(got["skipped"].([]any)) != 2 {
		t.Errorf("with two bad files: %v", got)
	}
}

func TestProbeSimilarityRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.audioBench()
	w.corpus("low")
	const help = "probe similarity --help"
	const line = "probe similarity base base "
	w.refuse([]refusal{
		{"no audio", "probe similarity base base", exitUsage, "", help},
		{"window", line + "low.csv --window 0.5", exitUsage, "--window 0.5: want 1 to 3600 seconds", help},
		{"items", line + "low.csv --items 3", exitUsage, "--items 3: want at least 4", help},
		{"resampler", line + "low.csv --resampler sinc", exitUsage, "--resampler", help},
		{"twice", line + "low.csv low.csv", exitUsage, "low.csv is given twice", help},
		{"split", line + "low.csv --split dev", exitUsage, "--split dev: low.csv has no such row", help},
		{"few", line + "long.wav short.wav", exitInput, "2 items, want at least 4", ""},
		{"bad audio", line + "noise.wav", exitInput, "noise.wav", ""},
		{"all bad", line + "noise.wav --skip-bad", exitInput, "none of 1 files can be read", ""},
		{"no model", "probe similarity nowhere base low.csv", exitInput, "nowhere", "check the spelling"},
		{"page over an input", line + "low.csv --html low.csv --force", exitUsage, "is also an input", help},
	})
	w.write("page.html", "something else")
	w.refuse([]refusal{{"page exists", line + "low.csv --html page.html", exitExists, "page.html", "--force"}})
	w.interrupt(line+"low.csv", "")
}
