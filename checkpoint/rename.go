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

// replace puts temp where path is, and what was there, if anything, at temp. In one step where the system can; otherwise a file
// is replaced in one step without being kept, and a directory kept by several.
func replace(temp, path string, dir bool) (kept bool, err error) {
	err = exchange(temp, path)
	if errors.Is(err, errors.ErrUnsupported) {
		if !dir {
			return false, os.Rename(temp, path)
		}
		err = exchangeSteps(temp, path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, renameNew(temp, path)
	}
	return err == nil, err
}

// asideSuffix is added to a temporary's name for what it replaces, where that takes several steps. What a killed writer left
// there goes back to its place: see [stage.restore].
const asideSuffix = "-old"

// exchangeSteps swaps two directories by three renames. Unlike RENAME_EXCHANGE there is a moment without b; a failure
// in it puts b back.
func exchangeSteps(a, b string) error {
	aside := a + asideSuffix
	if err := os.Rename(b, aside); err != nil {
		return err
	}
	if err := os.Rename(a, b); err != nil {
		return errors.Join(err, os.Rename(aside, b))
	}
	return os.Rename(aside, a)
}
