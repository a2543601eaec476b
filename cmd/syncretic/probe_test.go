package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"syncretic/adapt/audio"
)

// probeConfig is a probe of two seeds on one corpus; tests replace parts of it.
const probeConfig = `
model: base
window: 0
seeds: [1, 2]
head: {kind: mlp}
datasets:
  - {name: tones, manifest: low.csv, tags: 2}
`

func TestProbeFit(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("probe.yml", probeConfig)
	before := w.contents()
	got := w.result("probe fit probe.yml out/probe.json")
	w.unchanged(before, "out")
	if got["model"] != "base" || len(fmt.Sprint(got["model_sha256"])) != 64 || got["config"] == nil {
		t.Errorf("result without its provenance: %v", got)
	}
	ev, ok := got["datasets"].(map[string]any)["tones"].(map[string]any)
	if !ok || len(ev["runs"].([]any)) != 2 || len(ev["tags"].([]any)) != 2 {
		t.Fatalf("evaluation %v, want 2 runs on 2 tags", ev)
	}
	if mean := ev["test"].(map[string]any)["roc_auc"].(map[string]any)["mean"].(float64); mean < 0 || mean > 1 {
		t.Errorf("mean test ROC-AUC %v, want 0 to 1", mean)
	}
	printed := w.succeed("probe fit probe.yml again.json --json").stdout
	if w.read("out/probe.json") != w.read("again.json") || printed != w.read("again.json") {
		t.Error("the result differs between two runs, or between file and standard output")
	}
	if text := w.succeed("probe fit probe.yml again.json --force").stdout; !strings.Contains(text, "tones") || !strings.Contains(text, "again.json") {
		t.Errorf("text %q, want a row for tones and the name of the file", text)
	}
}

// The recipe's resampler changes the features of recordings at another rate, and the result says which it was.
func TestProbeFitResamples(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	for i := range 12 {
		path := fmt.Sprintf("low-%d.wav", i)
		w.write(path, strings.Replace(w.read(path), "\xc0\x5d\x00\x00", "\x80\xbb\x00\x00", 1)) // 24000 becomes 48000
	}
	seen := map[string]bool{}
	for key, method := range map[string]audio.Resampling{"": audio.Kaiser, "resampler: torchaudio\n": audio.Torchaudio} {
		w.write("probe.yml", probeConfig+key)
		got := w.result("probe fit probe.yml out.json --force")
		if got["resampler"] != method.Settings() || !strings.Contains(w.read("out.json"), method.Settings()) {
			t.Errorf("%q: resampler %v, want %q", key, got["resampler"], method.Settings())
		}
		if cfg := got["config"].(map[string]any); key != "" && cfg["resampler"] != "torchaudio" {
			t.Errorf("config %v, want the recipe's resampler", cfg)
		}
		seen[fmt.Sprint(got["datasets"])] = true
	}
	if len(seen) != 2 {
		t.Error("both ways to resample give the same evaluation")
	}
	w.write("linear.yml", probeConfig+"resampler: linear\n")
	w.refuse([]refusal{{"unknown resampler", "probe fit linear.yml x.json", exitUsage, `resampler "linear", want kaiser or torchaudio`, "mend the configuration"}})
}

// Recordings that cannot be read are left out only when the recipe says so; then they are counted and named.
func TestProbeFitSkipsBad(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	restoreThreads(t)
	w.write("low-3.wav", w.read("low-3.wav")[:400])
	w.write("low-4.wav", floats(float32(math.NaN())))
	w.write("probe.yml", probeConfig)
	w.write("skip.yml", probeConfig+"skip_bad: true\n")
	w.refuse([]refusal{{"not asked for", "probe fit probe.yml x.json", exitInput, "low-3.wav: invalid audio input: truncated", "copy or download it again"}})
	got := w.result("probe fit skip.yml out.json")
	skipped, _ := got["skipped"].([]any)
	if len(skipped) != 2 || !strings.Contains(fmt.Sprint(skipped[0]), "low-3.wav: invalid audio input: truncated") ||
		!strings.Contains(fmt.Sprint(skipped[1]), "low-4.wav: invalid audio input: sample 0 is not finite") {
		t.Errorf("left out %v, want low-3.wav and low-4.wav", skipped)
	}
	if text := w.succeed("probe fit skip.yml again.json").stdout; !strings.Contains(text, "2 recordings left out, which cannot be read:\n  low-3.wav") {
		t.Errorf("text %q, want the count and the names of what was left out", text)
	}
	w.succeed("probe fit skip.yml third.json --threads 1")
	if w.read("out.json") != w.read("third.json") {
		t.Error("the result depends on --threads")
	}
	for _, i := range []int{0, 6, 9} { // with 3 the whole train split
		w.write(fmt.Sprintf("low-%d.wav", i), "")
	}
	w.refuse([]refusal{{"a split of which nothing is left", "probe fit skip.yml x.json", exitInput, `no item of split "train" can be read; the first: low-0.wav: invalid audio input`, ""}})
}

func TestProbeFitRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("probe.yml", probeConfig)
	w.write("taken.json", "{}")
	w.write("untagged.csv", "path,split,tags\nlow-0.wav,train,\nlow-1.wav,valid,\nlow-2.wav,test,\n")
	w.write("leak.csv", "path,split,tags\nlow-0.wav,train,a\nlow-0.wav,valid,a\nlow-2.wav,test,a\n")
	for name, change := range map[string][2]string{
		"typo":     {"seeds:", "sedes:"},
		"no-model": {"model: base", ""},
		"nowhere":  {"model: base", "model: nowhere"},
		"head":     {"kind: mlp", "kind: svm"},
		"window":   {"window: 0", "window: 0.25"},
		"tags":     {"tags: 2", "tags: 3"},
		"untagged": {"low.csv", "untagged.csv"},
		"leak":     {"low.csv", "leak.csv"},
		"missing":  {"low.csv", "missing.csv"},
	} {
		w.write(name+".yml", strings.Replace(probeConfig, change[0], change[1], 1))
	}
	const help, mend, spelling = "probe fit --help", "mend the configuration", "check the spelling"
	w.refuse([]refusal{
		{"no such config", "probe fit none.yml x.json", exitInput, "none.yml: no such file or directory", spelling},
		{"unknown key", "probe fit typo.yml x.json", exitUsage, `unknown key "sedes" (did you mean "seeds"?)`, mend},
		{"no model", "probe fit no-model.yml x.json", exitUsage, "model is missing", mend},
		{"no such model", "probe fit nowhere.yml x.json", exitInput, "nowhere: no such file or directory", spelling},
		{"unknown head", "probe fit head.yml x.json", exitUsage, `svm`, mend},
		{"window too short", "probe fit window.yml x.json", exitUsage, "window is 0.25 s", mend},
		{"more tags than there are", "probe fit tags.yml x.json", exitInput, "2 distinct tags in the train rows, want the top 3", ""},
		{"no tags", "probe fit untagged.yml x.json", exitInput, "no tags in the train rows", ""},
		{"a recording in two splits", "probe fit leak.yml x.json", exitInput, "low-0.wav", ""},
		{"no such manifest", "probe fit missing.yml x.json", exitInput, "missing.csv: no such file or directory", spelling},
		{"existing output", "probe fit probe.yml taken.json", exitExists, "taken.json: file already exists", "--force replaces it"},
		{"output is the config", "probe fit probe.yml probe.yml --force", exitUsage, "is also an input", help},
		{"output is the manifest", "probe fit probe.yml low.csv --force", exitUsage, "is also an input", help},
		{"output is the model", "probe fit probe.yml base --force", exitUsage, "is also an input", help},
		{"one argument", "probe fit probe.yml", exitUsage, "fit takes the arguments CONFIG.yml OUT.json; got 1", help},
		{"unknown verb", "probe fitt probe.yml x.json", exitUsage, `no verb "fitt"; the nearest is "fit"`, "probe --help"},
	})
	w.interrupt("probe fit probe.yml x.json", "")
}

