package adapt

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Hours takes the same recordings whatever order the manifest has, others for another seed, and stops with the first that reaches them.
func TestHours(t *testing.T) {
	dir := t.TempDir()
	manifest := writeCorpus(t, dir, "low", 20, 220) // 15 for training, of 0.75 s
	rows := strings.Split(strings.TrimSpace(string(read(t, manifest))), "\n")
	slices.Reverse(rows[1:])
	reversed := writeFile(t, filepath.Join(dir, "reversed.csv"), strings.Join(rows, "\n")+"\n")
	take := func(manifest string, seconds float64, seed uint64, crop int) *Corpus {
		t.Helper()
		c, err := openCorpus(t.Context(), CorpusConfig{Name: "low", Manifest: manifest, Hours: seconds / 3600}, selection{seed: seed, samples: crop})
		if err != nil {
			t.Fatal(err)
		}
		c.files.Close()
		return c
	}
	a, b, other := ids(take(manifest, 3.1, 1, 0)), ids(take(reversed, 3.1, 1, 0)), ids(take(manifest, 3.1, 2, 0))
	if len(a) != 5 { // 4 are 3 s
		t.Errorf("took %q for 3.1 s, want 5", a)
	}
	if !slices.Equal(a, inOrderOf(a, string(read(t, manifest)))) {
		t.Errorf("%q are not in the manifest's order", a)
	}
	slices.Sort(b)
	sorted := slices.Sorted(slices.Values(a))
	if !slices.Equal(sorted, b) {
		t.Errorf("%q of a manifest, %q of the same in another order", a, b)
	}
	if slices.Sort(other); slices.Equal(sorted, other) {
		t.Errorf("two seeds take the same %q", a)
	}
	more := ids(take(manifest, 6, 1, 0))
	for _, id := range a {
		if !slices.Contains(more, id) {
			t.Errorf("%q are not among the %q of more hours", a, more)
		}
	}
	if all := take(manifest, 1e5, 1, 0); len(all.Recordings) != 15 || all.census.Unused != 0 {
		t.Errorf("more than there is: %d recordings, %+v", len(all.Recordings), all.census)
	}
	if c := take(manifest, 3.1, 1, 0); c.census.Unused != 10 || c.census.Samples != 15*18000 {
		t.Errorf("census %+v", c.census)
	}
}

// inOrderOf sorts ids as they stand in a text.
func inOrderOf(ids []string, text string) []string {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b string) int { return strings.Index(text, a+",") - strings.Index(text, b+",") })
	return sorted
}

// Recordings shorter than a crop are no hours, and those that cannot be read neither.
func TestHoursThatCount(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	manifest := filepath.Join(dir, "mixed.csv")
	writeFile(t, manifest, "path,start,end,split\nlow-0.wav,0,0.2,train\nlow-1.wav,,,train\nlow-2.wav,,,train\nlow-4.wav,,,train\n")
	damage(t, filepath.Join(dir, "low-2.wav"))
	cfg.Corpora = cfg.Corpora[:1]
	cfg.Corpora[0].Manifest, cfg.Corpora[0].SkipBad, cfg.Corpora[0].Hours = manifest, true, 1.5/3600
	cfg.Stages[0].Replay = 0
	run := open(t, cfg)
	k := run.Index().Corpora[0]
	if k.Recordings != 4 || k.Short != 1 || k.Unreadable != 1 || k.Used != 2 || math.Abs(k.HoursUsed-1.5/3600) > 1e-9 || math.Abs(k.Hours-1.7/3600) > 1e-9 {
		t.Errorf("index %+v", k)
	}
	if w := run.Index().Warnings; len(w) != 0 {
		t.Errorf("warnings %q", w)
	}
	if s := run.Skipped(); len(s) != 1 || !strings.HasSuffix(s[0].Path, "low-2.wav") {
		t.Errorf("skipped %+v", s)
	}
	if want := 6. * 3 * 2 * 0.5 / 1.5; math.Abs(k.Passes-want) > 1e-9 || !slices.Equal(k.Shares, []float64{1, 1}) {
		t.Errorf("%g passes with shares %v, want %g", k.Passes, k.Shares, want)
	}
	cfg.Corpora[0].Hours = 1
	if w := open(t, cfg).Index().Warnings; len(w) != 1 || !strings.Contains(w[0], "corpus low: 1 hours asked for, it has 0.0004167: all of it is used") {
		t.Errorf("warnings %q", w)
	}
}

// damage cuts a file's samples short while its header stays.
func damage(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-20000); err != nil {
		t.Fatal(err)
	}
}

func TestFolderAsCorpus(t *testing.T) {
	dir := t.TempDir()
	writeCorpus(t, dir, "low", 4, 220)
	c, err := OpenCorpus(CorpusConfig{Name: "all", Manifest: dir})
	if err != nil || len(c.Recordings) != 4 || c.Recordings[3].ID != "low-3.wav" {
		t.Errorf("a folder: %v, %v, want its 4 files", c, err)
	}
	for _, split := range []string{"train", "valid"} {
		_, err := OpenCorpus(CorpusConfig{Name: "all", Manifest: dir, Split: split})
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "is a folder, which has no splits; leave split out") {
			t.Errorf("split %s of a folder: %v", split, err)
		}
	}
}

// The index of a mix says how often each corpus is drawn from, stage by stage.
func TestIndexShares(t *testing.T) {
	run := open(t, tinyConfig(t, t.TempDir()))
	x := run.Index()
	for i, want := range [][]float64{{0.7, 1}, {0.3, 0}} {
		for s := range want {
			if math.Abs(x.Corpora[i].Shares[s]-want[s]) > 1e-12 {
				t.Errorf("%s: shares %v, want %v", x.Corpora[i].Name, x.Corpora[i].Shares, want)
			}
		}
	}
	if want := 3 * 3 * 2 * 0.5 * 0.3 / (6 * 0.75); math.Abs(x.Corpora[1].Passes-want) > 1e-9 {
		t.Errorf("%g passes of the replay, want %g", x.Corpora[1].Passes, want)
	}
}
