package checkpoint

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames without replacing: an existing path is an error that wraps fs.ErrExist.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if unsupported(err) {
		return renameChecked(from, to)
	}
	return linkError("rename", from, to, err)
}

// exchange swaps two files or two directories in one step. Where the file system cannot, the error wraps errors.ErrUnsupported.
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if unsupported(err) {
		err = errors.ErrUnsupported
	}
	return linkError("exchange", a, b, err)
}

// unsupported tells a kernel or file system without the flags (NFS, some FUSE) from a real failure.
func unsupported(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP)
}

func linkError(op, from, to string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: from, New: to, Err: err}
}
