package adapt

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/audio"
)

func ids(c *Corpus) []string {
	var all []string
	for _, r := range c.Recordings {
		all = append(all, r.ID)
	}
	return all
}

func writeFile(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExclude(t *testing.T) {
	dir, lists := t.TempDir(), t.TempDir()
	manifest := writeCorpus(t, dir, "low", 8, 220) // of 0.75 s; 3 and 7 are of another split
	parts := writeFile(t, filepath.Join(dir, "parts.csv"), "path,start,end,split\nlow-0.wav,0,0.3,train\nlow-0.wav,0.3,0.6,train\nlow-1.wav,,,train\n")
	if err := os.Symlink(filepath.Join(dir, "low-2.wav"), filepath.Join(lists, "probe.wav")); err != nil {
		t.Fatal(err)
	}
	all := []string{"low-0.wav", "low-1.wav", "low-2.wav", "low-4.wav", "low-5.wav", "low-6.wav"}
	but := func(names ...string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(names, id) })
	}
	for _, test := range []struct {
		what, name, list, split string
		manifest                string
		want                    []string
		unmatched               int
	}{
		{"an id", "a.txt", "# a probe's\n\nlow-1.wav\r\n", "", manifest, but("low-1.wav"), 0},
		{"an id without its ending", "a.txt", "low-4\n", "", manifest, but("low-4.wav"), 0},
		{"an id of another spelling", "a.txt", "Low-4\nlow-4.WAV\n", "", manifest, all, 2},
		{"an id of another split is found", "a.txt", "low-3.wav\n", "", manifest, all, 0},
		{"a path", "a.txt", filepath.Join(dir, "..", filepath.Base(dir), "low-5.wav") + "\n", "", manifest, but("low-5.wav"), 0},
		{"a path beside the list, by a link", "a.txt", "probe.wav\n", "", manifest, but("low-2.wav"), 0},
		{"a manifest", "a.csv", "path,split\nlow-1.wav,train\nlow-2.wav,test\nnowhere.wav,test\n", "", manifest, but("low-1.wav", "low-2.wav"), 1},
		{"a manifest's split", "a.csv", "path,split\nlow-1.wav,train\nlow-2.wav,test\nnowhere.wav,test\n", "test", manifest, but("low-2.wav"), 1},
		{"a manifest by a link", "a.tsv", "path\ttags\nprobe.wav\tx\n", "", manifest, but("low-2.wav"), 0},
		{"a part of a file", "a.csv", "path,start,end\nlow-0.wav,0.1,0.2\n", "", manifest, but("low-0.wav"), 0},
		{"a part that overlaps with one", "a.csv", "path,start,end\nlow-0.wav,0.1,0.3\n", "", parts, []string{"low-0.wav", "low-1.wav"}, 0},
		{"a part that overlaps with two", "a.csv", "path,start,end\nlow-0.wav,0.2,0.31\n", "", parts, []string{"low-1.wav"}, 0},
		{"a part that overlaps with none", "a.csv", "path,start,end\nlow-0.wav,0.6,0.7\n", "", parts, []string{"low-0.wav", "low-0.wav", "low-1.wav"}, 1},
		{"a whole file of parts", "a.txt", "low-0.wav\n", "", parts, []string{"low-1.wav"}, 0},
	} {
		list := writeFile(t, filepath.Join(lists, test.name), test.list)
		c, err := OpenCorpus(CorpusConfig{Name: "low", Manifest: test.manifest, Exclude: []Exclusion{{Manifest: list, Split: test.split}}})
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		c.files.Close()
		if got := ids(c); !slices.Equal(got, test.want) {
			t.Errorf("%s: took %q, want %q", test.what, got, test.want)
		}
		x := exclusionIndices(c.census.exclusions, "low")
		if len(x) != 1 || x[0].Unmatched != test.unmatched || len(x[0].Examples) != min(test.unmatched, unmatchedExamples) {
			t.Errorf("%s: %+v, want %d ids that name nothing", test.what, x, test.unmatched)
		}
		if c.census.Recordings != c.census.Excluded+len(c.Recordings) {
			t.Errorf("%s: counted %+v of %d taken", test.what, c.census, len(c.Recordings))
		}
	}
}

