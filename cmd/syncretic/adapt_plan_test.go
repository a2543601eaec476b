package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"syncretic/adapt"
)

// --plan says what a recipe will do, in text and as JSON, and leaves everything as it was.
func TestAdaptPlan(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("probe.csv", "path,split\nlow-0.wav,test\nlow-1.wav,train\nnowhere.wav,test\n")
	w.write("other.txt", "# of another corpus\nhigh-1\nhigh-2\nhigh-3\nhigh-4\n")
	w.write("plan.yml", strings.Replace(recipe, "manifest: low.csv", "manifest: low.csv, hours: 3, exclude: [{manifest: probe.csv, split: test}]", 1)+"exclude: [other.txt]\n")
	before := w.contents()
	got := w.result("adapt plan.yml out --plan")
	index := got["index"].(map[string]any)
	low := index["corpora"].([]any)[0].(map[string]any)
	if low["excluded"] != 1.0 || low["hours_asked"] != 3.0 || got["teacher"] != "to be fitted" {
		t.Errorf("plan %v", got)
	}
	text := w.succeed("adapt plan.yml out --plan").stdout
	for _, want := range []string{"corpus  recordings", "exclude probe.csv: 1 of 2 ids are of no recording here, such as [\"nowhere.wav\"]", "warning: corpus low: 3 hours asked for",
		"warning: exclude: other.txt: none of its 4 ids is in the corpora", "teacher: to be fitted", "targets of low: ", "to be computed", "spectrum: cached", "time to the end: ", "a plan writes nothing"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan does not say %q:\n%s", want, text)
		}
	}
	w.unchanged(before)

	w.write("folder.yml", strings.Replace(recipe, "manifest: low.csv", "manifest: ., split: train", 1))
	w.write("gone.yml", recipe+"exclude: [gone.txt]\n")
	w.refuse([]refusal{
		{"a split of a folder", "adapt folder.yml x", exitUsage, "is a folder, which has no splits; leave split out", "mend the configuration"},
		{"no such list", "adapt gone.yml x", exitInput, "gone.txt: no such file or directory", "check the spelling"},
		{"output is a list", "adapt plan.yml other.txt --force", exitUsage, "the output other.txt is also an input", "adapt --help"},
		{"plan of a bad recipe", "adapt folder.yml x --plan", exitUsage, "is a folder, which has no splits", "mend the configuration"},
	})
}

// A run prints its index and how long it will take before it begins, and both stand in its result and in adapt.json.
func TestAdaptSaysWhatItTrainsOn(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.must(os.Mkdir("folder", 0o777))
	w.write("folder/a.wav", w.read("low-0.wav"))
	w.write("folder/b.wav", w.read("low-1.wav"))
	w.write("folder.yml", strings.Replace(recipe, "manifest: low.csv", "manifest: folder", 1))
	o := w.succeed("adapt folder.yml out --json")
	if !strings.Contains(o.stderr, "corpus  recordings") || !strings.Contains(o.stderr, "time to the end: ") {
		t.Errorf("standard error does not say what is trained on:\n%s", o.stderr)
	}
	for _, doc := range []string{o.stdout, w.read("out/adapt.json")} {
		if !strings.Contains(doc, `"recordings": 2`) || !strings.Contains(doc, `"passes"`) {
			t.Errorf("the index is not in\n%s", doc)
		}
	}
	if !strings.Contains(o.stdout, `"estimate"`) {
		t.Errorf("the estimate is not in\n%s", o.stdout)
	}
}

func TestSpanText(t *testing.T) {
	for _, test := range []struct {
		low, high float64
		want      string
	}{
		{0, 0, "0 ms"}, {0.012, 0.02, "12 to 20 ms"}, {1.2, 1.2, "1.2 s"}, {99, 119, "99 to 119 s"}, {100, 150, "1.7 to 2.5 minutes"}, {3600 * 14, 3600 * 17.4, "14 to 17 hours"},
		{86400 * 2.5, 86400 * 3.14, "2.5 to 3.1 days"}, {86400 * 150, 86400 * 200, "150 to 200 days"},
	} {
		if got := spanText(adapt.Span{Low: test.low, High: test.high}); got != test.want {
			t.Errorf("%g to %g s: %q, want %q", test.low, test.high, got, test.want)
		}
	}
	for h, want := range map[float64]string{650.04: "650.0", 12: "12.0", 3.14159: "3.14", 0.00123: "0.0012"} {
		if got := hoursText(h); got != want {
			t.Errorf("%s: %q, want %q", fmt.Sprint(h), got, want)
		}
	}
}
