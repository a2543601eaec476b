package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckTarget tells before any work is done what Write, or WriteFile when dir is false, would refuse about path: an existing
// path without force, and with force one that it does not replace. Such errors wrap fs.ErrExist.
func CheckTarget(path string, dir, force bool) error {
	full, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return (&stage{path: full, dir: dir, force: force}).checkTarget(path)
}

// checkTarget refuses early what publish would refuse at the end, and directories that Force must not delete.
func (s *stage) checkTarget(given string) error {
	info, err := os.Lstat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !s.force {
		return fmt.Errorf("%s: %w", given, fs.ErrExist)
	}
	if s.dir && info.Mode()&fs.ModeSymlink != 0 {
		if s.path, err = filepath.EvalSymlinks(s.path); err != nil {
			return err
		}
		if info, err = os.Stat(s.path); err != nil {
			return err
		}
	}
	switch {
	case s.dir && !info.IsDir():
		return fmt.Errorf("%s: a file, and a directory is to be written: not replaced: %w", given, fs.ErrExist)
	case !s.dir && info.IsDir():
		return fmt.Errorf("%s: a directory, and a file is to be written: not replaced: %w", given, fs.ErrExist)
	case !s.dir && info.Mode()&(fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket|fs.ModeIrregular) != 0:
		return fmt.Errorf("%s: not a regular file: not replaced: %w", given, fs.ErrExist) // a rename would end /dev/null
	case s.dir:
		return replaceable(s.path, given)
	}
	return nil
}

// replaceable guards against --force on the wrong directory: only an empty one, or one that holds weights and no
// directories, is deleted.
func replaceable(dir, given string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	weights := len(list) == 0
	for _, item := range list {
		if item.IsDir() {
			return fmt.Errorf("%s: holds the directory %s: not replaced: %w", given, item.Name(), fs.ErrExist)
		}
		weights = weights || isWeights(item.Name())
	}
	if !weights {
		return fmt.Errorf("%s: not a model directory: not replaced: %w", given, fs.ErrExist)
	}
	return nil
}
