package checkpoint

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestLockDir(t *testing.T) {
	dir := t.TempDir()
	release, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if canTellDead {
		if _, err := LockDir(dir); !errors.Is(err, ErrLocked) {
			t.Errorf("a second time: got %v, want ErrLocked", err)
		}
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := LockDir(dir)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
	if _, err := LockDir(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: got %v, want ErrNotExist", err)
	}
}