// npy writes a numpy file of float64 or, for labels, of bytes.
func (w workshop) npy(path string, rows [][]float64, labels bool) {
	w.t.Helper()
	kind, body := "<f8", []byte{}
	if labels {
		kind = "|u1"
	}
	for _, row := range rows {
		for _, v := range row {
			if labels {
				body = append(body, byte(v))
			} else {
				body = binary.LittleEndian.AppendUint64(body, math.Float64bits(v))
			}
		}
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", kind, len(rows), len(rows[0]))
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	text := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	w.write(path, string(append(append(text, header...), body...)))
}

func (w workshop) arrays() {
	w.npy("scores.npy", [][]float64{{0.1, 0.9}, {0.8, 0.2}, {0.35, 0.4}, {0.4, 0.6}}, false)
	w.npy("labels.npy", [][]float64{{0, 1}, {1, 0}, {1, 0}, {0, 1}}, true)
	w.npy("none.npy", [][]float64{{0, 0}, {0, 0}, {0, 0}, {0, 0}}, true)
	w.npy("three.npy", [][]float64{{0, 1}, {1, 0}, {1, 0}}, true)
	w.npy("nan.npy", [][]float64{{0.1, 0.9}, {math.NaN(), 0.2}, {0.35, 0.4}, {0.4, 0.6}}, false)
}

func TestProbeScore(t *testing.T) {
	w := newWorkshop(t)
	w.arrays()
	before := w.contents()
	got := w.result("probe score --scores scores.npy --labels labels.npy --threshold 0.4")
	w.unchanged(before)
	// Tag 0: of four pairs one is in the wrong order, so the area is 3/4; tag 1 is in order.
	auc := got["roc_auc"].(map[string]any)
	if per := auc["per_tag"].([]any); per[0] != 0.75 || per[1] != 1.0 || auc["macro"] != 0.875 {
		t.Errorf("ROC-AUC %v, want 0.75 and 1", auc)
	}
	// Precision at the two positives of tag 0: 1/1 and 2/3, so the average is 5/6.
	if ap := got["average_precision"].(map[string]any)["per_tag"].([]any)[0].(float64); math.Abs(ap-5.0/6) > 1e-12 {
		t.Errorf("average precision of tag 0: %v, want 5/6", ap)
	}
	if f1 := got["f1"].(map[string]any); f1["threshold"] != 0.4 || f1["micro"] == nil {
		t.Errorf("F1 %v, want one at 0.4", f1)
	}
	if got["items"] != 4.0 || got["tags"] != 2.0 {
		t.Errorf("%v items, %v tags, want 4 and 2", got["items"], got["tags"])
	}
}

func TestProbeScoreWithoutPositives(t *testing.T) {
	w := newWorkshop(t)
	w.arrays()
	got := w.result("probe score --scores scores.npy --labels none.npy")
	if auc := got["roc_auc"].(map[string]any); auc["macro"] != nil || auc["left_out"] != 2.0 {
		t.Errorf("ROC-AUC %v, want null and both tags left out", auc)
	}
	text := w.succeed("probe score --scores scores.npy --labels none.npy").stdout
	if !strings.Contains(text, "macro undefined") || strings.Contains(text, "NaN") {
		t.Errorf("text %q, want undefined values named so", text)
	}
}

func TestProbeScoreRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.arrays()
	w.write("text.npy", "0.1 0.2")
	const help = "probe score --help"
	w.refuse([]refusal{
		{"no labels", "probe score --scores scores.npy", exitUsage, "--scores and --labels are both needed", help},
		{"no such file", "probe score --scores nowhere.npy --labels labels.npy", exitInput, "nowhere.npy: no such file or directory", "check the spelling"},
		{"not numpy", "probe score --scores text.npy --labels labels.npy", exitInput, "text.npy: invalid probe input: not an .npy file", ""},
		{"a folder", "probe score --scores . --labels labels.npy", exitInput, "not a regular file", ""},
		{"another number of items", "probe score --scores scores.npy --labels three.npy", exitInput, "scores of 4 items, labels of 3", ""},
		{"labels that are scores", "probe score --scores scores.npy --labels scores.npy", exitInput, "label is 0.1, want 0 or 1", ""},
		{"NaN", "probe score --scores nan.npy --labels labels.npy", exitInput, "item 1, tag 0: score is NaN", ""},
		{"an argument", "probe score scores.npy", exitUsage, "got 1: scores.npy", help},
	})
}
