package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"syncretic/adapt/audio"
)

// lengths is an encoder whose features are the number of samples, in s, and the first sample: [2][1].
type lengths struct{ calls atomic.Int64 }

func (l *lengths) Features(samples []float32) ([][]float32, error) {
	l.calls.Add(1)
	return [][]float32{{float32(len(samples)) / audio.SampleRate}, {samples[0]}}, nil
}

// encoder is any function as an Extractor.
type encoder func(samples []float32) ([][]float32, error)

func (f encoder) Features(samples []float32) ([][]float32, error) { return f(samples) }

// recordings returns a dataset of one train, one valid and one test recording of 5.5, 0.5 and 3 s.
func recordings(t *testing.T) *Dataset {
	t.Helper()
	dir := t.TempDir()
	ds := &Dataset{Name: "tones", Tags: []string{"x"}}
	for i, seconds := range []float64{5.5, 0.5, 3} {
		id := fmt.Sprintf("%d.wav", i)
		writeTone(t, filepath.Join(dir, id), seconds)
		ds.Items = append(ds.Items, Item{ID: id, Path: filepath.Join(dir, id), Split: []string{Train, Valid, Test}[i], Labels: []bool{i == 0}})
	}
	return ds
}

func TestExtractCutsWindows(t *testing.T) {
	ds := recordings(t)
	for _, c := range []struct {
		name       string
		window     float64
		start, end float64 // of the first item
		want       float32 // mean length of the first item's windows
		calls      int64   // for all items
	}{
		{"whole items", 0, 0, 0, 5.5, 3},
		{"a short last window is dropped", 2.5, 0, 0, 2.5, 2 + 1 + 1},            // 2.5 2.5 (.5) | .5 | 2.5 (.5)
		{"a last window of a second or more stays", 2, 0, 0, 5.5 / 3, 3 + 1 + 2}, // 2 2 1.5 | .5 | 2 1
		{"a window longer than the item", 60, 0, 0, 5.5, 3},
		{"a crop", 2, 1, 4, 1.5, 2 + 1 + 2}, // 2 1
		{"a short crop", 2, 1, 1.25, 0.25, 1 + 1 + 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			ds.Items[0].Start, ds.Items[0].End = c.start, c.end
			ex := new(lengths)
			f, err := Extract(context.Background(), ds, ex, ExtractOptions{Window: c.window})
			if err != nil {
				t.Fatal(err)
			}
			if f.Layers != 2 || f.Dim != 1 || !slices.Equal(f.Items, []int{0, 1, 2}) {
				t.Fatalf("features [%d][%d] of items %v", f.Layers, f.Dim, f.Items)
			}
			if math.Abs(float64(rowOf(t, f, 0)[0]-c.want)) > 1e-6 || rowOf(t, f, 1)[0] != 0.5 || ex.calls.Load() != c.calls {
				t.Errorf("mean lengths %v and %v in %d calls, want %v, 0.5 and %d", rowOf(t, f, 0)[0], rowOf(t, f, 1)[0], ex.calls.Load(), c.want, c.calls)
			}
		})
	}
}

func TestExtractAveragesWindowsAndHonoursStart(t *testing.T) {
	ds := recordings(t)
	ds.Items[0].Start, ds.Items[0].End = 1, 5
	f, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{Splits: []string{Train}, Window: 2})
	if err != nil {
		t.Fatal(err)
	}
	at := func(second int) float64 { return float64(second*audio.SampleRate%128) / 128 }
	const tolerance = 1e-4 // 16-bit files
	if want := (at(1) + at(3)) / 2; math.Abs(float64(rowOf(t, f, 0)[1])-want) > tolerance {
		t.Errorf("mean first sample %v, want %v", rowOf(t, f, 0)[1], want)
	}
	if !slices.Equal(f.Items, []int{0}) {
		t.Errorf("items %v, want the train item alone", f.Items)
	}
}

