package checkpoint

import (
	"errors"
	"os"
)

// LockFile makes the file at path where there is none, and takes its lock until release is called, which removes it, or the process
// ends, also by a kill, which leaves it for the next to take. Where another holds the lock the error wraps ErrLocked. The file is
// opened for writing, without which NFS locks nothing. On systems without such locks it always succeeds.
func LockFile(path string) (release func() error, err error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		if err := lockOrClose(f, path); err != nil {
			return nil, err
		}
		held, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		// The holder before may have removed the name since it was opened: then this lock keeps nobody out.
		if found, err := os.Stat(path); err != nil || !os.SameFile(held, found) {
			f.Close()
			continue
		}
		return func() error { return errors.Join(os.Remove(path), f.Close()) }, nil
	}
}
