package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// matrixConfig compares two encoders on two corpora; tests replace parts of it.
const matrixConfig = `
models: [first, other]
window: 0
seeds: [1, 2]
head: {kind: mlp, hidden: 8, epochs: 20, lr: 0.01}
datasets:
  - {name: tones, manifest: low.csv, tags: 2}
  - {name: west, manifest: west.csv, tags: 2, western: true}
`

func (w workshop) rivals() {
	w.t.Helper()
	w.studio()
	w.corpus("west")
	w.model("first", narrow, 7) // the random floor has seed 1
	w.model("other", narrow, 2)
	w.write("m.yml", matrixConfig)
}

func TestProbeMatrix(t *testing.T) {
	w := newWorkshop(t)
	w.rivals()
	before := w.contents()
	printed := w.succeed("probe matrix m.yml out --json --quiet").stdout
	w.unchanged(before, "out")
	if printed != w.read("out/matrix.json") {
		t.Error("standard output and matrix.json differ")
	}
	var got matrixResult
	w.must(json.Unmarshal([]byte(printed), &got))
	var rows []string
	for i, r := range got.Table.Rows {
		rows = append(rows, r.Model)
		if len(r.Cells) != 2 || len(r.Cells[0].Runs) != 2 || r.Averages.All == nil || r.Averages.Western == nil {
			t.Fatalf("row %+v, want two cells of two seeds, and averages", r)
		}
		var sum float64
		for _, c := range r.Cells {
			sum += *c.ROCAUC.Mean/4 + *c.AveragePrecision.Mean/4
			if (c.Against == nil) != (i == 0) {
				t.Errorf("%s: compared with the base: %v", r.Model, c.Against)
			}
		}
		if d := sum - *r.Averages.All; d > 1e-12 || d < -1e-12 {
			t.Errorf("%s: average %v, want %v", r.Model, *r.Averages.All, sum)
		}
		if r.Floor != (i > 1) || got.Models[i].Floor != r.Floor || (got.Models[i].Hash == "") != (r.Model == cqtFloor) || len(got.Models[i].Features) != 2 {
			t.Errorf("model %+v of row %s", got.Models[i], r.Model)
		}
	}
	if text := strings.Join(rows, " "); text != "first other random-encoder log-cqt" || got.Table.Base != "first" {
		t.Errorf("rows %s, base %s", text, got.Table.Base)
	}
	// Tones below and above 1 kHz are what log-CQT statistics tell apart at once.
	if auc := *got.Table.Rows[3].Cells[0].ROCAUC.Mean; auc != 1 {
		t.Errorf("log-CQT of low and high tones: ROC-AUC %v, want 1", auc)
	}
	for name, want := range map[string]string{"matrix.csv": "log-cqt,west,roc_auc,true,true,false,1,0,2,4,2,", "matrix.tex": "\\toprule\nModel & tones & west & Avg.",
		"matrix.html": "<h2>This study</h2>", "matrix.parquet": "PAR1"} {
		if text := w.read("out/" + name); !strings.Contains(text, want) {
			t.Errorf("%s without %q", name, want)
		}
	}
	if text := w.succeed("probe matrix m.yml again --paper").stdout; !strings.Contains(text, "published: ") || !strings.Contains(text, "west (W)") ||
		!strings.Contains(text, "8 cells, 8 computed now") || !strings.Contains(text, "from first in points") {
		t.Errorf("text:\n%s", text)
	}
	if w.read("out/matrix.csv") != w.read("again/matrix.csv") || w.read("out/matrix.parquet") != w.read("again/matrix.parquet") {
		t.Error("two runs give other tables")
	}
	if !strings.Contains(w.read("again/matrix.html"), "<h2>As published</h2>") || !strings.Contains(w.read("again/matrix.json"), "ntua-slp") {
		t.Error("--paper is not in the files")
	}
}

