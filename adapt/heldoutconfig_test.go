package adapt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncretic/adapt/audio"
)

func TestHeldoutConfigRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no every", func(c *Config) { c.Heldout = HeldoutConfig{Clips: 5} }, "heldout.every: got 0"},
		{"negative every", func(c *Config) { c.Heldout.Every = -1 }, "heldout.every: got -1"},
		{"negative clips", func(c *Config) { c.Heldout.Clips = -1 }, "heldout.clips: got -1"},
		{"a name of the recipe's", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "low", Manifest: "x"}} }, `the name "low" stands twice`},
		{"a name twice", func(c *Config) {
			c.Heldout.Corpora = []CorpusConfig{{Name: "x", Manifest: "x"}, {Name: "x", Manifest: "y"}}
		}, `the name "x" stands twice`},
		{"no name", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Manifest: "x"}} }, `the name "" is no plain name`},
		{"a path as a name", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "../x", Manifest: "x"}} }, "is no plain name"},
		{"no manifest", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "x"}} }, "manifest is missing"},
		{"replay", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "x", Manifest: "x", Replay: true}} }, "replay and weight"},
		{"resampler", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "x", Manifest: "x", Resampler: "linear"}} }, "linear"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := watchedConfig(t, t.TempDir())
			c.change(&cfg)
			if err := cfg.validate(); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ErrConfig with %q", err, c.want)
			}
		})
	}
}

