package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"syncretic/adapt"
)

// watched is the recipe with held-out losses: of a manifest of its own, since the recipe's has no rows of the split valid.
const watched = recipe + "heldout:\n  every: 2\n  corpora:\n    - {name: high, manifest: high.csv, split: train}\n"

func TestAdaptMeasuresHeldOutAudio(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.corpus("high")
	low := strings.ReplaceAll(w.read("low.csv"), ",valid,", ",test,")
	w.write("low.csv", low)
	w.write("watched.yml", watched)
	o := w.syncretic("adapt watched.yml out")
	if o.code != 0 {
		t.Fatalf("exit code %d: %s", o.code, o.stderr)
	}
	for _, want := range []string{`held-out losses are without corpus low: low.csv has no row of split "valid"`, "held-out high after step 0: cross-entropy ",
		"held-out high after step 2: cross-entropy ", " to the base's), cqt ", "accuracy ", " left  ce "} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("standard error has no %q:\n%s", want, o.stderr)
		}
	}
	if n := strings.Count(o.stderr, "held-out high"); n != 3 || !strings.Contains(o.stdout, "held-out high after step 4: ") || strings.Contains(o.stdout, "after step 2") {
		t.Errorf("%d lines of held-out losses on standard error; standard output %q", n, o.stdout)
	}
	if n := strings.Count(w.read("out/heldout.jsonl"), "\n"); n != 3 {
		t.Errorf("heldout.jsonl has %d lines, want 3", n)
	}
	got := w.result("adapt watched.yml again")
	held := got["heldout"].([]any)[0].(map[string]any)
	record := held["record"].(map[string]any)
	if record["step"] != 4.0 || record["corpus"] != "high" || held["ce_change"].(float64) != record["ce"].(float64)-held["ce_base"].(float64) {
		t.Errorf("result %v", held)
	}
	w.succeed("adapt tiny.yml plain --quiet")
	if !equalWeights(w, "plain", "again") {
		t.Error("measuring changed the weights")
	}

	w.write("split.yml", strings.Replace(watched, "every: 2\n", "every: 2\n  split: valid\n", 1))
	w.write("leak.yml", strings.Replace(watched, "manifest: high.csv", "manifest: low.csv", 1))
	w.write("bare.yml", recipe+"heldout: {clips: 3}\n")
	const mend = "mend the configuration"
	w.refuse([]refusal{
		{"a split that is not there", "adapt split.yml x", exitUsage, `heldout.split: corpus low: low.csv has no row of split "valid"`, mend},
		{"a leak", "adapt leak.yml x", exitUsage, "heldout: corpus high: low-0.wav: 0.00 to 0.40 s are learnt from too, as part of corpus low", mend},
		{"no every", "adapt bare.yml x", exitUsage, "heldout.every: got 0", mend},
		{"output is a held-out manifest", "adapt watched.yml high.csv --force", exitUsage, "the output high.csv is also an input", "adapt --help"},
	})
}