// A run that was killed has left its finished cells: they are taken as they are, what is spoilt or missing is computed, and the result is
// that of a run that was not interrupted. What decides a cell's scores decides its name.
func TestProbeMatrixGoesOn(t *testing.T) {
	w := newWorkshop(t)
	w.rivals()
	w.succeed("probe matrix m.yml whole")
	cells, err := filepath.Glob("whole/cells/*.json")
	w.must(err)
	if len(cells) != 8 {
		t.Fatalf("%d cells are kept, want 8", len(cells))
	}
	w.must(os.MkdirAll("out/cells", 0o777))
	for _, path := range cells[:5] {
		w.write(strings.Replace(path, "whole", "out", 1), w.read(path))
	}
	w.write(strings.Replace(cells[1], "whole", "out", 1), w.read(cells[1])[:100])
	w.write(strings.Replace(cells[2], "whole", "out", 1), w.read(cells[3])) // another cell's
	text := w.succeed("probe matrix m.yml out").stdout
	if !strings.Contains(text, "8 cells, 5 computed now") {
		t.Errorf("three good cells of eight were there, got:\n%s", text)
	}
	if w.read("out/matrix.json") != w.read("whole/matrix.json") {
		t.Error("gone on with, the result is another")
	}
	for change, computed := range map[[2]string]string{
		{"[1, 2]", "[1, 3]"}:                "8 computed now",
		{"epochs: 20", "epochs: 19"}:        "8 computed now",
		{"window: 0", "window: 1"}:          "8 computed now",
		{"[first, other]", "[other]"}:       "0 computed now", // the random encoder is of the same sizes
		{"seeds:", "base: other\nseeds:"}:   "0 computed now",
		{"seeds:", "floors: false\nseeds:"}: "4 cells, 0 computed now",
	} {
		w.write("n.yml", strings.Replace(matrixConfig, change[0], change[1], 1))
		if text := w.succeed("probe matrix n.yml out --force").stdout; !strings.Contains(text, computed) {
			t.Errorf("%v: want %q:\n%s", change, computed, text)
		}
	}
}

func TestProbeMatrixPaper(t *testing.T) {
	w := newWorkshop(t)
	text := w.succeed("probe matrix --paper").stdout
	for _, want := range []string{"CultureMERT-95M     89.6/60.6", "69.3", "+4.90", "-0.05", "69.1", "+0.40", "66.1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	rows := w.result("probe matrix --paper")["published"].(map[string]any)["rows"].([]any)
	if len(rows) != 3 {
		t.Errorf("%d published rows, want 3", len(rows))
	}
}

func TestProbeMatrixRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.rivals()
	w.write("west.jsonl", `{"path": "west-0.wav", "split": "train", "tags": ["x"]}`+"\n"+`{"path": "west-1.wav", "split": "valid", "tags": ["x"]}`+"\n"+
		`{"path": "west-2.wav", "split": "test", "tags": ["x"]}`+"\n")
	w.model("random-encoder", narrow, 3)
	for name, change := range map[string][2]string{
		"one":    {"models: [first, other]", "model: first"},
		"none":   {"models: [first, other]", ""},
		"twice":  {"[first, other]", "[first, first]"},
		"based":  {"seeds:", "base: makam\nseeds:"},
		"normal": {"[first, other]", "[first, normal]"},
		"gone":   {"[first, other]", "[first, gone]"},
		"mixed":  {"models: [first, other]", "model: first\nfloors: false"},
		"floor":  {"[first, other]", "[first, random-encoder]"},
		"single": {"manifest: west.csv, tags: 2", "manifest: west.jsonl, task: single"},
	} {
		w.write(name+".yml", strings.Replace(matrixConfig, change[0], change[1], 1))
	}
	w.model("normal", narrow, 4)
	w.write("normal/preprocessor_config.json", `{"do_normalize": false}`)
	w.must(os.MkdirAll("taken", 0o777))
	w.write("taken/matrix.csv", "")
	const help, mend = "probe matrix --help", "mend the configuration"
	w.refuse([]refusal{
		{"one model", "probe matrix one.yml out", exitUsage, "model is set, want models", mend},
		{"no models", "probe matrix none.yml out", exitUsage, "models is missing", mend},
		{"a model twice", "probe matrix twice.yml out", exitUsage, "models holds first twice", mend},
		{"unknown base", "probe matrix based.yml out", exitUsage, `base is "makam", want one of ["first" "other" "random-encoder" "log-cqt"]`, mend},
		{"a floor's name", "probe matrix floor.yml out", exitUsage, "which is the name of a floor", mend},
		{"models that treat windows differently", "probe matrix normal.yml out", exitUsage, "normal: false, and a comparison needs one for all: set normalize", mend},
		{"no such model", "probe matrix gone.yml out", exitInput, "gone: no such file or directory", "check the spelling"},
		{"keys of models beside a model", "probe fit mixed.yml x.json", exitUsage, "base or floors is set beside model", mend},
		{"another task", "probe matrix single.yml out", exitUsage, `dataset "west": its task is single`, mend},
		{"existing output", "probe matrix m.yml taken", exitExists, "taken/matrix.csv: file already exists", "--force replaces it"},
		{"output holds the data", "probe matrix m.yml .", exitUsage, "choose another folder", help},
		{"output is a model", "probe matrix m.yml first --force", exitUsage, "choose another folder", help},
		{"no arguments", "probe matrix", exitUsage, "matrix takes the arguments CONFIG.yml OUT; got none", help},
		{"one argument", "probe matrix m.yml --paper", exitUsage, "matrix takes the arguments CONFIG.yml OUT; got 1", help},
	})
	w.interrupt("probe matrix m.yml out", "")
}
