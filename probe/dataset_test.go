package probe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/audio"
)

func entry(id, split, group string, tags ...string) audio.Entry {
	return audio.Entry{ID: id, Path: "audio/" + id, Split: split, Group: group, Tags: tags}
}

func TestVocabularyCountsTrainOnly(t *testing.T) {
	entries := []audio.Entry{
		entry("1", Train, "", "rast", "ney", "usul"),
		entry("2", Train, "", "ney", "usul", "kanun"),
		entry("3", Train, "", "usul", "oud"),
		entry("4", Train, ""),
		entry("5", Valid, "", "oud", "oud2"),
		entry("6", Valid, "", "oud"),
		entry("7", Test, "", "oud", "test only"),
	}
	for _, c := range []struct {
		top  int
		want []string
	}{
		{0, []string{"usul", "ney", "kanun", "oud", "rast"}}, // 3, 2, then one each in the order of the alphabet
		{5, []string{"usul", "ney", "kanun", "oud", "rast"}},
		{3, []string{"usul", "ney", "kanun"}},
		{1, []string{"usul"}},
	} {
		ds, err := NewDataset("makam", entries, DatasetOptions{Top: c.top})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ds.Tags, c.want) {
			t.Errorf("top %d: tags %v, want %v", c.top, ds.Tags, c.want)
		}
		if len(ds.Items) != len(entries) {
			t.Errorf("top %d: %d items, want all %d: rows without a tag stay", c.top, len(ds.Items), len(entries))
		}
	}
	ds, err := NewDataset("makam", entries, DatasetOptions{Top: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]bool{{true, true, false}, {true, true, true}, {true, false, false}, {false, false, false}, {false, false, false}} {
		if !slices.Equal(ds.Items[i].Labels, want) {
			t.Errorf("item %d: labels %v, want %v", i, ds.Items[i].Labels, want)
		}
	}
	if got := ds.Indices(Valid); !slices.Equal(got, []int{4, 5}) {
		t.Errorf("valid items %v, want [4 5]", got)
	}
}

func TestDatasetRefuses(t *testing.T) {
	good := func() []audio.Entry {
		return []audio.Entry{entry("a", Train, "g1", "x"), entry("b", Valid, "g2", "x"), entry("c", Test, "g3", "x")}
	}
	for _, c := range []struct {
		name  string
		spoil func([]audio.Entry) []audio.Entry
		top   int
		want  string
	}{
		{"no split", func(e []audio.Entry) []audio.Entry { e[1].Split = ""; return e }, 0, "row 2 (b): no split"},
		{"another split", func(e []audio.Entry) []audio.Entry { e[2].Split = "dev"; return e }, 0, `row 3 (c): split "dev", want train, valid or test`},
		{"no test", func(e []audio.Entry) []audio.Entry { return e[:2] }, 0, "no rows in split test"},
		{"train alone", func(e []audio.Entry) []audio.Entry { return e[:1] }, 0, "no rows in split valid, test"},
		{"empty", func([]audio.Entry) []audio.Entry { return nil }, 0, "no rows in split train, valid, test"},
		{"no tags", func(e []audio.Entry) []audio.Entry { e[0].Tags = nil; return e }, 0, "no tags in the train rows"},
		{"too few tags", func(e []audio.Entry) []audio.Entry { return e }, 2, "1 distinct tags in the train rows, want the top 2"},
		{"negative", func(e []audio.Entry) []audio.Entry { return e }, -1, "top is -1"},
		{"leak by path", func(e []audio.Entry) []audio.Entry { e[2].Path, e[2].Start, e[2].End = "audio/x/../a", 5, 9; return e }, 0,
			"leak: c is in split train (row 1) and in split test (row 3)"},
		{"leak by group", func(e []audio.Entry) []audio.Entry { e[1].Group = "g1"; return e }, 0,
			`leak: group "g1" is in split train (row 1, a) and in split valid (row 2, b)`},
		{"repeated", func(e []audio.Entry) []audio.Entry { return append(e, e[0]) }, 0, "row 4 repeats row 1: a"},
	} {
		_, err := NewDataset("set", c.spoil(good()), DatasetOptions{Top: c.top})
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `dataset "set"`) {
			t.Errorf("%s: got %v, want ErrInvalid with %s", c.name, err, c.want)
		}
	}
	crops := good()
	crops = append(crops, crops[0])
	crops[0].End, crops[3].Start, crops[3].End = 5, 5, 10
	if _, err := NewDataset("set", crops, DatasetOptions{}); err != nil {
		t.Errorf("two crops of one recording in one split: %v", err)
	}
}

func TestOpenDataset(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.wav", "b.wav", "c.wav"} {
		writeTone(t, filepath.Join(dir, name), 1)
	}
	manifest := filepath.Join(dir, "set.csv")
	writeText(t, manifest, "path,split,tags,group,start,end\na.wav,train,x|y,g1,0,0.5\nb.wav,valid,y,,,\nc.wav,test,,,,\n")
	ds, err := OpenDataset("set", manifest, DatasetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first := ds.Items[0]
	if first.ID != "a.wav" || first.Path != filepath.Join(dir, "a.wav") || first.Split != Train || first.Group != "g1" || first.End != 0.5 {
		t.Errorf("first item %+v", first)
	}
	if ds.Name != "set" || !slices.Equal(ds.Tags, []string{"x", "y"}) || !slices.Equal(ds.Items[1].Labels, []bool{false, true}) {
		t.Errorf("got %q %v %+v", ds.Name, ds.Tags, ds.Items)
	}
	if _, err := OpenDataset("set", filepath.Join(dir, "none.csv"), DatasetOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing manifest: got %v, want fs.ErrNotExist", err)
	}
	writeText(t, manifest, "path,tags\na.wav,x\n")
	if _, err := OpenDataset("set", manifest, DatasetOptions{}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "set.csv") {
		t.Errorf("manifest without splits: got %v, want ErrInvalid with the file's name", err)
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// writeTone writes a file of the given length in s, whose samples are (k % 128) / 128.
func writeTone(t testing.TB, path string, seconds float64) {
	t.Helper()
	samples := make([]float32, int(seconds*audio.SampleRate))
	for k := range samples {
		samples[k] = float32(k%128) / 128
	}
	if err := audio.WriteWAV(path, samples, false); err != nil {
		t.Fatal(err)
	}
}
