package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sweep removes temporaries of writers of the same path that died, those whose lock is free, or adopts one of them. It tells
// whether one of them had taken an older output from path that is now back there.
func (s *stage) sweep() (restored bool) {
	parent, prefix := filepath.Dir(s.path), filepath.Base(s.tempPrefix())
	list, err := os.ReadDir(parent)
	if err != nil {
		return false // only leftovers are at stake
	}
	for _, item := range list {
		rest, ok := strings.CutPrefix(item.Name(), prefix)
		rest, aside := strings.CutSuffix(rest, asideSuffix)
		if !ok || strings.Trim(rest, "0123456789-") != "" {
			continue
		}
		path := filepath.Join(parent, item.Name())
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		switch {
		case !canTellDead || lock(f) != nil:
		case aside && s.restore(path):
			restored = true
		case !aside && s.adopts(path, f):
			continue // f holds its lock
		default:
			os.RemoveAll(path)
		}
		f.Close()
	}
	return restored
}

// restore puts back what a writer that was killed between two renames had taken from path, if nothing is there.
func (s *stage) restore(aside string) bool {
	if _, err := os.Lstat(s.path); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return renameNew(aside, s.path) == nil
}

// adopts makes a killed writer's directory that of this stage, if there is something in it to go on with.
func (s *stage) adopts(temp string, f *os.File) bool {
	if s.adopt == nil || s.file != nil {
		return false
	}
	s.file = f
	if s.present(temp) && s.adopt(temp) {
		s.temp = temp
		return true
	}
	s.file = nil
	return false
}
