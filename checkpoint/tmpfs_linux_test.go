package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of 6 MB where SYNCRETIC_TMPFS is 1, which needs root. Elsewhere it lends a directory, and room is
// said to end by the process.
func smallDisk(t *testing.T) (dir string, d *disk) {
	t.Helper()
	const size = 6_000_000
	dir = t.TempDir()
	if os.Getenv("SYNCRETIC_TMPFS") == "1" {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
			t.Fatalf("mount a small file system: %v", err)
		}
		t.Cleanup(func() {
			if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
		return dir, nil
	}
	return dir, &disk{before: func(op, path string) error {
		if op == "write" || op == "reserve" {
			var used int64
			list, _ := filepath.Glob(filepath.Join(dir, ".m.tmp-*", "*"))
			for _, f := range list {
				if info, err := os.Stat(f); err == nil {
					used += info.Size()
				}
			}
			if used > size/2 {
				return unix.ENOSPC
			}
		}
		return nil
	}}
}

// A model that does not fit, in its weights or only in what comes after them, is one clear error, and the old one is as it was.
func TestSmallDisk(t *testing.T) {
	dir, d := smallDisk(t)
	path := filepath.Join(dir, "m")
	src, opts := generation(0) // 1.3 MB
	if err := Write(t.Context(), path, src, opts); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	large := counted{[]Info{{"w1", F32, []int{600_000}}, {"w2", F32, []int{600_000}}, {"w3", F32, []int{600_000}}}, 1}
	after := opts
	after.SideFiles = []SideFile{{"one.txt", make([]byte, 3_500_000)}, {"two.txt", make([]byte, 3_500_000)}}
	for name, o := range map[string]Output{
		"one file":         {path, large, WriteOptions{Force: true}},
		"shards":           {path, large, WriteOptions{Force: true, ShardBytes: 2_400_000}},
		"side files":       {path, src, after},
		"shards, to go on": {path, large, WriteOptions{Force: true, ShardBytes: 2_400_000, Resume: "recipe"}},
	} {
		_, err := writeAll(t.Context(), d, []Output{o})
		if !errors.Is(err, unix.ENOSPC) || strings.Contains(fmt.Sprint(err), "\n") {
			t.Errorf("%s: error %v, want one line that wraps ENOSPC", name, err)
		}
		if contents(t, dir) != before {
			t.Errorf("%s: the directory changed", name)
		}
	}
}
