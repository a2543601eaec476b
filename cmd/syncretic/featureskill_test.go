//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"syncretic/adapt/audio"
)

// archive writes archive.csv with n crops of one recording, and features.yml, which keeps the features of their windows of a second in
// the folder cache.
func (w workshop) archive(n int) {
	w.t.Helper()
	w.model("base", narrow, 1)
	w.tone("long.wav", 330, float64(n)/8+5)
	var entries []audio.Entry
	for i := range n {
		start := float64(i) / 8
		entries = append(entries, audio.Entry{Path: "long.wav", ID: "long.wav", Start: start, End: start + 4, Split: "train", Tags: []string{"x"}})
	}
	for i, split := range []string{"valid", "test"} {
		id := split + ".wav"
		w.tone(id, 440, float64(i)+2)
		entries = append(entries, audio.Entry{Path: id, ID: id, Split: split, Tags: []string{"x"}})
	}
	w.must(audio.WriteManifest("archive.csv", entries, false))
	w.write("features.yml", "model: base\nwindow: 1\ncache: cache\ndatasets: [{name: archive, manifest: archive.csv}]\n")
}

// shards are the finished files of a cache: path and inode, which changes when a file is written anew.
func shards(t *testing.T, cache string) map[string]uint64 {
	t.Helper()
	found := map[string]uint64{}
	for _, path := range glob(filepath.Join(cache, "*", "[0-9]*.safetensors")) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		found[path] = info.Sys().(*syscall.Stat_t).Ino
	}
	return found
}

// computed is the number of items that a process of `probe features` computed, by what it printed.
func (c *child) computed(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(c.stdout.Name())
	if err != nil {
		t.Fatal(err)
	}
	var res featuresResult
	if err := json.Unmarshal(text, &res); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return res.Features[0].Computed
}

// An extraction that is killed again and again never computes a finished file anew, leaves nothing but those, and ends on the bytes of
// one that nobody disturbed; every other round two processes share the work and one of them is killed.
// SYNCRETIC_KILLS sets how often, 6 times by default and at most 60; only kills that struck count.
func TestProbeFeaturesKilled(t *testing.T) {
	kills := 6
	if text := os.Getenv("SYNCRETIC_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("SYNCRETIC_KILLS=%s: want a number", text)
		}
		kills = min(n, 60)
	}
	const items = 160
	w := newWorkshop(t)
	w.archive(items - 2)
	line := []string{"probe", "features", "features.yml", "--quiet", "--json"}
	began := time.Now()
	whole := startCommand(t, line...)
	if status, stderr := whole.wait(t); status.ExitStatus() != exitDone {
		t.Fatalf("the undisturbed run: %v\n%s", status, stderr)
	}
	lasts := time.Since(began)
	if n := whole.computed(t); n != items {
		t.Fatalf("the undisturbed run computed %d items, want %d", n, items)
	}
	w.must(os.Rename("cache", "whole"))

	r := rand.New(rand.NewPCG(uint64(kills), 7))
	struck, early := 0, 0
	for round := 0; struck < kills; round++ {
		w.must(os.RemoveAll("cache"))
		var left int // items that the last run had to compute
		for done := false; !done; {
			before := shards(t, "cache")
			c := startCommand(t, line...)
			var other *child
			if round%2 == 1 {
				other = startCommand(t, line...)
			}
			if struck < kills {
				time.Sleep(time.Duration(r.Int64N(int64(lasts))))
				c.signal(t, syscall.SIGKILL)
			}
			status, stderr := c.wait(t)
			switch {
			case status.Signaled():
				struck++
				if len(shards(t, "cache")) < len(shards(t, "whole")) {
					early++
				}
			case status.ExitStatus() == exitDone:
				left, done = c.computed(t), true
			default:
				t.Fatalf("round %d: %v\n%s", round, status, stderr)
			}
			if other != nil { // it takes over what the killed one had claimed
				if status, stderr := other.wait(t); status.ExitStatus() != exitDone {
					t.Fatalf("round %d, the other: %v\n%s", round, status, stderr)
				}
				left, done = left+other.computed(t), true
			}
			after := shards(t, "cache")
			for path, inode := range before {
				if after[path] != inode {
					t.Fatalf("round %d: %s was finished, and is written anew", round, path)
				}
			}
			if want := items - 8*len(before); done && other == nil && left != want {
				t.Errorf("round %d: the last run computed %d items, with %d files finished before it; want %d", round, left, len(before), want)
			}
		}
		sameCache(t, "whole", "cache")
	}
	t.Logf("%d kills, %d of them before all was computed", struck, early)
	if early == 0 {
		t.Error("no kill struck an extraction under way")
	}
}

// sameCache holds a cache to the files and bytes of another.
func sameCache(t *testing.T, want, got string) {
	t.Helper()
	names := func(dir string) map[string]string {
		found := map[string]string{}
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			found[path[len(dir):]] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	a, b := names(want), names(got)
	for name, text := range a {
		if b[name] != text {
			t.Errorf("%s differs from the undisturbed run's, or is missing", name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("%s was left", name)
		}
	}
}

// Two processes that fill one cache at once do each item once, between them.
func TestProbeFeaturesShared(t *testing.T) {
	const items = 320
	w := newWorkshop(t)
	w.archive(items - 2)
	var all [2]*child
	for i := range all {
		all[i] = startCommand(t, "probe", "features", "features.yml", "--quiet", "--json", "--threads", "1")
	}
	computed := 0
	for _, c := range all {
		if status, stderr := c.wait(t); status.ExitStatus() != exitDone {
			t.Fatalf("%v\n%s", status, stderr)
		}
		n := c.computed(t)
		t.Logf("one computed %d items", n)
		computed += n
	}
	if computed != items {
		t.Errorf("%d items were computed, want each of %d once", computed, items)
	}
	got := w.result("probe features features.yml")["features"].([]any)[0].(map[string]any)
	if got["computed"] != 0.0 || fmt.Sprint(got["rows"]) != fmt.Sprint(4*(items-2)+2+3) {
		t.Errorf("afterwards: %v computed, %v rows", got["computed"], got["rows"])
	}
}
