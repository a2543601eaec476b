package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// probe fit keeps features in the user's cache folder, or in the one that the configuration names, or nowhere, and its result is the
// same, whether they were there or not.
func TestProbeFitCaches(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	user, err := defaultFeatureCache()
	w.must(err)
	entries := func(dir string) int { return len(globs(filepath.Join(dir, "*", "00000.safetensors"))) }
	w.write("probe.yml", probeConfig)
	text := w.succeed("probe fit probe.yml a.json").stdout
	if entries(user) != 1 || !strings.Contains(text, "features in "+user) {
		t.Errorf("%d entries in the user's folder, want 1; text %q", entries(user), text)
	}
	w.succeed("probe fit probe.yml b.json")
	w.must(os.RemoveAll(user))
	w.write("none.yml", probeConfig+"cache: none\n")
	w.succeed("probe fit none.yml c.json")
	if entries(user) != 0 {
		t.Error("cache: none keeps features")
	}
	w.write("here.yml", probeConfig+"cache: here\n")
	before := w.contents()
	w.succeed("probe fit here.yml d.json")
	w.unchanged(before, "here", "d.json")
	if entries("here") != 1 || entries(user) != 0 {
		t.Errorf("%d entries here, %d in the user's folder, want 1 and 0", entries("here"), entries(user))
	}
	results := func(name string) string {
		_, after, ok := strings.Cut(w.read(name), `"datasets": {`+"\n    \"tones\"")
		if !ok {
			t.Fatalf("%s: no evaluation: %s", name, w.read(name))
		}
		return after
	}
	for _, name := range []string{"b.json", "c.json", "d.json"} {
		if results(name) != results("a.json") {
			t.Errorf("%s: another evaluation than without features in the cache", name)
		}
	}
	if w.read("a.json") != w.read("b.json") {
		t.Error("a result differs between computed and kept features")
	}
}

func globs(pattern string) []string {
	found, _ := filepath.Glob(pattern)
	return found
}

// Whether windows are normalised is the model's matter unless the configuration says so; the result says which, and where features are
// from.
func TestProbeFitNormalizes(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	seen := map[string]string{}
	for key, want := range map[string]bool{"": true, "normalize: true\n": true, "normalize: false\n": false} {
		w.write("probe.yml", probeConfig+key)
		got := w.result("probe fit probe.yml out.json --force")
		if got["normalize"] != want {
			t.Errorf("%q: normalize is %v, want %v", key, got["normalize"], want)
		}
		origin := got["features"].(map[string]any)["tones"].(map[string]any)
		encoder := origin["encoder"].(map[string]any)
		if encoder["normalize"] != fmt.Sprint(want) || encoder["model_sha256"] != got["model_sha256"] || len(fmt.Sprint(encoder["config_sha256"])) != 64 ||
			origin["pool"] != "windows" || origin["dtype"] != "F32" || len(fmt.Sprint(origin["recordings_sha256"])) != 64 {
			t.Errorf("%q: features' origin %v", key, origin)
		}
		seen[key] = fmt.Sprint(got["datasets"])
	}
	if seen[""] != seen["normalize: true\n"] || seen[""] == seen["normalize: false\n"] {
		t.Error("normalisation does not change the features, or not as the model's preprocessor does")
	}
}

func TestProbeFeatures(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("probe.yml", probeConfig+"cache: cache\ndtype: float16\n")
	first := w.result("probe features probe.yml")["features"].([]any)[0].(map[string]any)
	if first["computed"] != 12.0 || first["rows"] != 12.0 || first["layers"] != 2.0 || first["dim"] != float64(narrow) || first["dataset"] != "tones" {
		t.Errorf("got %v, want 12 items computed", first)
	}
	// The head finds them: the encoder is not asked again.
	w.succeed("probe fit probe.yml out.json")
	key := fmt.Sprint(first["key"])
	if found := globs("cache/*"); len(found) != 1 || filepath.Base(found[0]) != key {
		t.Errorf("the cache holds %v, want %s alone", found, key)
	}
	shard := filepath.Join("cache", key, "00001.safetensors")
	text := w.read(shard)
	w.write(shard, text[:len(text)-3]+"x"+text[len(text)-2:])
	if out := w.succeed("probe features probe.yml").stdout; !strings.Contains(out, "spoilt, and computed again: "+shard) || !strings.Contains(out, "4 computed now") {
		t.Errorf("a spoilt file: %q", out)
	}
	if w.read(shard) != text {
		t.Error("the spoilt file was computed to other bytes")
	}
	w.model("makam", narrow, 2)
	w.write("models.yml", strings.Replace(probeConfig, "model: base", "models: [base, makam]", 1)+"cache: cache\n")
	if both := w.result("probe features models.yml")["features"].([]any); len(both) != 2 {
		t.Errorf("%d entries, want one a model", len(both))
	}
	w.write("nothing.yml", strings.Replace(probeConfig, "model: base", "", 1))
	w.write("none.yml", probeConfig+"cache: none\n")
	w.write("half.yml", probeConfig+"cache: none\ndtype: float16\n")
	w.write("double.yml", probeConfig+"dtype: float64\n")
	const mend = "mend the configuration"
	w.refuse([]refusal{
		{"no model", "probe features nothing.yml", exitUsage, "model and models are missing", mend},
		{"nowhere to keep them", "probe features none.yml", exitUsage, "there is nowhere to keep features", mend},
		{"half without a cache", "probe fit half.yml x.json", exitUsage, "dtype is float16, which is of the files of a cache", mend},
		{"dtype", "probe fit double.yml x.json", exitUsage, `dtype is "float64", want float32 or float16`, mend},
	})
}

func TestProbeCache(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	if got := w.result("probe cache"); len(got["entries"].([]any)) != 0 {
		t.Errorf("an empty cache: %v", got)
	}
	for _, dtype := range []string{"float32", "float16"} {
		w.write("probe.yml", probeConfig+"cache: cache\ndtype: "+dtype+"\n")
		w.succeed("probe features probe.yml")
	}
	list := w.result("probe cache cache")["entries"].([]any)
	if len(list) != 2 {
		t.Fatalf("%d entries, want 2: %v", len(list), list)
	}
	last := list[0].(map[string]any)
	if last["dataset"] != "tones" || last["model"] != "base" || last["shards"] != 2.0 || last["of"] != 2.0 || last["origin"].(map[string]any)["dtype"] != "F16" {
		t.Errorf("the entry used last: %v", last)
	}
	if text := w.succeed("probe cache cache").stdout; !strings.Contains(text, "2 of 2") || !strings.Contains(text, "cache cache: 2 entries") {
		t.Errorf("text %q", text)
	}
	key := fmt.Sprint(last["key"])
	got := w.result("probe cache cache --remove " + key[:8])
	if left := got["entries"].([]any); len(left) != 1 || fmt.Sprint(got["removed"].([]any)[0].(map[string]any)["key"]) != key {
		t.Errorf("after --remove: %v", got)
	}
	w.refuse([]refusal{
		{"no such key", "probe cache cache --remove " + key, exitInput, "no entry whose key begins with", "check the spelling"},
		{"days", "probe cache cache --unused -1", exitUsage, "want a number of days", "probe cache --help"},
	})
	if got := w.result("probe cache cache --unused 1"); len(got["entries"].([]any)) != 1 {
		t.Errorf("an entry of today was freed as unused for a day: %v", got)
	}
	if text := w.succeed("probe cache cache --unused 0").stdout; !strings.Contains(text, "freed") || len(globs("cache/*")) != 0 {
		t.Errorf("--unused 0: %q, left %v", text, globs("cache/*"))
	}
}
