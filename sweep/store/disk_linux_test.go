package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"syncretic/sweep/search"
)

// fullDisk makes a study that has room for a few hundred kB: on a small file system where SYNCRETIC_TMPFS is 1, which needs root,
// elsewhere by a limit of SQLite's own, which gives the same error.
func fullDisk(t *testing.T) *Study {
	t.Helper()
	const size = 400_000
	dir := t.TempDir()
	small := os.Getenv("SYNCRETIC_TMPFS") == "1"
	if small {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
			t.Fatalf("mount a small file system: %v", err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
	}
	db, err := Create(context.Background(), filepath.Join(dir, "study.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if !small {
		db.sql.SetMaxOpenConns(1) // the limit is the connection's
		exec(t, db, fmt.Sprint("PRAGMA max_page_count = ", size/4096))
	}
	return newStudy(t, db)
}

// On a full disk an operation fails with one line, and what was stored before stays readable and whole.
func TestFullDisk(t *testing.T) {
	ctx := context.Background()
	study := fullDisk(t)
	finished := 0
	var failed error
	for failed == nil && finished < 1000 {
		enqueued := study.Enqueue(ctx, unit(), func([]Trial) ([]Entry, error) { return []Entry{{Point: search.Point{"lambda": 0.5}}}, nil })
		if failed = enqueued; failed != nil {
			break
		}
		turn, err := study.Claim(ctx, ClaimOptions{Space: unit()})
		if failed = err; failed != nil {
			break
		}
		failed = study.Finish(ctx, turn.Trial.ID, Outcome{State: search.Complete, Values: []float64{1}, User: map[string]any{"scores": strings.Repeat("x", 20_000)}})
		if failed == nil {
			finished++
		}
	}
	if failed == nil || !strings.Contains(failed.Error(), "full") || strings.Contains(failed.Error(), "\n") {
		t.Errorf("after %d trials: error %v", finished, failed)
	}
	complete := 0
	for _, trial := range trials(t, study) {
		if trial.State == search.Complete {
			complete++
		}
	}
	if complete != finished || finished < 3 {
		t.Errorf("%d trials are complete, %d were finished", complete, finished)
	}
	if got := column(t, study.db, "PRAGMA integrity_check"); got[0] != "ok" {
		t.Errorf("integrity: %s", got)
	}
}

// What the system does not permit is said in its words. A test that runs as root gives up root's rights over files, for its thread.
func TestPermissions(t *testing.T) {
	folder := t.TempDir()
	for _, dir := range []string{folder, filepath.Dir(folder)} { // both the test's own
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	paths := map[string]os.FileMode{"unreadable": 0, "readonly": 0o444}
	for name, mode := range paths {
		path := filepath.Join(folder, name)
		db, err := Create(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		enqueue(t, newStudy(t, db), 0.5)
		db.Close()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Getuid() == 0 {
		const nobody = 65534
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0) // returns the one before
		defer func() { _, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0) }()
	}
	refused(t, Open, filepath.Join(folder, "unreadable"), os.ErrPermission, "permission denied")
	refused(t, Create, filepath.Join(folder, "unreadable"), os.ErrPermission, "permission denied")
	refused(t, Create, filepath.Join(folder, "new"), os.ErrPermission, "permission denied")
	db, err := Open(context.Background(), filepath.Join(folder, "readonly"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	study, err := db.Study(context.Background(), "s")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(trials(t, study)); n != 1 {
		t.Errorf("%d trials of a file that may only be read, want 1", n)
	}
	_, err = study.Claim(context.Background(), ClaimOptions{Space: unit()})
	if err == nil || !strings.Contains(err.Error(), "readonly") || strings.Contains(err.Error(), "\n") {
		t.Errorf("claim: %v", err)
	}
}
