package checkpoint

import (
	"errors"
	"io/fs"
	"os"
)

// renameChecked renames where the system cannot refuse to replace: unlike renameat2 it looks first, so that two writers
// of one path at the same moment can both succeed, one after the other.
func renameChecked(from, to string) error {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}

// exchangeSteps swaps two directories by three renames. Unlike RENAME_EXCHANGE there is a moment without b; a failure
// in it puts b back.
func exchangeSteps(a, b string) error {
	aside := a + "-old"
	if err := os.Rename(b, aside); err != nil {
		return err
	}
	if err := os.Rename(a, b); err != nil {
		return errors.Join(err, os.Rename(aside, b))
	}
	return os.Rename(aside, a)
}