// With PoolWindows every window is a row; their mean is the row of PoolItems.
func TestExtractWindows(t *testing.T) {
	ds := recordings(t)
	f, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{Window: 2, Pool: PoolWindows})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Items, []int{0, 0, 0, 1, 2, 2}) { // 2 2 1.5 | .5 | 2 1
		t.Fatalf("rows of items %v", f.Items)
	}
	for i, want := range []float32{2, 2, 1.5, 0.5, 2, 1} {
		if got := rowOf(t, f, i)[0]; got != want {
			t.Errorf("row %d: a window of %v s, want %v", i, got, want)
		}
	}
	if _, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{Pool: "songs"}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), `pool is "songs"`) {
		t.Errorf("an unknown pool: %v", err)
	}
}

func TestExtractProgressAndThreads(t *testing.T) {
	ds := recordings(t)
	for range 4 {
		ds.Items = append(ds.Items, ds.Items...)
	}
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	want, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{Window: 1})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(4)
	var seen []int
	got, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{Window: 1, Progress: func(done, total int) {
		if total != len(ds.Items) {
			t.Errorf("total %d, want %d", total, len(ds.Items))
		}
		seen = append(seen, done)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Values, want.Values) {
		t.Error("other values with 4 threads than with 1")
	}
	for i, done := range seen {
		if done != i+1 {
			t.Fatalf("progress %v, want 1, 2, 3, ...", seen)
		}
	}
	if len(seen) != len(ds.Items) {
		t.Errorf("%d calls of progress, want %d", len(seen), len(ds.Items))
	}
}

func TestExtractNamesTheItem(t *testing.T) {
	constant := func(layers ...[]float32) encoder {
		return func([]float32) ([][]float32, error) { return layers, nil }
	}
	broken := errors.New("broken encoder")
	byLength := encoder(func(samples []float32) ([][]float32, error) {
		return [][]float32{make([]float32, 1+len(samples)/audio.SampleRate)}, nil
	})
	for _, c := range []struct {
		name string
		ex   Extractor
		opts ExtractOptions
		is   error
		want string
	}{
		{"NaN", constant([]float32{1, float32(math.NaN())}), ExtractOptions{}, ErrInvalid, "layer 0, feature 1 is NaN"},
		{"infinite", constant([]float32{1}, []float32{float32(math.Inf(1))}), ExtractOptions{}, ErrInvalid, "layer 1, feature 0 is +Inf"},
		{"none", constant(), ExtractOptions{}, ErrInvalid, "no features"},
		{"empty layer", constant([]float32{}), ExtractOptions{}, ErrInvalid, "no features"},
		{"ragged", constant([]float32{1}, []float32{1, 2}), ExtractOptions{}, ErrInvalid, "layer 1 has 2 features, want 1"},
		{"shapes of items", byLength, ExtractOptions{}, ErrInvalid, "item 1.wav: features are [1][1], the first item's [1][6]"},
		{"shapes of windows", byLength, ExtractOptions{Window: 3}, ErrInvalid, "item 0.wav: window at sample 72000"},
		{"encoder", encoder(func([]float32) ([][]float32, error) { return nil, broken }), ExtractOptions{}, broken, `dataset "tones": item`},
		{"a split it lacks", new(lengths), ExtractOptions{Splits: []string{"dev"}}, ErrInvalid, `no items in split "dev"`},
		{"short window", new(lengths), ExtractOptions{Window: 0.5}, ErrConfig, "window of 0.5 s"},
		{"negative window", new(lengths), ExtractOptions{Window: -1}, ErrConfig, "window of -1 s"},
		{"window NaN", new(lengths), ExtractOptions{Window: math.NaN()}, ErrConfig, "window of NaN s"},
	} {
		_, err := Extract(context.Background(), recordings(t), c.ex, c.opts)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %v with %s", c.name, err, c.is, c.want)
		}
	}
	ds := recordings(t)
	ds.Items[2].End = 3.5
	if _, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{}); !errors.Is(err, audio.ErrInvalid) || !strings.Contains(err.Error(), "item 2.wav") {
		t.Errorf("a crop that leaves its file: got %v", err)
	}
	ds.Items[2].Path = filepath.Join(t.TempDir(), "gone.wav")
	if _, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing recording: got %v", err)
	}
}

