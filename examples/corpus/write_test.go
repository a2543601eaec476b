package corpus

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"syncretic/adapt/audio"
)

// small is a corpus that takes no time.
func small(seed uint64) Options {
	return Options{Seed: seed, Seconds: .25, Train: 8, Valid: 3, Test: 5}
}

func TestWriteRoundTrip(t *testing.T) {
	for _, c := range Cultures() {
		dir := t.TempDir()
		opts := small(3)
		var calls []int
		opts.Progress = func(done, total int) {
			if total != 16 {
				t.Errorf("%s: progress of %d, want 16", c.Name, total)
			}
			calls = append(calls, done)
		}
		manifest, err := Write(context.Background(), dir, c, opts)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(dir, c.Name, "manifest.csv"); manifest != want {
			t.Errorf("manifest %s, want %s", manifest, want)
		}
		if len(calls) != 16 || !slices.IsSorted(calls) || calls[15] != 16 {
			t.Errorf("%s: progress %v", c.Name, calls)
		}
		entries, err := audio.ReadManifest(manifest)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 16 {
			t.Fatalf("%s: %d entries, want 16", c.Name, len(entries))
		}
		groups := map[string]bool{}
		for i, e := range entries {
			want, tags := c.Clip(3, i, .25)
			got, err := audio.Read(e.Path)
			if err != nil {
				t.Fatal(err)
			}
			if split := [...]string{"train", "valid", "test"}[either3(i < 8, i < 11)]; e.Split != split {
				t.Errorf("%s: split %q, want %q", e.ID, e.Split, split)
			}
			if !slices.Equal(e.Tags, tags) {
				t.Errorf("%s: tags %v, want %v", e.ID, e.Tags, tags)
			}
			if groups[e.Group] || e.Group == "" {
				t.Errorf("%s: group %q is another's", e.ID, e.Group)
			}
			groups[e.Group] = true
			sameSamples(t, e.ID, got, want)
		}
	}
}

func either3(first, second bool) int {
	if first {
		return 0
	}
	if second {
		return 1
	}
	return 2
}

// sameSamples compares within half a step of 16 bits.
func sameSamples(t *testing.T, id string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d samples, want %d", id, len(got), len(want))
	}
	for i := range got {
		if math.Abs(float64(got[i]-want[i])) > .5/32768+1e-7 {
			t.Fatalf("%s: sample %d is %g, want %g", id, i, got[i], want[i])
		}
	}
}

// The files are the same bytes whatever the number of threads.
func TestWriteIgnoresThreads(t *testing.T) {
	c := Cultures()[3]
	var trees []map[string][]byte
	for _, threads := range []int{1, 3} {
		before := runtime.GOMAXPROCS(threads)
		dir := t.TempDir()
		_, err := Write(context.Background(), dir, c, small(5))
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree(t, dir))
	}
	sameTree(t, trees[0], trees[1])
}

func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		files[rel], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func sameTree(t *testing.T, a, b map[string][]byte) {
	t.Helper()
	if len(a) != len(b) {
		t.Errorf("%d files and %d files", len(a), len(b))
	}
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestWriteAgain(t *testing.T) {
	c, dir := Cultures()[1], t.TempDir()
	write := func(opts Options) (made map[string][]byte) {
		t.Helper()
		if _, err := Write(context.Background(), dir, c, opts); err != nil {
			t.Fatal(err)
		}
		return tree(t, dir)
	}
	first := write(small(1))
	clip := filepath.Join(dir, c.Name, "audio", "00002.wav")

	// complete and the same: nothing is touched, not even a clip that is gone
	if err := os.Remove(clip); err != nil {
		t.Fatal(err)
	}
	opts := small(1)
	last := 0
	opts.Progress = func(done, total int) { last = done }
	write(opts)
	if _, err := os.Stat(clip); !errors.Is(err, fs.ErrNotExist) || last != 16 {
		t.Errorf("a complete corpus was written again (%v, progress %d)", err, last)
	}

	// interrupted: what is missing is made, what is there is kept
	if err := os.Remove(filepath.Join(dir, c.Name, "manifest.csv")); err != nil {
		t.Fatal(err)
	}
	sameTree(t, first, write(small(1)))

	// other options: another corpus, with no clip left over
	less := small(2)
	less.Test = 1
	second := write(less)
	if len(second) != 8+3+1+2 {
		t.Errorf("%d files, want 14", len(second))
	}
	if _, err := Write(context.Background(), filepath.Join(dir, "fresh"), c, less); err != nil {
		t.Fatal(err)
	}
	sameTree(t, second, tree(t, filepath.Join(dir, "fresh")))
}

func TestWriteLeavesOthersAlone(t *testing.T) {
	c, dir := Cultures()[0], t.TempDir()
	home := filepath.Join(dir, c.Name)
	if err := os.MkdirAll(filepath.Join(home, "audio"), 0o755); err != nil {
		t.Fatal(err)
	}
	precious := filepath.Join(home, "audio", "field-recording.wav")
	if err := os.WriteFile(precious, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Write(context.Background(), dir, c, small(1))
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want fs.ErrExist", err)
	}
	if got := tree(t, dir); len(got) != 1 || string(got[filepath.Join(c.Name, "audio", "field-recording.wav")]) != "mine" {
		t.Errorf("the folder was changed: %d files", len(got))
	}
}

func TestWriteStops(t *testing.T) {
	c, dir := Cultures()[4], t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	opts := small(1)
	opts.Progress = func(done, total int) {
		if done == 3 {
			cancel()
		}
	}
	if _, err := Write(ctx, dir, c, opts); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
	if _, err := os.Stat(filepath.Join(dir, c.Name, "manifest.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unfinished corpus has a manifest: %v", err)
	}
	if _, err := Write(context.Background(), dir, c, small(1)); err != nil {
		t.Errorf("not resumed: %v", err)
	}
}

func TestWriteOptions(t *testing.T) {
	c := Cultures()[0]
	for name, opts := range map[string]Options{
		"negative train": {Train: -1, Test: 3},
		"negative valid": {Valid: -1, Test: 3},
		"negative test":  {Train: 1, Test: -3},
		"too short":      {Seconds: .01},
		"too long":       {Seconds: 1e4},
		"not a number":   {Seconds: math.NaN()},
	} {
		if _, err := Write(context.Background(), t.TempDir(), c, opts); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Write(context.Background(), t.TempDir(), Culture{Name: "nowhere"}, Options{}); err == nil {
		t.Error("a culture that is not from Cultures: no error")
	}
	r, err := Options{}.record(c)
	if err != nil || r.Seconds != 4 || r.Train != 200 || r.Valid != 60 || r.Test != 140 {
		t.Errorf("defaults are %+v, %v", r, err)
	}
}

// A clip that cannot be written stops the corpus and is named.
func TestWriteReportsTheFile(t *testing.T) {
	c, dir := Cultures()[0], t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, c.Name), []byte("a file where the folder goes"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(context.Background(), dir, c, small(1)); err == nil {
		t.Error("no error")
	}
}
