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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
)

// distinct is an encoder of [2][3] features that differ for every window and are not exact in F16. It counts its calls.
type distinct struct {
	calls atomic.Int64
	delay time.Duration
}

func (s *distinct) Features(samples []float32) ([][]float32, error) {
	s.calls.Add(1)
	time.Sleep(s.delay)
	var sum float32
	for i, v := range samples[:100] {
		sum += v * float32(i)
	}
	return [][]float32{{sum, float32(len(samples)) / 7, samples[0]}, {samples[1] / 3, sum / 9, 1e-3}}, nil
}

// crops returns a dataset of n crops of one recording, of 2 s each, all in train but the last two.
func crops(t *testing.T, n int) *Dataset {
	t.Helper()
	path := filepath.Join(t.TempDir(), "long.wav")
	writeTone(t, path, float64(n)/2+3)
	ds := &Dataset{Name: "crops", Tags: []string{"x"}}
	for i := range n {
		start := float64(i)/2 + float64(i)/1000
		item := Item{ID: fmt.Sprintf("long.wav %d", i), Path: path, Split: Train, Start: start, End: start + 2, Labels: []bool{i%2 == 0}}
		if i >= n-2 {
			item.Split = []string{Valid, Test}[i-n+2]
		}
		ds.Items = append(ds.Items, item)
	}
	return ds
}

func cacheOptions(dir string) ExtractOptions {
	return ExtractOptions{Window: 1, Pool: PoolWindows, Cache: dir, Encoder: map[string]string{"model_sha256": "1f"}, Model: "base"}
}

// allRows copies all rows.
func allRows(t *testing.T, f *Features) []float32 {
	t.Helper()
	var out []float32
	for i := range f.Items {
		out = append(out, rowOf(t, f, i)...)
	}
	return out
}

