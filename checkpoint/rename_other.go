//go:build !linux

package checkpoint

import "errors"

func renameNew(from, to string) error { return renameChecked(from, to) }

func exchange(_, _ string) error { return errors.ErrUnsupported }
