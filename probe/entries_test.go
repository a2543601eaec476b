package probe

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"syncretic/checkpoint"
)

func TestEntries(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "a [cache]")
	if got, err := Entries(cache); err != nil || len(got) != 0 {
		t.Fatalf("of nothing: %v, %v", got, err)
	}
	ds := crops(t, shardItems+1)
	opts := cacheOptions(cache)
	first := mustExtract(t, ds, new(distinct), opts).Origin
	opts.DType = checkpoint.F16
	second := mustExtract(t, ds, new(distinct), opts).Origin
	opts.DType = ""
	mustExtract(t, ds, new(distinct), opts) // now it was used last
	got, err := Entries(cache)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v, want two entries", got, err)
	}
	e := got[0]
	if e.Key != first.Key() || got[1].Key != second.Key() || e.Dataset != "crops" || e.Model != "base" || e.Shards != 2 || e.Of != 2 || e.Bytes < 18*6*4 || e.Origin.Key() != e.Key {
		t.Errorf("got %+v", e)
	}
	release, err := checkpoint.LockFile(filepath.Join(cache, e.Key, "00001.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := RemoveEntry(cache, e.Key); !errors.Is(err, checkpoint.ErrLocked) {
		t.Errorf("one that is being computed: got %v, want ErrLocked", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := RemoveEntry(cache, e.Key); err != nil {
		t.Fatal(err)
	}
	if err := RemoveEntry(cache, e.Key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one that is gone: got %v, want ErrNotExist", err)
	}
	if err := RemoveEntry(filepath.Join(cache, "x"), "../"+second.Key()); !errors.Is(err, ErrInvalid) {
		t.Errorf("a key that is a path: got %v, want ErrInvalid", err)
	}
	if left, err := Entries(cache); err != nil || len(left) != 1 || left[0].Key != second.Key() {
		t.Errorf("left %+v, %v", left, err)
	}
}