func TestAdaptReport(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("long.yml", strings.Replace(recipe, "steps: 4", "steps: 250", 1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if log, err := os.ReadFile("out.run/train.jsonl"); err == nil && strings.Count(string(log), "\n") > 10 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if o := w.within(ctx, "adapt long.yml out --quiet"); o.code != exitInterrupted {
		t.Fatalf("exit code %d\n%s", o.code, o.stderr)
	}
	before := w.contents()
	got := w.result("adapt report out.run a.html")
	if got["of"] != 250.0 || got["steps"].(float64) < 11 || got["output"] != "a.html" {
		t.Errorf("result %v", got)
	}
	if o := w.succeed("adapt report out b.html"); !strings.Contains(o.stdout, " of 250 of out.run\n") || w.read("a.html") != w.read("b.html") {
		t.Errorf("the run in progress by the name of its output: %q", o.stdout)
	}
	w.unchanged(before, "a.html", "b.html")
	if page := w.read("a.html"); !strings.Contains(page, "In progress: step ") || !strings.Contains(page, "Adaptation of out<") {
		t.Error("the page does not say how far the run is")
	}
	w.succeed("adapt tiny.yml done --quiet")
	w.succeed("adapt report done c.html")
	if w.read("c.html") != w.read("done/summary.html") {
		t.Error("the report of a finished run is not its summary")
	}
	w.write("done/train.jsonl", "{\n")
	w.refuse([]refusal{
		{"no such run", "adapt report nowhere x.html", exitInput, "nowhere/train.jsonl: no such file or directory (RUN is a folder that adapt writes", "check the spelling"},
		{"a model of another verb", "adapt report base x.html", exitInput, "base/train.jsonl: no such file", "check the spelling"},
		{"a broken log", "adapt report done x.html", exitInput, "done: invalid training log: train.jsonl: line 1: ", ""},
		{"existing output", "adapt report out.run a.html", exitExists, "a.html: file already exists", "--force replaces it"},
		{"output is the run", "adapt report out.run out.run --force", exitUsage, "is also an input", "adapt report --help"},
		{"one argument", "adapt report out.run", exitUsage, "takes the arguments RUN OUT.html", "adapt report --help"},
	})
}

// With --progress=json every line of standard error is a JSON object, whatever happens.
func TestProgressAsJSON(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.corpus("high")
	w.write("watched.yml", watched)
	lines := func(o outcome) map[string][]map[string]any {
		t.Helper()
		events := map[string][]map[string]any{}
		for line := range strings.Lines(o.stderr) {
			var e map[string]any
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			events[e["event"].(string)] = append(events[e["event"].(string)], e)
		}
		return events
	}
	got := lines(w.syncretic("adapt watched.yml out --progress=json"))
	held, steps := got["heldout"], got["progress"]
	if len(held) == 0 || held[len(held)-1]["ce_change"] == nil {
		t.Errorf("held-out losses %v", held)
	}
	last := steps[len(steps)-1]
	record, _ := last["record"].(map[string]any)
	if last["task"] != "adapting" || last["done"] != 4.0 || last["total"] != 4.0 || last["seconds_left"] != 0.0 || record["loss"] == nil || record["clips_per_s"] == nil {
		t.Errorf("the last step %v", last)
	}
	failed := lines(w.syncretic("adapt watched.yml out --progress=json"))["error"]
	if len(failed) != 1 || failed[0]["exit_code"] != float64(exitExists) || failed[0]["hint"] != "--force replaces it" || !strings.Contains(failed[0]["text"].(string), "out: file already exists") {
		t.Errorf("an error is %v", failed)
	}
	if o := w.syncretic("adapt watched.yml silent --progress=json --quiet"); o.code != 0 || o.stderr != "" {
		t.Errorf("with --quiet standard error has %q", o.stderr)
	}
	w.write("wild.yml", strings.Replace(recipe, "peak: 1e-3", "peak: 1e30", 1)) // NaN, which JSON has not
	if got := lines(w.syncretic("adapt wild.yml wild --progress=json"))["progress"]; got[len(got)-1]["record"].(map[string]any)["loss"] != nil {
		t.Errorf("a skipped step is %v", got[len(got)-1])
	}
	w.refuse([]refusal{{"another way", "version --progress=loud", exitUsage, "--progress loud: want auto or json", "version --help"}})
}

func TestEventThatJSONCannotHold(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{stderr: &stderr, shown: progressJSON}
	a.event("progress", map[string]any{"bad": func() {}})
	a.logf("%d", 5)
	if want := "{\"event\":\"log\",\"text\":\"an event that JSON cannot hold\"}\n{\"event\":\"log\",\"text\":\"5\"}\n"; stderr.String() != want {
		t.Errorf("got %q", stderr.String())
	}
}

func TestShortDurations(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 s"}, {1400 * time.Millisecond, "1 s"}, {119 * time.Second, "119 s"}, {2 * time.Minute, "2 min"}, {59*time.Minute + 29*time.Second, "59 min"},
		{59*time.Minute + 45*time.Second, "1 h 00 min"}, {2*time.Hour + 10*time.Minute, "2 h 10 min"}, {47*time.Hour + 59*time.Minute, "47 h 59 min"}, {52 * time.Hour, "2 d 4 h"},
	} {
		if got := short(c.d); got != c.want {
			t.Errorf("%v: %q, want %q", c.d, got, c.want)
		}
	}
}

func TestStepNoteBeginsWithWhatIsLookedFor(t *testing.T) {
	r := adapt.Record{Stage: "all", Left: 90 * time.Minute, Speed: 0.52, Parts: adapt.Parts{Loss: 30.5, Accuracy: []float64{0.1, 0.3}, Codebooks: []float64{14, 15}, CQT: 0.5}, Rate: 1e-4}
	if got, want := stepNote(r), "all  loss 30.500  accuracy 20.0 %  1 h 30 min left  ce 29.00  cqt 0.500  lr 0.0001  0.52 clips/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