func TestHeldoutIsParsedAndStored(t *testing.T) {
	doc := "base: b\nteacher: {path: t}\ncorpora: [{name: a, manifest: m}]\nstages: [{name: s, steps: 1, lr: {peak: 1}}]\n"
	cfg, err := ParseConfig([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := cfg.Marshal()
	if err != nil || strings.Contains(string(stored), "heldout") {
		t.Errorf("a recipe without the key is stored as %s (%v)", stored, err)
	}
	cfg, err = ParseConfig([]byte(doc + "heldout: {every: 200, corpora: [{name: western, manifest: w, split: test}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if stored, err = cfg.Marshal(); err != nil {
		t.Fatal(err)
	}
	back, err := ParseConfig(stored)
	if err != nil || back.Heldout.Every != 200 || back.Heldout.Corpora[0].Split != "test" {
		t.Errorf("read back %+v (%v)", back.Heldout, err)
	}
	if _, err := ParseConfig([]byte(doc + "heldout: {evry: 200}\n")); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "every") {
		t.Errorf("got %v, want the nearest key", err)
	}
}

// manifest writes rows of existing files below dir.
func manifest(t *testing.T, dir, name string, entries ...audio.Entry) string {
	t.Helper()
	path := filepath.Join(dir, name)
	for i := range entries {
		entries[i].Path = filepath.Join(dir, entries[i].ID)
	}
	if err := audio.WriteManifest(path, entries, true); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenHeldout(t *testing.T) {
	dir := t.TempDir()
	base := watchedConfig(t, dir)
	open(t, base) // fits the teacher
	other := t.TempDir()
	writeCorpus(t, other, "other", 4, 330)
	trainOnly := manifest(t, other, "train.csv", audio.Entry{ID: "other-0.wav", Split: "train"}, audio.Entry{ID: "other-1.wav", Split: "train"})
	if err := os.Symlink(filepath.Join(dir, "low-0.wav"), filepath.Join(other, "link.wav")); err != nil {
		t.Fatal(err)
	}
	// Crops of 0.5 s from recordings of 0.75 s.
	linked := manifest(t, other, "linked.csv", audio.Entry{ID: "link.wav", Split: "valid"})
	halves := manifest(t, other, "halves.csv", audio.Entry{ID: "other-2.wav", End: 0.5, Split: "train"}, audio.Entry{ID: "other-3.wav", Split: "train"})
	overlap := manifest(t, other, "overlap.csv", audio.Entry{ID: "other-2.wav", Start: 0.2, End: 0.75, Split: "valid"})
	beside := manifest(t, other, "beside.csv", audio.Entry{ID: "other-2.wav", Start: 0.5, End: 0.75, Split: "valid"})

	for _, c := range []struct {
		name   string
		change func(*Config)
		want   error
		text   string
	}{
		{"no rows of the split", func(c *Config) { c.Heldout.Split = "live" }, ErrConfig, `heldout.split: corpus low: ` + base.Corpora[0].Manifest + ` has no row of split "live"`},
		{"no rows anywhere", func(c *Config) {
			c.Heldout.Split = ""
			c.Corpora = []CorpusConfig{{Name: "other", Manifest: trainOnly}}
			c.Stages[0].Replay = 0
		}, ErrConfig, `no corpus has rows of split "valid"`},
		{"no such manifest", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "x", Manifest: "nowhere.csv"}} }, fs.ErrNotExist, "heldout: corpus x"},
		{"a further corpus without rows", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "x", Manifest: trainOnly}} }, ErrConfig, `heldout.corpora[0] (x)`},
		{"crops longer than what is held out", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "x", Manifest: beside}} }, audio.ErrInvalid, "corpus x: no recording is as long as a crop"},
		{"the training rows", func(c *Config) { c.Heldout.Split = "train" }, ErrConfig, "heldout: corpus low: " + filepath.Join(dir, "low-0.wav") + ": 0.00 to 0.75 s are learnt from too, as part of corpus low"},
		{"training on every row", func(c *Config) { c.Corpora[1].Split = AllSplits }, ErrConfig, "heldout: corpus high: "},
		{"the folder that is learnt from", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "x", Manifest: dir}} }, ErrConfig, "heldout: corpus x: "},
		{"under another name", func(c *Config) { c.Heldout.Corpora = []CorpusConfig{{Name: "x", Manifest: linked}} }, ErrConfig, "link.wav: 0.00 to 0.75 s are learnt from too, as part of corpus low"},
		{"a part in common", func(c *Config) {
			c.Corpora = append(c.Corpora, CorpusConfig{Name: "halves", Manifest: halves})
			c.Heldout.Split = ""
			c.Heldout.Corpora = []CorpusConfig{{Name: "x", Manifest: overlap}}
		}, ErrConfig, "other-2.wav: 0.20 to 0.50 s are learnt from too, as part of corpus halves"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := base
			cfg.Corpora, cfg.Stages = append([]CorpusConfig{}, base.Corpora...), append([]Stage{}, base.Stages...)
			c.change(&cfg)
			_, err := Open(t.Context(), cfg, nil)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.text)
			}
		})
	}

	cfg := base
	cfg.Heldout.Split = ""
	cfg.Corpora = append([]CorpusConfig{{Name: "halves", Manifest: halves}}, base.Corpora...)
	cfg.Batch.Seconds = 0.2
	cfg.Heldout.Corpora = []CorpusConfig{{Name: "folder", Manifest: t.TempDir()}, {Name: "beside", Manifest: beside}}
	writeCorpus(t, cfg.Heldout.Corpora[0].Manifest, "far", 3, 550)
	got := open(t, cfg).Heldout()
	if len(got) != 5 || got[0].Name != "low" || got[2].Split != AllSplits || got[2].Of != 3 || got[3].Name != "beside" || got[3].Of != 1 {
		t.Errorf("held-out corpora %+v", got)
	}
	if left := got[4]; left.Name != "halves" || left.Clips != 0 || !strings.Contains(left.Out, `has no row of split "valid"`) {
		t.Errorf("left out %+v", left)
	}
}

// The search for what reaches furthest holds against trying every pair.
func TestLeaksAreFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.wav")
	rng := stream(3, "leaks")
	for range 300 {
		var learnt []Recording
		for range 1 + rng.IntN(6) {
			learnt = append(learnt, Recording{Path: path, Start: rng.IntN(40), Len: 1 + rng.IntN(10)})
		}
		h := Recording{Path: path, Start: rng.IntN(40), Len: 1 + rng.IntN(10)}
		want := false
		for _, r := range learnt {
			want = want || r.Start < h.Start+h.Len && h.Start < r.Start+r.Len
		}
		err := refuseLeaks([]*Corpus{{Name: "learnt", Recordings: learnt}}, []EvalCorpus{{Corpus: &Corpus{Name: "held", Recordings: []Recording{h}}}})
		if (err != nil) != want {
			t.Fatalf("held [%d, +%d) among %+v: %v, want a leak %v", h.Start, h.Len, learnt, err, want)
		}
	}
}
