package dataset

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func archive() files {
	return files{
		"own.csv": "path,split,tags,group\na.wav,train,ney|oud,g1\nb.wav,valid,ney,g2\nc.wav,test,oud,g3\n",
		"own.jsonl": `{"path": "a.wav", "split": "train", "tags": ["ney", "oud"], "artist": "X", "start": 0, "end": 5}` + "\n\n" +
			`{"path": "b.wav", "split": "valid", "tags": ["ney"], "artist": "X", "group": "g2"}` + "\n" +
			`{"path": "c.wav", "split": "test", "tags": []}` + "\n",
		"a.wav": "", "b.wav": "", "c.wav": "",
	}
}

func byManifest(dir string) Config { return Config{Name: "own", Manifest: dir + "/own.csv"} }
func byJSON(dir string) Config     { return Config{Name: "own", Manifest: dir + "/own.jsonl"} }

func TestManifest(t *testing.T) {
	l := open(t, byManifest(archive().on(t)))
	same(t, "train", l.ids(Train), []string{"a.wav"})
	if r := l.Rows[0]; r.Group != "g1" || l.Findings.Format != Manifest || len(l.Findings.Ungrouped) != 2 {
		t.Errorf("row %+v, findings %+v", r, l.Findings)
	}
}

func TestManifestRefuses(t *testing.T) {
	const m = "own.csv"
	refuses(t, archive(), byManifest, []spoilt{
		{"empty", m, "", "", "want a header with a path column"},
		{"no rows", m, "", "path,split\n", "no rows below the header"},
		{"another column", m, "tags", "tag", "line 1: unknown column \"tag\""},
		{"no path", m, "path,", "start,", "line 1: no column \"path\""},
		{"column twice", m, "group", "tags", "line 1: column \"tags\" appears twice"},
		{"short row", m, "b.wav,valid,ney,g2", "b.wav,valid", "line 3"},
		{"row twice", m, "b.wav", "a.wav", "line 3: \"a.wav\""},
		{"tag twice", m, "ney|oud", "ney|ney", "line 2: tag \"ney\" appears twice"},
		{"empty tag", m, "ney|oud", "ney||oud", "line 2: tag \"\""},
		{"no path in a row", m, "b.wav", "", "line 3: path \"\" is empty"},
		{"UTF-16", m, "", utf16("path,split\n"), "line 1: the file is UTF-16, want UTF-8"},
		{"Latin-1", m, "ney,g2", "n\xe9y,g2", "line 3: byte 0xe9 is not UTF-8"},
	})
}

func TestJSONLines(t *testing.T) {
	l := open(t, byJSON(archive().on(t)))
	same(t, "tags", l.Rows[0].Tags, []string{"ney", "oud"})
	same(t, "grouped", l.Findings.GroupedBy, []string{"artist"})
	if r := l.Rows[0]; r.End != 5 || l.Rows[1].Group != "g2" || r.Groups[0] != "X" {
		t.Errorf("rows %+v", l.Rows)
	}
	if f := l.Findings; len(f.Leaks) != 1 || f.Leaks[0].First[0] != "X" || len(f.Ungrouped) != 2 || f.Ungrouped[0] != (Ungrouped{"artist", 1}) {
		t.Errorf("findings %+v", f)
	}
}

