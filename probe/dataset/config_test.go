package dataset

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"
)

func TestConfigRefuses(t *testing.T) {
	three, seed := Splits{"a", "b", "c"}, uint64(1)
	number := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		want string
		cfg  Config
	}{
		{`format is "mtg", want one of magnatagatune, fma`, Config{Format: "mtg"}},
		{"manifest is missing", Config{Format: Manifest}},
		{"root or audio is set", Config{Manifest: "a.csv", Root: "b"}},
		{"manifest is set", Config{Format: Lyra, Root: "a", Manifest: "b.csv"}},
		{"root is missing", Config{Format: Lyra}},
		{"tags is -1", Config{Manifest: "a.csv", Tags: -1}},
		{`missing is "warn", want error or skip`, Config{Manifest: "a.csv", Missing: "warn"}},
		{"max_seconds is -1", Config{Manifest: "a.csv", Max: number(-1)}},
		{"max_seconds is NaN", Config{Manifest: "a.csv", Max: number(math.NaN())}},
		{"split_seed is set", Config{Format: Lyra, Root: "a", SplitSeed: &seed}},
		{`task is "ranking"`, Config{Manifest: "a.csv", Task: "ranking"}},
		{"task is regression", Config{Manifest: "a.csv", Task: Regression}},
		{"tags or tags_file is set", Config{Manifest: "a.jsonl", Task: Regression, Tags: 2}},
		{"convention is missing, want one of makam, hindustani, carnatic", Config{Format: Dunya, Root: "a"}},
		{`convention is "half", want one of all, tagged`, Config{Format: MagnaTagATune, Root: "a", Convention: "half"}},
		{"convention is set", Config{Manifest: "a.csv", Convention: "all"}},
		{"splits is set, which format manifest", Config{Manifest: "a.csv", Splits: three}},
		{"splits is set, which the convention all", Config{Format: MagnaTagATune, Root: "a", Splits: three}},
		{"splits is missing: the convention ccml", Config{Format: FMA, Root: "a"}},
		{"splits is set, which the convention official", Config{Format: FMA, Root: "a", Convention: "official", Splits: three}},
		{"want all of train, valid and test", Config{Format: FMA, Root: "a", Splits: Splits{Train: "a"}}},
		{"or valid alone", Config{Format: Lyra, Root: "a", Splits: Splits{Train: "a"}}},
		{"either splits, or split_seed", Config{Format: Music4All, Root: "a"}},
		{"either splits, or split_seed", Config{Format: Music4All, Root: "a", Splits: three, SplitSeed: &seed}},
	} {
		if _, err := Open(c.cfg); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want ErrConfig with %s", c.cfg, err, c.want)
		}
	}
}

func TestTagsFile(t *testing.T) {
	npy, err := os.ReadFile("testdata/tags.npy")
	if err != nil {
		t.Fatal(err)
	}
	f := files{"own.csv": "path,split,tags\na.wav,train,saz|düyek|𝄞\nb.wav,valid,saz\nc.wav,test,rare\n", "a.wav": "", "b.wav": "", "c.wav": ""}
	for name, text := range map[string]string{"tags.txt": "saz\ndüyek\n𝄞\n", "tags.json": `["saz", "düyek", "𝄞"]`, "labels.json": `{"train": ["saz", "düyek", "𝄞"], "test": ["rare"]}`, "tags.npy": string(npy)} {
		dir := f.with(t, name, "", text).on(t)
		cfg := Config{Manifest: dir + "/own.csv", TagsFile: dir + "/" + name}
		same(t, name, open(t, cfg).Tags, []string{"saz", "düyek", "𝄞"})
		cfg.Tags = 2
		same(t, name, open(t, cfg).Tags, []string{"saz", "düyek"})
	}
	object, err := os.ReadFile("testdata/object.npy")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"tags.txt", "saz\nrare\n", "tags.txt: invalid dataset: line 2: tag \"rare\" is unknown: no train row has it"},
		{"tags.txt", "saz\n\nsaz\n", "line 3: tag \"saz\" is on line 1 already"},
		{"tags.txt", "\n", "no tags, want one a line"},
		{"tags.txt", utf16("saz"), "the file is UTF-16"},
		{"tags.json", `["saz", 7]`, "want a JSON list of tags"},
		{"tags.json", `{"train": 7}`, `want {"train": [...]}`},
		{"tags.json", `["saz", "ney"]`, "entry 2: tag \"ney\" is unknown"},
		{"tags.npy", "numbers", "not an .npy file"},
		{"tags.npy", string(object), "an array of Python objects, want strings"},
		{"tags.npy", string(npy[:len(npy)-4]), "bytes of data, want those of 3 strings"},
	} {
		dir := f.with(t, c.name, "", c.text).on(t)
		if _, err := Open(Config{Manifest: dir + "/own.csv", TagsFile: dir + "/" + c.name}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: got %v, want %s", c.name, c.text, err, c.want)
		}
	}
}

// FuzzNPYStrings holds that no file makes it panic, and that it returns no more than the file holds.
func FuzzNPYStrings(f *testing.F) {
	for _, name := range []string{"ids.npy", "tags.npy", "object.npy"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := npyStrings(data); err == nil && 4*len(got) > len(data) {
			t.Errorf("%d strings of %d bytes", len(got), len(data))
		}
	})
}

// FuzzDunya holds that metadata of any kind is rows or an error with a line.
func FuzzDunya(f *testing.F) {
	f.Add(tagged())
	f.Add(`[{"mbid": "00000000-0000-4000-8000-000000000001", "makamlist": [], "usullist": [], "performers": []}]`)
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/m.json", []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		l := &Listing{}
		if _, err := readDunyaMetadata(dir+"/m.json", "makam", &recordings{folder: dir}, l); err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v does not wrap ErrInvalid", text, err)
		}
	})
}
