package audio

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestRange(t *testing.T) {
	tests := []struct {
		name            string
		start, end      float64
		frames, from, n int
		bad             bool
	}{
		{"whole", 0, 0, 1000, 0, 1000, false},
		{"first second", 0, 1, 48000, 0, 24000, false},
		{"rounded", 0.1, 0.30001, 48000, 2400, 4800, false},
		{"to the end", 1, 2, 48000, 24000, 24000, false},
		{"end rounded up to 0.01 s", 1, 1.5, 35900, 24000, 11900, false},
		{"end beyond", 0, 2.02, 48000, 0, 0, true},
		{"start beyond", 3, 4, 48000, 0, 0, true},
		{"start in the slack", 2.001, 2.005, 48000, 0, 0, true},
		{"less than a sample", 1, 1.00001, 48000, 0, 0, true},
		{"negative", -1, 1, 48000, 0, 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			from, n, err := Entry{Path: "x.wav", Start: test.start, End: test.end}.Range(test.frames)
			if from != test.from || n != test.n || (err != nil) != test.bad || test.bad && !errors.Is(err, ErrInvalid) {
				t.Errorf("got %d, %d, %v, want %d, %d, error %v", from, n, err, test.from, test.n, test.bad)
			}
		})
	}
}

func TestEntryRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.wav")
	samples := make([]float32, 4800)
	for i := range samples {
		samples[i] = float32(i) / 32768
	}
	if err := WriteWAV(path, samples, false); err != nil {
		t.Fatal(err)
	}
	got, err := Entry{Path: path, Start: 0.05, End: 0.1}.Read()
	if err != nil || !slices.Equal(got, samples[1200:2400]) {
		t.Errorf("%d samples, %v, want 1200", len(got), err)
	}
	got, err = Entry{Path: path}.Read()
	if err != nil || !slices.Equal(got, samples) {
		t.Errorf("%d samples, %v, want all", len(got), err)
	}
	if _, err = (Entry{Path: path, Start: 1, End: 2}).Read(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), path) {
		t.Errorf("beyond the file: %v", err)
	}
	if _, err = (Entry{Path: path + ".no"}).Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestWriteManifestReadsBack(t *testing.T) {
	dir := corpus(t, "unused.csv", "", "a.wav", "sub/b.wav", "we\"ird,\tname.wav")
	entries := []Entry{
		{ID: "a.wav", Start: 0.1, End: 1. / 3, Split: "train", Tags: []string{"x y", "z"}, Group: "say \"hi\", all"},
		{ID: "a.wav"},
		{ID: "sub/b.wav", End: 1e-7},
		{ID: "we\"ird,\tname.wav", Group: "two\nlines"},
	}
	for i := range entries {
		entries[i].Path = filepath.Join(dir, entries[i].ID)
	}
	for _, name := range []string{"m.csv", "m.tsv", "m.txt"} {
		path := filepath.Join(dir, name)
		if err := WriteManifest(path, entries, false); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := ReadManifest(path)
		if err != nil || !reflect.DeepEqual(got, entries) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, got, entries)
		}
		if err := WriteManifest(path, entries, false); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s again: %v, want fs.ErrExist", name, err)
		}
		if err := WriteManifest(path, entries[:1], true); err != nil {
			t.Errorf("%s by force: %v", name, err)
		}
	}
}

// Entries read from one folder's manifest still lead to their files from another folder's.
func TestWriteManifestElsewhere(t *testing.T) {
	dir := corpus(t, "m.csv", "path\naudio/a.wav\n", "audio/a.wav", "lists/keep")
	entries, err := ReadManifest(filepath.Join(dir, "m.csv"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "lists", "m.csv")
	if err := WriteManifest(path, entries, false); err != nil {
		t.Fatal(err)
	}
	got, err := ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].ID != "../audio/a.wav" || got[0].Path != entries[0].Path {
		t.Errorf("got %+v, want the same file by ../audio/a.wav", got[0])
	}
}

func TestWriteManifestRefuses(t *testing.T) {
	tests := []struct {
		name    string
		entries []Entry
		want    string
	}{
		{"nothing", nil, "no rows"},
		{"no path", []Entry{{Split: "x"}}, "entry 0: path"},
		{"time", []Entry{{ID: "a"}, {ID: "b", Start: 2, End: 1}}, "entry 1: end 1 s"},
		{"negative", []Entry{{ID: "b", Start: -2, End: 1}}, "entry 0: time -2 s"},
		{"bar in a tag", []Entry{{ID: "a", Tags: []string{"x|y"}}}, `tag "x|y"`},
		{"space around a tag", []Entry{{ID: "a", Tags: []string{" x"}}}, `tag " x"`},
		{"twice", []Entry{{ID: "a"}, {ID: "a"}}, "already"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m.csv")
			err := WriteManifest(path, test.entries, false)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want ErrInvalid with %q", err, test.want)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a manifest was left: %v", err)
			}
		})
	}
}