func TestJSONLinesRegression(t *testing.T) {
	f := archive()
	f["own.jsonl"] = `{"path": "a.wav", "split": "train", "targets": {"valence": -1, "arousal": 0.5}}` + "\n" + `{"path": "b.wav", "split": "valid", "targets": {"arousal": 2, "valence": 0}}`
	cfg := byJSON(f.on(t))
	cfg.Task = Regression
	l := open(t, cfg)
	same(t, "targets", l.Tags, []string{"arousal", "valence"})
	if got := l.Rows[0].Targets; len(got) != 2 || got[0] != 0.5 || got[1] != -1 {
		t.Errorf("targets %v, want [0.5 -1]", got)
	}
	for _, c := range []spoilt{
		{"", "own.jsonl", `"arousal": 2, `, "", "line 2: targets valence, want arousal, valence as in the first row"},
		{"", "own.jsonl", `"arousal": 2`, `"arousal": "2"`, "line 2"},
		{"", "own.jsonl", `"arousal": 2`, `"arousal": NaN`, "line 2"},
		{"", "own.jsonl", `"targets": {"arousal": 2, "valence": 0}`, `"tags": ["x"]`, "line 2: tags are set, want targets"},
		{"", "own.jsonl", `, "targets": {"arousal": 2, "valence": 0}`, "", "line 2: targets are missing"},
	} {
		cfg.Manifest = f.with(t, c.file, c.old, c.text).on(t) + "/own.jsonl"
		if _, err := Open(cfg); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestJSONLinesRefuses(t *testing.T) {
	const m = "own.jsonl"
	refuses(t, archive(), byJSON, []spoilt{
		{"empty", m, "", "", "no rows"},
		{"no JSON", m, `{"path": "b.wav"`, "b.wav", "line 3: "},
		{"a list", m, "", "[]\n", "line 1: "},
		{"unknown key", m, `"tags": ["ney"]`, `"tag": ["ney"]`, `line 3: unknown key "tag" (did you mean "tags"?)`},
		{"key twice", m, `"group": "g2"`, `"artist": "Y"`, `line 3: key "artist" appears twice`},
		{"no path", m, `"b.wav"`, `""`, "line 3: path is missing or empty"},
		{"no split", m, `"split": "valid", `, "", `line 3: split is "", want train, valid or test`},
		{"another split", m, `"valid"`, `"dev"`, `line 3: split is "dev", want train`},
		{"tags of another kind", m, `["ney"]`, `"ney"`, "line 3: "},
		{"tag twice", m, `["ney", "oud"]`, `["ney", "ney"]`, `line 1: tag "ney" appears twice`},
		{"empty tag", m, `["ney"]`, `[" ney"]`, `line 3: tag " ney", want no empty tag`},
		{"times", m, `"start": 0, "end": 5`, `"start": 6, "end": 5`, "line 1: start 6 s and end 5 s"},
		{"row twice", m, `"b.wav", `, `"c.wav", `, `line 4: "c.wav" is on line 3 already`},
		{"targets", m, `"tags": []`, `"targets": {"x": 1}`, "line 4: targets are set, which only task regression has"},
		{"UTF-16", m, "", utf16(`{"path": "a.wav"}`), "line 1: the file is UTF-16, want UTF-8"},
		{"Latin-1", m, `"oud"`, "\"o\xfad\"", "line 1: byte 0xfa is not UTF-8"},
	})
}

// Missing recordings are one error with their number and the first ten, or left out when asked for.
func TestMissing(t *testing.T) {
	f := archive()
	f["own.csv"] += strings.Repeat("x", 1) + ".wav,test,oud,\n"
	for _, c := range "defghijklmn" {
		f["own.csv"] += string(c) + ".wav,train,ney,\n"
	}
	cfg := byManifest(f.on(t))
	_, err := Open(cfg)
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid and fs.ErrNotExist", err)
	}
	if text := err.Error(); !strings.Contains(text, "12 of 15 recordings") || !strings.Contains(text, "l.wav, ...") || strings.Contains(text, "m.wav") {
		t.Errorf("%v: want 12 of 15 and the first ten", err)
	}
	cfg.Missing = MissingSkip
	l := open(t, cfg)
	if out := l.Findings.LeftOut; len(l.Rows) != 3 || len(out) != 1 || out[0].Count != 12 || out[0].Reason != "recording missing" || len(out[0].First) != 10 {
		t.Errorf("%d rows, left out %+v", len(l.Rows), out)
	}
}

func TestExclude(t *testing.T) {
	f := archive()
	f["exclude.txt"] = "b.wav\nelsewhere.wav\n"
	dir := f.on(t)
	cfg := byManifest(dir)
	cfg.Exclude = dir + "/exclude.txt"
	if l := open(t, cfg); len(l.Rows) != 2 || l.Findings.LeftOut[0].First[0] != "b.wav" {
		t.Errorf("%d rows, left out %+v", len(l.Rows), l.Findings.LeftOut)
	}
}
