package probe

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"syncretic/checkpoint"
)

// entryName is the file of a cache's folder that says what it holds.
const entryName = "features.json"

// entryInfo is that file.
type entryInfo struct {
	Key     string `json:"key"`
	Dataset string `json:"dataset"`
	Model   string `json:"model"`
	Origin
}

// describe makes the folder of an entry and says in it what it is; where it exists, it notes the use by the file's time.
func describe(dir string, info entryInfo) error {
	info.Key = info.Origin.Key()
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, entryName)
	now := time.Now()
	if err := os.Chtimes(path, now, now); err == nil {
		return nil
	}
	if err := checkpoint.WriteFile(path, append(text, '\n'), false); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cache of features: %w", err)
	}
	return nil
}

// Entry is what a cache holds of one encoder and dataset.
type Entry struct {
	Key     string    `json:"key"`
	Dataset string    `json:"dataset"`
	Model   string    `json:"model"` // as it was called when they were computed
	Origin  Origin    `json:"origin"`
	Shards  int       `json:"shards"` // finished files
	Of      int       `json:"of"`     // files when complete
	Bytes   int64     `json:"bytes"`
	Used    time.Time `json:"used"` // last
}

// Entries lists what is in a cache, the last used first. A folder without a description, and a cache that does not exist, hold nothing.
func Entries(cache string) ([]Entry, error) {
	found, err := filepath.Glob(filepath.Join(globbed(cache), "*", entryName))
	if err != nil {
		return nil, err
	}
	entries := []Entry{}
	for _, path := range found {
		e, err := readEntry(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // freed meanwhile
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.Key, b.Key)) })
	return entries, nil
}

// globbed keeps what a path holds from being taken for a pattern.
func globbed(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

func readEntry(path string) (Entry, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Entry{}, err
	}
	var info entryInfo
	if err := json.Unmarshal(text, &info); err != nil {
		return Entry{}, fmt.Errorf("%w: %s: %w", ErrInvalid, path, err)
	}
	stat, err := os.Stat(path)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Key: filepath.Base(filepath.Dir(path)), Dataset: info.Dataset, Model: info.Model, Origin: info.Origin,
		Of: (info.Items + shardItems - 1) / shardItems, Used: stat.ModTime()}
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return Entry{}, err
	}
	for _, item := range list {
		if stat, err := item.Info(); err == nil {
			e.Bytes += stat.Size()
		}
		if filepath.Ext(item.Name()) == ".safetensors" && item.Name()[0] != '.' {
			e.Shards++
		}
	}
	return e, nil
}

// RemoveEntry frees one entry of a cache, by its whole key. One that a process computes is an error wrapping checkpoint.ErrLocked; those
// that only read it go on, where the system keeps mapped files.
func RemoveEntry(cache, key string) error {
	dir := filepath.Join(cache, key)
	if key != filepath.Base(key) {
		return fmt.Errorf("%w: key %q of features", ErrInvalid, key)
	}
	if _, err := os.Stat(filepath.Join(dir, entryName)); err != nil {
		return err
	}
	if err := freeLocks(dir, false); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// freeLocks removes the lock files of an entry that killed processes left. One that is held is an error wrapping checkpoint.ErrLocked
// unless it may be.
func freeLocks(dir string, mayBeHeld bool) error {
	locks, err := filepath.Glob(filepath.Join(globbed(dir), "*.lock"))
	if err != nil {
		return err
	}
	for _, lock := range locks {
		release, err := checkpoint.LockFile(lock)
		if mayBeHeld && errors.Is(err, checkpoint.ErrLocked) {
			continue
		}
		if err != nil {
			return err
		}
		if err := release(); err != nil {
			return err
		}
	}
	return nil
}
