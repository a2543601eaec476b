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
	switch err := lock(f); {
	case errors.Is(err, errLocked):
		f.Close()
		return nil, fmt.Errorf("%s: %w", dir, ErrLocked)
	case err != nil:
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f.Close, nil
}
