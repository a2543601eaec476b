package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// makeParents makes missing directories and lists them, outermost first.
func makeParents(dir string) (made []string, err error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		made = append([]string{at}, made...)
	}
	return made, os.MkdirAll(dir, 0o777)
}

// removeParents takes back what makeParents made, as far as it is still empty.
func (s *stage) removeParents() {
	for i := len(s.made) - 1; i >= 0; i-- {
		os.Remove(s.made[i])
	}
}
