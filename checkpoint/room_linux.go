package checkpoint

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// reserve allocates a file's blocks. A file system that cannot is no error; one without room for them is. A file system in
// memory would clear every page for it, alone and at once, which takes as long as writing them: there is only a look at what is
// free.
func reserve(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err == nil && fs.Type == unix.TMPFS_MAGIC {
		if fs.Blocks > 0 && uint64(size) > fs.Bavail*uint64(fs.Bsize) { // 0 blocks: of no bound
			return unix.ENOSPC
		}
		return nil
	}
	for range 8 { // a signal may interrupt it, and then it may have to begin again
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT), errors.Is(err, unix.EFBIG), errors.Is(err, unix.EIO):
			return err
		}
		break
	}
	return nil
}

// startWriting has the system begin to store a range of a file without waiting for it, so that the final sync has little left.
// It is a hint only: errors come back from that sync.
func startWriting(f *os.File, at, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), at, n, unix.SYNC_FILE_RANGE_WRITE)
}
