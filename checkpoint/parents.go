package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// makeParents makes missing directories and lists those that it made, outermost first, also before an error.
func (d *disk) makeParents(dir string) (made []string, err error) {
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		missing = append(missing, at)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		switch err := d.mkdir(missing[i]); {
		case err == nil:
			made = append(made, missing[i])
		case !errors.Is(err, fs.ErrExist): // another writer may have been faster
			return made, err
		}
	}
	return made, os.MkdirAll(dir, 0o777) // says what is in the way, if anything is
}

// removeParents takes back what makeParents made, as far as it is still empty.
func (s *stage) removeParents() {
	for i := len(s.made) - 1; i >= 0; i-- {
		os.Remove(s.made[i])
	}
}
