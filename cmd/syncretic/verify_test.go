package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// verdicts runs verify, which prints its result even where it fails, and returns the models of the result.
func (w workshop) verdicts(line string, code int) (models []map[string]any, o outcome) {
	w.t.Helper()
	o = w.syncretic("verify " + line + " --json --quiet")
	if o.code != code {
		w.t.Errorf("%s: exit code %d, want %d\n%s", line, o.code, code, o.stderr)
	}
	var got struct{ Models []map[string]any }
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil {
		w.t.Fatalf("%s: %v in %q", line, err, o.stdout)
	}
	return got.Models, o
}

func TestVerifyAcceptsWhatIsWritten(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.small("sharded", 1, 2, 3, 4)
	before := w.contents()
	models, o := w.verdicts("base tuned tau.safetensors sharded", exitDone)
	w.unchanged(before)
	if len(models) != 4 || o.stderr != "" {
		t.Fatalf("%d models, standard error %q", len(models), o.stderr)
	}
	for _, m := range models {
		if m["ok"] != true || len(m["broken"].([]any)) != 0 || m["tensors"].(float64) < 2 {
			t.Errorf("got %v, want it in order", m)
		}
	}
	if files := models[3]["files"].([]any); len(files) != 2 || models[3]["bytes"] != 40.0 || models[3]["model"] != "sharded" {
		t.Errorf("got %v, want two files and 40 bytes", models[3])
	}
	if text := w.succeed("verify sharded").stdout; text != "sharded: in order: 2 tensors, 7 parameters, 40 bytes in 2 files\n" {
		t.Errorf("text %q", text)
	}
}

func TestVerifyNamesTheRule(t *testing.T) {
	w := newWorkshop(t)
	w.small("good", 1, 2, 3, 4)
	w.small("nan", 1, 2, float32(math.NaN()), 4)
	w.small("short.safetensors", 1, 2, 3, 4)
	whole := w.read("short.safetensors")
	w.write("short.safetensors", whole[:len(whole)-1])
	w.small("stale", 1, 2, 3, 4)
	w.write("stale/model-00003-of-00003.safetensors", whole)
	before := w.contents()
	for _, c := range []struct{ path, rule, says string }{
		{"nan", "non-finite", `tensor "weight": element 2 of F32 [2 2] is not finite`},
		{"short.safetensors", "truncated", "short.safetensors: truncated: tensor"},
		{"stale", "leftover", "model-00003-of-00003.safetensors is beside it"},
	} {
		models, o := w.verdicts("good "+c.path, exitInput)
		if len(models) != 2 || models[0]["ok"] != true || models[1]["ok"] != false {
			t.Errorf("%s: %v, want the first in order only", c.path, models)
			continue
		}
		broken := models[1]["broken"].([]any)[0].(map[string]any)
		if broken["rule"] != c.rule || !strings.Contains(broken["message"].(string), c.says) {
			t.Errorf("%s: %v, want rule %s and %q", c.path, broken, c.rule, c.says)
		}
		if want := "syncretic: 1 of 2 models not in order: " + c.path + ": " + c.rule; !strings.HasPrefix(o.stderr, want) {
			t.Errorf("standard error %q, want %q", o.stderr, want)
		}
		if text := w.syncretic("verify " + c.path).stdout; !strings.Contains(text, c.path+": NOT IN ORDER, 1 found: ") || !strings.Contains(text, "\n  "+c.rule+": ") {
			t.Errorf("text %q", text)
		}
	}
	w.succeed("verify nan --allow-non-finite")
	w.unchanged(before)
}

func TestVerifyNotesOtherWeights(t *testing.T) {
	w := newWorkshop(t)
	w.small("model", 1, 2, 3, 4)
	w.write("model/pytorch_model.bin", "")
	models, _ := w.verdicts("model", exitDone)
	if notes := models[0]["notes"].([]any); len(notes) != 1 || models[0]["ok"] != true {
		t.Errorf("got %v, want one note", models[0])
	}
	if text := w.succeed("verify model").stdout; !strings.Contains(text, "\n  note: model: pytorch_model.bin beside it was not read\n") {
		t.Errorf("text %q", text)
	}
}

func TestVerifyRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.small("good", 1, 2, 3, 4)
	w.write("notes.txt", "")
	w.refuse([]refusal{
		{"nothing there", "verify good nowhere", exitInput, "nowhere: no such file or directory", "check the spelling"},
		{"no model", "verify", exitUsage, "verify takes the arguments MODEL...; got none", "verify --help"},
	})
	w.interrupt("verify good", "")
}
