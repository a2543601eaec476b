package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestLockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := LockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if canTellDead {
		if _, err := LockFile(path); !errors.Is(err, ErrLocked) {
			t.Errorf("a second time: got %v, want ErrLocked", err)
		}
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the released file is left: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil { // as a killed holder leaves it
		t.Fatal(err)
	}
	again, err := LockFile(path)
	if err != nil {
		t.Fatalf("a file that nobody holds: %v", err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
	if _, err := LockFile(filepath.Join(path, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: got %v, want ErrNotExist", err)
	}
}

// Though each release removes the name that others try to lock, two never hold it at once.
func TestLockFileExcludes(t *testing.T) {
	if !canTellDead {
		return
	}
	path := filepath.Join(t.TempDir(), "lock")
	var inside, held atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				release, err := LockFile(path)
				if errors.Is(err, ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				held.Add(1)
				inside.Add(-1)
				if err := release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if held.Load() == 0 {
		t.Error("nobody held the lock")
	}
}
