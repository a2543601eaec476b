package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/audio"
	"syncretic/probe/dataset"
)

func TestOpenConfig(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.wav", "b.wav", "c.wav"} {
		writeTone(t, filepath.Join(dir, name), 1)
	}
	file := filepath.Join(dir, "set.jsonl")
	writeText(t, file, `{"path": "a.wav", "split": "train", "tags": ["x", "y"], "artist": "A", "end": 1}`+"\n"+
		`{"path": "b.wav", "split": "valid", "tags": ["y"], "artist": "A"}`+"\n"+`{"path": "c.wav", "split": "test", "tags": []}`+"\n")
	half := 0.5
	ds, err := OpenConfig(DatasetConfig{Name: "set", Manifest: file, Max: &half})
	if err != nil {
		t.Fatal(err)
	}
	if ds.Task != dataset.MultiLabel || !slices.Equal(ds.Tags, []string{"x", "y"}) || ds.Items[2].Limit != 0.5 || len(ds.Findings.Leaks) != 1 {
		t.Errorf("dataset %+v", ds)
	}
	if start, n, err := ds.Items[2].Range(24000); start != 0 || n != 12000 || err != nil {
		t.Errorf("range %d, %d, %v, want the first 12000 samples", start, n, err)
	}
	if _, n, err := ds.Items[2].Range(6000); n != 6000 || err != nil {
		t.Errorf("range of %d samples, %v, want all 6000 of a file that is shorter than the limit", n, err)
	}
	s := ds.Summary()
	if got := s.Splits[0]; got.Rows != 1 || got.Positives != 2 || got.Untagged != 0 || got.Timed != 1 || got.Hours != 0.5/3600 {
		t.Errorf("train %+v", got)
	}
	if got := s.Splits[2]; got.Rows != 1 || got.Positives != 0 || got.Untagged != 1 || got.Timed != 0 {
		t.Errorf("test %+v", got)
	}
	if want := []TagSummary{{"x", 1, 0, 0}, {"y", 1, 1, 0}}; !slices.Equal(s.Tags, want) {
		t.Errorf("tags %+v, want %+v", s.Tags, want)
	}
	_, err = OpenConfig(DatasetConfig{Name: "set", Manifest: filepath.Join(dir, "none.jsonl")})
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "none.jsonl") {
		t.Errorf("missing file: %v", err)
	}
	if _, err = OpenConfig(DatasetConfig{Name: "set", Format: "x"}); !errors.Is(err, ErrConfig) {
		t.Errorf("unknown format: %v, want ErrConfig", err)
	}
	writeText(t, file, `{"path": "a.wav", "split": "train", "targets": {"v": 2}}`+"\n"+`{"path": "b.wav", "split": "valid", "targets": {"v": 1}}`+"\n"+
		`{"path": "c.wav", "split": "test", "targets": {"v": 3}}`+"\n")
	ds, err = OpenConfig(DatasetConfig{Name: "set", Manifest: file, Task: dataset.Regression})
	if err != nil || ds.Task != dataset.Regression || ds.Items[2].Targets[0] != 3 || ds.Items[2].Labels != nil || ds.Summary().Tags[0] != (TagSummary{"v", 1, 1, 1}) {
		t.Errorf("regression %+v, %v", ds, err)
	}
	writeText(t, file, `{"path": "a.wav", "split": "train", "targets": {"v": 2}}`+"\n"+`{"path": "a.wav", "split": "valid", "targets": {"v": 1}, "end": 1}`+"\n"+
		`{"path": "c.wav", "split": "test", "targets": {"v": 3}}`+"\n")
	if _, err = OpenConfig(DatasetConfig{Name: "set", Manifest: file, Task: dataset.Regression}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "leak") {
		t.Errorf("one recording in two splits: %v, want a leak", err)
	}
}

// TestTasksReachHeads: a regression and a single-label dataset are fitted and scored as what they are.
func TestTasksReachHeads(t *testing.T) {
	dir := t.TempDir()
	var numbers, classes strings.Builder
	for i := range 24 {
		split := []string{Train, Train, Valid, Test}[i%4]
		seconds := 1 + float64(i)/12
		name, class := fmt.Sprintf("%d.wav", i), "short"
		if i >= 12 {
			class = "long"
		}
		writeTone(t, filepath.Join(dir, name), seconds)
		fmt.Fprintf(&numbers, `{"path": %q, "split": %q, "targets": {"seconds": %v, "minus": %v}}`+"\n", name, split, seconds, -seconds)
		fmt.Fprintf(&classes, `{"path": %q, "split": %q, "tags": [%q]}`+"\n", name, split, class)
	}
	evaluate := func(file, text string, task dataset.Task) *Evaluation {
		writeText(t, filepath.Join(dir, file), text)
		ds, err := OpenConfig(DatasetConfig{Name: "set", Manifest: filepath.Join(dir, file), Task: task})
		if err != nil {
			t.Fatal(err)
		}
		f := mustExtract(t, ds, new(lengths), ExtractOptions{})
		var splits [3]Split
		for i, name := range []string{Train, Valid, Test} {
			if splits[i], err = f.Split(ds, name); err != nil {
				t.Fatal(err)
			}
		}
		head := DefaultHead()
		head.Kind = Ridge
		ev, err := FitAndScore(t.Context(), splits[0], splits[1], splits[2], head, []uint64{1})
		if err != nil {
			t.Fatal(err)
		}
		return ev
	}
	if ev := evaluate("numbers.jsonl", numbers.String(), dataset.Regression); ev.Runs[0].Outputs == nil || ev.Runs[0].Outputs.R2.Mean < 0.7 || *ev.Test.Score.Mean != ev.Runs[0].Outputs.R2.Mean {
		t.Errorf("regression: %+v", ev.Runs[0])
	}
	if ev := evaluate("classes.jsonl", classes.String(), dataset.Single); ev.Runs[0].Classes == nil || ev.Runs[0].Classes.Accuracy < 0.8 || *ev.Test.Score.Mean != ev.Runs[0].Classes.Accuracy {
		t.Errorf("single label: %+v", ev.Runs[0])
	}
}

func TestSingleLabel(t *testing.T) {
	entries := []audio.Entry{entry("a", Train, "", "rock"), entry("b", Train, "", "folk"), entry("c", Valid, "", "folk"), entry("d", Test, "", "rock")}
	ds, err := NewDataset("fma", entries, DatasetOptions{Task: dataset.Single})
	if err != nil || ds.Task != dataset.Single || !slices.Equal(ds.Items[2].Labels, []bool{true, false}) {
		t.Fatalf("%+v, %v", ds, err)
	}
	given, err := NewDataset("fma", entries, DatasetOptions{Task: dataset.Single, Tags: []string{"rock", "folk"}})
	if err != nil || !slices.Equal(given.Items[2].Labels, []bool{false, true}) {
		t.Errorf("given tags: %+v, %v", given, err)
	}
	for _, tags := range [][]string{nil, {"folk", "rock"}, {"jazz"}} {
		entries[3].Tags = tags
		if _, err := NewDataset("fma", entries, DatasetOptions{Task: dataset.Single}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "row 4 (d)") {
			t.Errorf("tags %q: %v, want ErrInvalid with the row", tags, err)
		}
	}
}