func mustExtract(t *testing.T, ds *Dataset, ex Extractor, opts ExtractOptions) *Features {
	t.Helper()
	f, err := Extract(context.Background(), ds, ex, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The same bits come with one goroutine and with four, with and without a cache, and a second time without the encoder.
func TestCacheGivesTheSameBits(t *testing.T) {
	ds := crops(t, 21)
	for _, pool := range []Pool{PoolWindows, PoolItems} {
		opts := cacheOptions("")
		opts.Pool = pool
		want := mustExtract(t, ds, new(distinct), opts)
		for _, threads := range []int{1, 4} {
			before := runtime.GOMAXPROCS(threads)
			defer runtime.GOMAXPROCS(before)
			opts.Cache = t.TempDir()
			opts.InFlight = threads
			ex := new(distinct)
			first := mustExtract(t, ds, ex, opts)
			again := mustExtract(t, ds, ex, opts)
			for _, f := range []*Features{first, again} {
				if !slices.Equal(allRows(t, f), want.Values) || !slices.Equal(f.Items, want.Items) || f.Layers != 2 || f.Dim != 3 {
					t.Errorf("%s, %d threads: other features than without a cache", pool, threads)
				}
			}
			if ex.calls.Load() != 42 || first.Computed != 21 || again.Computed != 0 {
				t.Errorf("%s: %d windows encoded, %d and %d items, want 42, 21 and 0", pool, ex.calls.Load(), first.Computed, again.Computed)
			}
		}
	}
}

// F16 rows are the nearest that half precision has, in half the bytes; a value beyond its range is an error that names the item.
func TestCacheF16(t *testing.T) {
	ds := crops(t, 9)
	opts := cacheOptions(t.TempDir())
	want := allRows(t, mustExtract(t, ds, new(distinct), opts))
	opts.DType = checkpoint.F16
	got := allRows(t, mustExtract(t, ds, new(distinct), opts))
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	rounded := 0
	for i, v := range got {
		if v != want[i] {
			rounded++
		}
		if math.Abs(float64(v-want[i])) > math.Abs(float64(want[i]))*0x1p-11+0x1p-25 {
			t.Errorf("value %d is %v, want %v within half a unit of the last place", i, v, want[i])
		}
	}
	if rounded == 0 {
		t.Error("no value was rounded: nothing is stored as F16")
	}
	huge := encoder(func([]float32) ([][]float32, error) { return [][]float32{{1, 70000}}, nil })
	opts.Encoder = map[string]string{"model_sha256": "huge"}
	if _, err := Extract(context.Background(), ds, huge, opts); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "item long.wav") || !strings.Contains(err.Error(), "70000 is beyond F16") {
		t.Errorf("beyond F16: %v", err)
	}
}

// Whatever decides the features is part of the key; what does not is not.
func TestCacheKey(t *testing.T) {
	ds := crops(t, 3)
	dir := t.TempDir()
	base := mustExtract(t, ds, new(distinct), cacheOptions(dir)).Origin.Key()
	keys := map[string]string{base: "itself"}
	for name, change := range map[string]func(*ExtractOptions){
		"model":     func(o *ExtractOptions) { o.Encoder = map[string]string{"model_sha256": "2e"} },
		"normalize": func(o *ExtractOptions) { o.Encoder = map[string]string{"model_sha256": "1f", "normalize": "true"} },
		"window":    func(o *ExtractOptions) { o.Window = 1.5 },
		"pool":      func(o *ExtractOptions) { o.Pool = PoolItems },
		"resampler": func(o *ExtractOptions) { o.Resampling = audio.Torchaudio },
		"dtype":     func(o *ExtractOptions) { o.DType = checkpoint.F16 },
		"splits":    func(o *ExtractOptions) { o.Splits = []string{Train} },
	} {
		opts := cacheOptions(dir)
		change(&opts)
		f := mustExtract(t, ds, new(distinct), opts)
		if other, taken := keys[f.Origin.Key()]; taken || f.Computed == 0 {
			t.Errorf("another %s has the key of %s, %d items computed", name, other, f.Computed)
		}
		keys[f.Origin.Key()] = name
	}
	same := cacheOptions(dir)
	same.InFlight, same.SkipBad, same.Model = 1, true, "elsewhere/base"
	renamed := *ds
	renamed.Name, renamed.Tags = "another name", []string{"x", "y"}
	if f := mustExtract(t, &renamed, new(distinct), same); f.Origin.Key() != base || f.Computed != 0 {
		t.Errorf("names and tags change the key, or %d items were computed again", f.Computed)
	}
	moved := *ds
	moved.Items = slices.Clone(ds.Items)
	moved.Items[0].End -= 0.5
	if f := mustExtract(t, &moved, new(distinct), cacheOptions(dir)); f.Origin.Key() == base {
		t.Error("another crop has the same key")
	}
	limited := *ds
	limited.Items = slices.Clone(ds.Items)
	limited.Items[0].Limit = 0.5
	if f := mustExtract(t, &limited, new(distinct), cacheOptions(dir)); f.Origin.Key() == base {
		t.Error("another limit has the same key")
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(ds.Items[0].Path, later, later); err != nil {
		t.Fatal(err)
	}
	if f := mustExtract(t, ds, new(distinct), cacheOptions(dir)); f.Origin.Key() == base || f.Computed != 3 {
		t.Error("a recording that was written anew has the same key")
	}
	if err := os.Remove(ds.Items[0].Path); err != nil {
		t.Fatal(err)
	}
	if _, err := Extract(context.Background(), ds, new(distinct), cacheOptions(dir)); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "item long.wav 0") {
		t.Errorf("a recording that is gone: %v", err)
	}
}

func TestExtractRefusesOptions(t *testing.T) {
	ds := crops(t, 3)
	for want, change := range map[string]func(*ExtractOptions){
		"the encoder's identity":        func(o *ExtractOptions) { o.Encoder = nil },
		"dtype of features is BF16":     func(o *ExtractOptions) { o.DType = checkpoint.BF16 },
		"F16 is of the files of a cach": func(o *ExtractOptions) { o.DType, o.Cache = checkpoint.F16, "" },
	} {
		opts := cacheOptions(t.TempDir())
		change(&opts)
		if _, err := Extract(context.Background(), ds, new(distinct), opts); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ErrConfig with %s", err, want)
		}
	}
}

