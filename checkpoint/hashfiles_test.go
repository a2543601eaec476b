package checkpoint

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// hashable makes files and gives their hashes.
func hashable(t *testing.T, n int) (paths, want []string) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		data := make([]byte, i*300_000)
		for j := range data {
			data[j] = byte(j * (i + 3) >> 2)
		}
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		paths, want = append(paths, path), append(want, fmt.Sprintf("%x", sha256.Sum256(data)))
	}
	return paths, want
}

func TestHashFiles(t *testing.T) {
	paths, want := hashable(t, 6)
	if got, err := HashFiles(t.Context(), paths, ""); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := HashFiles(t.Context(), nil, ""); err != nil || len(got) != 0 {
		t.Errorf("no files: %v, %v", got, err)
	}
	if _, err := HashFiles(t.Context(), append(paths, filepath.Join(t.TempDir(), "none")), ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v, want fs.ErrNotExist", err)
	}
	if _, err := HashFiles(t.Context(), []string{t.TempDir()}, ""); err == nil {
		t.Error("a directory has a hash")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := HashFiles(ctx, paths, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, want context.Canceled", err)
	}
}

// The cache is believed, for a file that is the same in all that it records; a fresh file is not kept.
func TestHashFilesCache(t *testing.T) {
	t.Parallel() // it waits
	paths, want := hashable(t, 3)
	cache := filepath.Join(t.TempDir(), "deep", "hashes.json")
	if _, err := HashFiles(t.Context(), paths, cache); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cache); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("files that were just written are kept: %v", err)
	}
	if !canTellDead {
		return // a system without inodes keeps nothing
	}
	time.Sleep(racy + 200*time.Millisecond)
	if got, err := HashFiles(t.Context(), paths, cache); err != nil || !slices.Equal(got, want) {
		t.Errorf("first time: %v, %v, want %v", got, err, want)
	}
	k := loadHashes(cache)
	if len(k.files) != len(paths) {
		t.Fatalf("%d files kept, want %d", len(k.files), len(paths))
	}
	for id, f := range k.files { // what only the cache can say
		f.SHA256 = "known"
		k.files[id] = f
	}
	k.changed = true
	k.store(cache)
	if got, err := HashFiles(t.Context(), paths, cache); err != nil || !slices.Equal(got, []string{"known", "known", "known"}) {
		t.Errorf("second time: %v, %v, want what the cache has", got, err)
	}
	// Other contents of the same length, with the old time of modification.
	info, err := os.Stat(paths[1])
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, info.Size())
	if err := os.WriteFile(paths[1], data, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(paths[1], info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if got, err := HashFiles(t.Context(), paths, cache); err != nil || got[1] != fmt.Sprintf("%x", sha256.Sum256(data)) || got[2] != "known" {
		t.Errorf("after a change: %v, %v", got, err)
	}
	// A damaged cache only costs time.
	for _, text := range []string{"", "{", `{"schema":2,"files":[]}`, "[1]"} {
		if err := os.WriteFile(cache, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if got, err := HashFiles(t.Context(), paths[2:], cache); err != nil || got[0] != want[2] {
			t.Errorf("cache %q: %v, %v, want %s", text, got, err, want[2])
		}
	}
}

func TestHashCacheIsBounded(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "hashes.json")
	k := loadHashes(cache)
	for i := range maxKnown + 10 {
		id := fileID{Inode: uint64(i)}
		k.files[id] = knownHash{id, "x", int64(i)}
	}
	k.changed = true
	k.store(cache)
	again := loadHashes(cache)
	if _, ok := again.find(fileID{Inode: 9}); ok || len(again.files) != maxKnown {
		t.Errorf("%d files, the oldest among them %v; want the %d used last", len(again.files), ok, maxKnown)
	}
	if _, ok := again.find(fileID{Inode: 10}); !ok {
		t.Error("a file used later is gone")
	}
}
