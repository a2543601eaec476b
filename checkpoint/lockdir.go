package checkpoint

import (
	"errors"
	"fmt"
	"os"
)

// ErrLocked means that another process works in a folder.
var ErrLocked = errors.New("in use by another process")

// LockDir takes the lock of an existing folder until release is called or the process ends, also by a kill. Where another
// holds it the error wraps ErrLocked. On systems without such locks it always succeeds.
func LockDir(dir string) (release func() error, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := lockOrClose(f, dir); err != nil {
		return nil, err
	}
	return f.Close, nil
}

// lockOrClose takes the lock of an open file, and closes it where it cannot.
func lockOrClose(f *os.File, path string) error {
	switch err := lock(f); {
	case errors.Is(err, errLocked):
		f.Close()
		return fmt.Errorf("%s: %w", path, ErrLocked)
	case err != nil:
		f.Close()
		return fmt.Errorf("lock %s: %w", path, err)
	}
	return nil
}