// Of a long item only its Limit is heard.
func TestExtractLimit(t *testing.T) {
	ds := recordings(t) // 5.5, 0.5 and 3 s
	for i := range ds.Items {
		ds.Items[i].Limit = 4
	}
	f := mustExtract(t, ds, new(lengths), ExtractOptions{Window: 2, Pool: PoolWindows})
	if !slices.Equal(f.Items, []int{0, 0, 1, 2, 2}) || rowOf(t, f, 1)[0] != 2 {
		t.Errorf("rows of items %v, want two windows of 2 s of the first", f.Items)
	}
}

// A shard that was cut, or in which any one byte of the data or of its description differs, is named and computed again, and no other.
func TestCacheSpoilt(t *testing.T) {
	ds := crops(t, 3*shardItems)
	opts := cacheOptions(t.TempDir())
	f := mustExtract(t, ds, new(distinct), opts)
	want := allRows(t, f)
	path := filepath.Join(opts.Cache, f.Origin.Key(), "00001.safetensors")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inText := strings.Index(string(good), "long.wav")
	for name, spoil := range map[string]func([]byte) []byte{
		"truncated":         func(b []byte) []byte { return b[:len(b)-100] },
		"empty":             func([]byte) []byte { return nil },
		"flipped":           func(b []byte) []byte { b[len(b)-57] ^= 4; return b },
		"flipped in text":   func(b []byte) []byte { b[inText] ^= 1; return b },
		"another shard's":   func([]byte) []byte { other, _ := os.ReadFile(strings.Replace(path, "00001", "00002", 1)); return other },
		"something else":    func([]byte) []byte { return []byte("not a safetensors file at all") },
		"flipped in header": func(b []byte) []byte { b[9] ^= 1; return b },
	} {
		if err := os.WriteFile(path, spoil(slices.Clone(good)), 0o600); err != nil {
			t.Fatal(err)
		}
		f := mustExtract(t, ds, new(distinct), opts)
		if len(f.Spoilt) != 1 || !strings.Contains(f.Spoilt[0], "00001.safetensors") || f.Computed != shardItems {
			t.Errorf("%s: named %q, %d items computed, want one file and %d", name, f.Spoilt, f.Computed, shardItems)
		}
		if !slices.Equal(allRows(t, f), want) {
			t.Errorf("%s: other features", name)
		}
		if again := mustExtract(t, ds, new(distinct), opts); len(again.Spoilt) > 0 || again.Computed > 0 {
			t.Errorf("%s: spoilt still: %q", name, again.Spoilt)
		}
	}
}

