//go:build linux || darwin

package checkpoint

import "golang.org/x/sys/unix"

// Free is how many bytes the file system of an existing folder has left for this process's user; ok is false where the system
// does not say, or knows no bound.
func Free(dir string) (bytes int64, ok bool) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil || fs.Blocks == 0 {
		return 0, false
	}
	return int64(fs.Bavail * uint64(fs.Bsize)), true
}
