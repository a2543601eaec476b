package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Where a directory is swapped by several renames, a kill between them leaves the old one under a third name. The next writer
// puts it back, and then refuses or replaces it as ever.
func TestSweepRestores(t *testing.T) {
	if !canTellDead {
		return
	}
	src, opts := generation(1)
	for _, force := range []bool{false, true} {
		dir := oldOutputs(t)
		path := filepath.Join(dir, "old")
		before := contents(t, dir)
		temp := filepath.Join(dir, ".old.tmp-1-2")
		if err := os.Mkdir(temp, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path, temp+asideSuffix); err != nil { // and then it was killed
			t.Fatal(err)
		}
		opts.Force = force
		err := Write(t.Context(), path, src, opts)
		if !force {
			if !errors.Is(err, fs.ErrExist) || contents(t, dir) != before {
				t.Errorf("without force: %v, want fs.ErrExist and the old output back", err)
			}
			continue
		}
		if err != nil || hash(t, open(t, path)) != hash(t, src) {
			t.Errorf("with force: %v", err)
		}
		if list, _ := os.ReadDir(dir); len(list) != 2 {
			t.Errorf("left %v", list)
		}
	}
}

// Beside an output the old one under its third name is a leftover.
func TestSweepRemovesWhatWasReplaced(t *testing.T) {
	dir := oldOutputs(t)
	before := contents(t, dir)
	if err := os.Mkdir(filepath.Join(dir, ".old.tmp-1-2"+asideSuffix), 0o777); err != nil {
		t.Fatal(err)
	}
	src, opts := generation(0)
	if err := Write(t.Context(), filepath.Join(dir, "old"), src, opts); err != nil {
		t.Fatal(err)
	}
	if canTellDead && contents(t, dir) != before {
		t.Error("the leftover stays")
	}
}

// The portable ways to replace keep what they can, and say what they cannot.
func TestReplace(t *testing.T) {
	dir := oldOutputs(t)
	for _, c := range []struct {
		temp, path string
		dir, kept  bool
	}{
		{"new1", "old", true, true}, {"new2", "none", true, false},
		{"new3.safetensors", "none.safetensors", false, false},
	} {
		temp, path := filepath.Join(dir, c.temp), filepath.Join(dir, c.path)
		src, opts := generation(3)
		if !c.dir {
			opts.ShardBytes, opts.SideFiles = 0, nil
		}
		if err := Write(t.Context(), temp, src, opts); err != nil {
			t.Fatal(err)
		}
		kept, err := replace(temp, path, c.dir)
		if err != nil || kept != c.kept || hash(t, open(t, path)) != hash(t, src) {
			t.Errorf("%s onto %s: kept %v, %v, want %v", c.temp, c.path, kept, err, c.kept)
		}
		if _, err := os.Stat(temp); (err == nil) != c.kept {
			t.Errorf("%s after it: %v, want it there: %v", c.temp, err, c.kept)
		}
	}
}
