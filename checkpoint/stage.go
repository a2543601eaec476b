package checkpoint

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stage is an output under construction: a sibling of its final path under a name that starts with a dot. It holds a
// lock while its writer lives, so that the next writer of the same path can tell leftovers of a killed one and remove them.
type stage struct {
	path  string // final
	temp  string
	force bool
	dir   bool
	file  *os.File // the file itself, or the open directory
	made  []string // parents that did not exist, outermost first
}

// newStage checks that path may be written and makes an empty temporary beside it.
func newStage(path string, dir, force bool) (*stage, error) {
	given := path
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &stage{path: path, dir: dir, force: force}
	if err := s.checkTarget(given); err != nil {
		return nil, err
	}
	if s.made, err = makeParents(filepath.Dir(s.path)); err != nil {
		return nil, err
	}
	s.sweep()
	if err := s.makeTemp(); err != nil {
		s.removeParents()
		return nil, fmt.Errorf("%s: %w", given, err)
	}
	return s, nil
}

// makeTemp makes and locks the temporary. A sweeper may have removed it before the lock: then it tries another name. No name
// is used twice, so a sweeper that found the temporary of one writer can never remove that of the next.
func (s *stage) makeTemp() error {
	for {
		var unique [8]byte
		_, err := rand.Read(unique[:])
		if err != nil {
			return err
		}
		s.temp = fmt.Sprintf("%s%d-%d", s.tempPrefix(), os.Getpid(), binary.LittleEndian.Uint64(unique[:]))
		if s.dir {
			if err = os.Mkdir(s.temp, 0o777); err == nil {
				if s.file, err = os.Open(s.temp); errors.Is(err, fs.ErrNotExist) {
					continue // swept before it could be opened
				}
			}
		} else {
			s.file, err = os.OpenFile(s.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		}
		switch {
		case errors.Is(err, fs.ErrExist):
			continue
		case err != nil:
			return err
		}
		if held := lock(s.file); !errors.Is(held, errLocked) && s.present() {
			return nil
		}
		s.file.Close()
	}
}

func (s *stage) present() bool {
	held, err := s.file.Stat()
	if err != nil {
		return false
	}
	found, err := os.Stat(s.temp)
	return err == nil && os.SameFile(held, found)
}

func (s *stage) tempPrefix() string {
	return filepath.Join(filepath.Dir(s.path), "."+filepath.Base(s.path)+".tmp-")
}

// sweep removes temporaries of writers of the same path that died: those whose lock is free.
func (s *stage) sweep() {
	parent, prefix := filepath.Dir(s.path), filepath.Base(s.tempPrefix())
	list, err := os.ReadDir(parent)
	if err != nil {
		return // only leftovers are at stake
	}
	for _, item := range list {
		rest, ok := strings.CutPrefix(item.Name(), prefix)
		if !ok || strings.Trim(rest, "0123456789-") != "" {
			continue
		}
		path := filepath.Join(parent, item.Name())
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if canTellDead && lock(f) == nil {
			os.RemoveAll(path)
		}
		f.Close()
	}
}

// create makes a file inside of a staged directory.
func (s *stage) create(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(s.temp, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}

// put writes a whole small file into a staged directory.
func (s *stage) put(name string, data []byte) error {
	f, err := s.create(name)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	return closing(f, err)
}

// finish publishes the stage when err is nil; otherwise, or when that fails, it removes every trace.
func (s *stage) finish(err error) error {
	if err == nil {
		err = s.publish()
	}
	s.file.Close()
	if err != nil {
		os.RemoveAll(s.temp)
		s.removeParents()
	}
	return err
}

// publish renames the temporary to its path and makes the names durable.
func (s *stage) publish() error {
	if s.dir {
		if err := syncDir(s.temp); err != nil {
			return err
		}
	}
	if !canTellDead {
		s.file.Close() // such systems do not rename what is open
	}
	var err error
	switch {
	case !s.force:
		err = renameNew(s.temp, s.path)
	case !s.dir:
		err = os.Rename(s.temp, s.path)
	default:
		err = replaceDir(s.temp, s.path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(s.path))
}

// replaceDir puts the directory temp where path is and deletes what was there.
func replaceDir(temp, path string) error {
	err := exchange(temp, path)
	if errors.Is(err, fs.ErrNotExist) {
		return renameNew(temp, path)
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(temp) // now the old directory
}