func TestExcludeRefuses(t *testing.T) {
	dir := t.TempDir()
	manifest := writeCorpus(t, dir, "low", 4, 220)
	for _, test := range []struct{ name, list, split, want string }{
		{"none.txt", "# nothing\n", "", "no ids"},
		{"bad.csv", "paht\nx\n", "", `"path"`},
		{"split.csv", "path,split\nlow-0.wav,train\n", "test", `no row of split "test"`},
		{"all.txt", "low-0\nlow-1\nlow-2\n", "", `no row of split "train" that is not excluded (3 are)`},
	} {
		list := writeFile(t, filepath.Join(dir, test.name), test.list)
		_, err := OpenCorpus(CorpusConfig{Name: "low", Manifest: manifest, Exclude: []Exclusion{{Manifest: list, Split: test.split}}})
		if !errors.Is(err, audio.ErrInvalid) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "corpus low: ") {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := OpenCorpus(CorpusConfig{Name: "low", Manifest: manifest, Exclude: []Exclusion{{Manifest: "nowhere.txt"}}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing list: %v", err)
	}
}

// A recipe names lists by themselves or with a split, for one corpus or for all, and the teacher's own audio heeds the latter.
func TestExcludeInRecipe(t *testing.T) {
	cfg := func(keys string) (Config, error) {
		return ParseConfig([]byte("init: {a: 1}\nteacher: {path: t}\nstages: [{name: x, steps: 1, lr: {peak: 1}}]\n" + keys))
	}
	got, err := cfg("exclude: [a.txt, {manifest: b.csv, split: test}]\ncorpora: [{name: c, manifest: m, hours: 1.5, exclude: [d.tsv]}]\n")
	want := []Exclusion{{Manifest: "a.txt"}, {Manifest: "b.csv", Split: "test"}}
	if err != nil || !slices.Equal(got.Exclude, want) || !slices.Equal(got.Corpora[0].Exclude, []Exclusion{{Manifest: "d.tsv"}}) || got.Corpora[0].Hours != 1.5 {
		t.Errorf("got %+v, %v", got, err)
	}
	doc, err := got.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseConfig(doc); err != nil || !slices.Equal(again.Exclude, want) {
		t.Errorf("read back %+v, %v", again.Exclude, err)
	}
	for keys, want := range map[string]string{
		"exclude: [{manifest: a.txt, split: test}]\ncorpora: [{name: c, manifest: m}]\n": "exclude[0]: split \"test\": a.txt is a list of ids",
		"corpora: [{name: c, manifest: m, exclude: [{split: test}]}]\n":                  "corpora[0] (c): exclude[0]: the file's name is missing",
		"corpora: [{name: c, manifest: m, exclude: [{manifest: a.csv, spilt: test}]}]\n": "spilt",
		"corpora: [{name: c, manifest: m, hours: -1}]\n":                                 "corpora[0] (c): hours: got -1",
	} {
		if _, err := cfg(keys); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", keys, err, want)
		}
	}
}

func TestExcludeFromRun(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.Corpora[1].Exclude = []Exclusion{{Manifest: writeFile(t, filepath.Join(dir, "a.txt"), "high-0\nhigh-1\nx\n")}}
	cfg.Exclude = []Exclusion{{Manifest: writeFile(t, filepath.Join(dir, "b.txt"), "low-5.wav\n")}, {Manifest: writeFile(t, filepath.Join(dir, "c.txt"), "y\nz\n")}}
	cfg.Teacher.Fit = []FitCorpus{{Name: "fit", Manifest: cfg.Corpora[0].Manifest}}
	run := open(t, cfg)
	x := run.Index()
	low, high := x.Corpora[0], x.Corpora[1]
	if low.Recordings != 6 || low.Excluded != 1 || low.Used != 5 || high.Recordings != 6 || high.Excluded != 2 || high.Used != 4 {
		t.Errorf("corpora %+v", x.Corpora)
	}
	if len(x.Warnings) != 1 || !strings.Contains(x.Warnings[0], "c.txt: none of its 2 ids is in the corpora (such as \"y\")") {
		t.Errorf("warnings %q", x.Warnings)
	}
	if len(x.Exclusions) != 3 || x.Exclusions[0].Corpus != "high" || x.Exclusions[0].Unmatched != 1 || x.Exclusions[1].Unmatched != 0 || x.Exclusions[2].Unmatched != 2 {
		t.Errorf("exclusions %+v", x.Exclusions)
	}
	teacher := run.Teacher()
	cfg.Teacher.Path, cfg.Exclude = filepath.Join(dir, "other"), nil
	if other := open(t, cfg).Teacher(); other.all == teacher.all {
		t.Error("the teacher was fitted on excluded audio")
	}
}