// Several that fill one cache at once encode each window once between them, and all have everything.
func TestCacheShared(t *testing.T) {
	ds := crops(t, 10*shardItems)
	opts := cacheOptions(t.TempDir())
	ex := &distinct{delay: time.Millisecond}
	var wg sync.WaitGroup
	got := make([]*Features, 4)
	for i := range got {
		wg.Go(func() {
			f, err := Extract(context.Background(), ds, ex, opts)
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = f
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	computed, busy := 0, 0
	for _, f := range got {
		t.Cleanup(func() { f.Close() })
		computed += f.Computed
		if f.Computed > 0 {
			busy++
		}
		if !slices.Equal(allRows(t, f), allRows(t, got[0])) || len(f.Items) != 2*len(ds.Items) {
			t.Error("not all have the same features")
		}
	}
	if computed != len(ds.Items) || ex.calls.Load() != int64(2*len(ds.Items)) || busy < 2 {
		t.Errorf("%d items and %d windows computed by %d, want %d and %d by several", computed, ex.calls.Load(), busy, len(ds.Items), 2*len(ds.Items))
	}
	lock := filepath.Join(opts.Cache, got[0].Origin.Key(), "00003.lock") // as one leaves it that is killed after its file was finished
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustExtract(t, ds, ex, opts)
	if left, _ := filepath.Glob(filepath.Join(opts.Cache, "*", "*.lock")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// An extraction that fails or is cancelled keeps its finished shards.
func TestCacheKeepsWhatIsFinished(t *testing.T) {
	ds := crops(t, 4*shardItems)
	opts := cacheOptions(t.TempDir())
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	broken := errors.New("broken encoder")
	good := new(distinct)
	failing := encoder(func(samples []float32) ([][]float32, error) {
		if good.calls.Load() == 2*(2*shardItems+3) {
			return nil, broken
		}
		return good.Features(samples)
	})
	if _, err := Extract(context.Background(), ds, failing, opts); !errors.Is(err, broken) || !strings.Contains(err.Error(), fmt.Sprintf("item long.wav %d", 2*shardItems+3)) {
		t.Fatalf("got %v, want the encoder's error, with the item", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	stopping := encoder(func(samples []float32) ([][]float32, error) {
		if n++; n == 2*(shardItems+1) { // in the second shard of those left
			cancel()
		}
		return good.Features(samples)
	})
	if _, err := Extract(ctx, ds, stopping, opts); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	var seen []int
	opts.Progress = func(done, total int) { seen = append(seen, done) }
	f := mustExtract(t, ds, good, opts)
	if f.Computed != shardItems {
		t.Errorf("%d items computed, want those of the last shard, %d", f.Computed, shardItems)
	}
	for i, done := range seen {
		if done != i+1 {
			t.Fatalf("progress %v", seen)
		}
	}
	if len(seen) != len(ds.Items) {
		t.Errorf("%d calls of progress, want %d", len(seen), len(ds.Items))
	}
}

// What was left out stands in the cache with its reason, and is an error where it may not be left out.
func TestCacheSkipped(t *testing.T) {
	ds := recordings(t)
	damage(t, ds.Items[0].Path, func(data []byte) []byte { return data[:len(data)/3] })
	opts := cacheOptions(t.TempDir())
	opts.SkipBad = true
	for range 2 {
		f := mustExtract(t, ds, new(distinct), opts)
		if !slices.Equal(f.Items, []int{1, 2, 2, 2}) || len(f.Skipped) != 1 || f.Skipped[0].Item != 0 || !strings.Contains(f.Skipped[0].Reason, "truncated") {
			t.Errorf("items %v, left out %+v", f.Items, f.Skipped)
		}
	}
	opts.SkipBad = false
	if _, err := Extract(context.Background(), ds, new(distinct), opts); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "item 0.wav") || !strings.Contains(err.Error(), "truncated") {
		t.Errorf("not asked for: %v", err)
	}
	only := *ds
	only.Items = ds.Items[:1]
	opts.SkipBad = true
	for range 2 {
		if _, err := Extract(context.Background(), &only, new(distinct), opts); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "none of 1 items can be read") {
			t.Errorf("nothing left: %v", err)
		}
	}
}

// While features are computed into a cache, memory holds those of a few items only.
func TestCacheHoldsLittle(t *testing.T) {
	const values = 1 << 14
	ds := crops(t, 400)
	wide := encoder(func(samples []float32) ([][]float32, error) { return [][]float32{make([]float32, values)}, nil })
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	opts := cacheOptions(t.TempDir())
	base, most := heap(), uint64(0)
	opts.Progress = func(done, _ int) {
		if done%20 == 0 {
			most = max(most, heap())
		}
	}
	f := mustExtract(t, ds, wide, opts)
	most = max(most, heap())
	if all := uint64(len(f.Items) * 4 * values); most-base > all/3 {
		t.Errorf("the heap grew by %d of %d bytes of features", most-base, all)
	}
}