// damage cuts a recording to a third of its bytes, or gives its header another sample rate.
func damage(t *testing.T, path string, change func(data []byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Items whose file is broken are left out only when that is asked for, and are named; a crop that is not in its file, a missing file and
// an encoder that fails are errors all the same.
func TestExtractSkipsBad(t *testing.T) {
	ds := recordings(t)
	ds.Items = append(ds.Items, Item{ID: "again", Path: ds.Items[0].Path, Split: Train, Start: 1, End: 2})
	damage(t, ds.Items[0].Path, func(data []byte) []byte { return data[:len(data)/3] })
	if _, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{}); !errors.Is(err, audio.ErrInvalid) || !strings.Contains(err.Error(), "item 0.wav") {
		t.Errorf("not asked for: %v", err)
	}
	f, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{SkipBad: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Items, []int{1, 2}) || len(f.Values) != 4 || rowOf(t, f, 1)[0] != 3 {
		t.Errorf("items %v, values %v", f.Items, f.Values)
	}
	if len(f.Skipped) != 2 || f.Skipped[0].Item != 0 || f.Skipped[1].Item != 3 || f.Skipped[0].Path != ds.Items[0].Path || !strings.Contains(f.Skipped[1].Reason, "truncated") {
		t.Errorf("left out %+v, want both items of 0.wav", f.Skipped)
	}
	if s, err := f.Split(ds, Test); err != nil || !slices.Equal(s.Features.Items, []int{2}) {
		t.Errorf("split test: %+v, %v", s.Features, err)
	}
	if _, err := f.Split(ds, Train); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `no item of split "train" can be read; the first: `+ds.Items[0].Path) {
		t.Errorf("a split of which nothing is left: %v", err)
	}
	only := *ds
	only.Items = ds.Items[:1]
	if _, err := Extract(context.Background(), &only, new(lengths), ExtractOptions{SkipBad: true}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "none of 1 items can be read; the first: ") {
		t.Errorf("nothing left: %v", err)
	}
	for name, change := range map[string]func(*Item){
		"a crop outside": func(i *Item) { i.Start, i.End = 1, 30 },
		"a missing file": func(i *Item) { i.Path += "x" },
	} {
		ds := recordings(t)
		change(&ds.Items[2])
		if _, err := Extract(context.Background(), ds, new(lengths), ExtractOptions{SkipBad: true}); err == nil || !strings.Contains(err.Error(), "item 2.wav") {
			t.Errorf("%s: %v, want an error", name, err)
		}
	}
	failing := encoder(func([]float32) ([][]float32, error) { return nil, audio.ErrInvalid })
	if _, err := Extract(context.Background(), recordings(t), failing, ExtractOptions{SkipBad: true}); !errors.Is(err, audio.ErrInvalid) {
		t.Errorf("an encoder that fails: %v, want its error", err)
	}
}

// A file at another rate is resampled as the options say.
func TestExtractResamples(t *testing.T) {
	ds := recordings(t)
	path := ds.Items[2].Path
	damage(t, path, func(data []byte) []byte { data[24], data[25] = 0x80, 0xbb; return data }) // 24,000 becomes 48,000
	mid := encoder(func(samples []float32) ([][]float32, error) { return [][]float32{{samples[len(samples)/2+7]}}, nil })
	got := map[float32]bool{}
	for _, method := range []audio.Resampling{"", audio.Kaiser, audio.Torchaudio} {
		f, err := Extract(context.Background(), ds, mid, ExtractOptions{Splits: []string{Test}, Resampling: method})
		if err != nil {
			t.Fatal(err)
		}
		want, err := audio.Options{Resampling: method}.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Values[0] != want[len(want)/2+7] {
			t.Errorf("%q: %v, want %v", method, f.Values[0], want[len(want)/2+7])
		}
		got[f.Values[0]] = true
	}
	if len(got) != 2 {
		t.Errorf("values %v, want two: kaiser's and torchaudio's", got)
	}
}

func TestExtractStopsWhenCancelled(t *testing.T) {
	ds := recordings(t)
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	ex := encoder(func([]float32) ([][]float32, error) {
		calls++
		cancel()
		return [][]float32{{1}}, nil
	})
	if _, err := Extract(ctx, ds, ex, ExtractOptions{Window: 2}); !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("got %v after %d windows, want context.Canceled after 1", err, calls)
	}
}
