package main

import (
	"strings"
	"testing"
)

func TestProbeDatasets(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("rows.jsonl", `{"path": "low-0.wav", "split": "train", "tags": ["x", "y"], "artist": "A"}`+"\n"+
		`{"path": "low-1.wav", "split": "valid", "tags": ["y"], "artist": "B"}`+"\n"+`{"path": "low-2.wav", "split": "test", "tags": ["y"], "artist": "A"}`+"\n"+
		`{"path": "gone.wav", "split": "test", "tags": ["y"], "artist": "A"}`+"\n")
	w.write("p.yml", "datasets:\n  - {name: rows, manifest: rows.jsonl, missing: skip}\n")
	got := w.result("probe datasets p.yml --json")
	set := got["datasets"].([]any)[0].(map[string]any)
	test := set["splits"].([]any)[2].(map[string]any)
	if test["rows"] != 1.0 || test["positives"] != 1.0 || set["task"] != "multilabel" {
		t.Errorf("dataset %v", set)
	}
	text := w.succeed("probe datasets p.yml").stdout
	for _, want := range []string{"rows: jsonl, multilabel, 2 tags", "left out: 1 rows, recording missing: gone.wav",
		"warning: 1 of kind artist are in two splits or three; 1 valid and test rows share theirs with train: A",
		"not compared between splits: the album of 3 rows"} {
		if !strings.Contains(text, want) {
			t.Errorf("text without %q:\n%s", want, text)
		}
	}
	w.write("q.yml", "datasets:\n  - {name: rows, manifest: rows.jsonl}\n")
	w.write("r.yml", "datasets:\n  - {name: rows, format: lyra}\n")
	w.write("s.yml", "datasets:\n  - {name: rows, manifest: rows.jsonl, conventions: x}\n")
	w.refuse([]refusal{
		{"missing recording", "probe datasets q.yml", exitInput, "1 of 4 recordings", "check the spelling"},
		{"no root", "probe datasets r.yml", exitUsage, "datasets[0] (rows): invalid dataset configuration: root is missing", "mend the configuration"},
		{"unknown key", "probe datasets s.yml", exitUsage, `unknown key "conventions" (did you mean "convention"?)`, "mend the configuration"},
	})
}
