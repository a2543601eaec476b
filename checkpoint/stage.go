package checkpoint

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stage is an output under construction: a sibling of its final path under a name that starts with a dot. It holds a
// lock while its writer lives, so that the next writer of the same path can tell leftovers of a killed one and remove them.
type stage struct {
	path   string // final
	temp   string
	force  bool
	dir    bool
	disk   *disk
	adopt  func(temp string) bool // tells whether to go on with a killed writer's directory; nil for never
	file   *os.File               // the file itself, or the open directory
	made   []string               // parents that did not exist, outermost first
	old    *os.File               // what is replaced, locked as far as possible, while it can still come back
	status appearance
}

// newStage checks that path may be written and makes an empty temporary beside it, or adopts one.
func newStage(d *disk, path string, dir, force bool, adopt func(temp string) bool) (*stage, error) {
	given := path
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &stage{path: path, dir: dir, force: force, disk: d, adopt: adopt}
	if err := s.checkTarget(given); err != nil {
		return nil, err
	}
	if s.made, err = d.makeParents(filepath.Dir(s.path)); err != nil {
		s.removeParents()
		return nil, err
	}
	if s.sweep() { // something came back to path
		err = s.checkTarget(given)
	}
	if err == nil && s.file == nil {
		if err = s.makeTemp(); err != nil {
			err = fmt.Errorf("%s: %w", given, err)
		}
	}
	if err != nil {
		s.finish(false)
		return nil, err
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
			if err = s.disk.mkdir(s.temp); err == nil {
				if s.file, err = os.Open(s.temp); errors.Is(err, fs.ErrNotExist) {
					continue // swept before it could be opened
				}
			}
		} else {
			s.file, err = s.disk.create(s.temp)
		}
		switch {
		case errors.Is(err, fs.ErrExist):
			continue
		case err != nil:
			s.temp = ""
			return err
		}
		if held := lock(s.file); !errors.Is(held, errLocked) && s.present(s.temp) {
			return nil
		}
		s.file.Close()
	}
}

// present tells whether the open file is still what has its name.
func (s *stage) present(name string) bool {
	held, err := s.file.Stat()
	if err != nil {
		return false
	}
	found, err := os.Stat(name)
	return err == nil && os.SameFile(held, found)
}

func (s *stage) tempPrefix() string {
	return filepath.Join(filepath.Dir(s.path), "."+filepath.Base(s.path)+".tmp-")
}

// put writes a whole small file into a staged directory.
func (s *stage) put(name string, data []byte) error {
	return s.disk.put(filepath.Join(s.temp, name), data)
}

// finish ends the stage and frees its locks. One that was not published is removed with every trace, unless keep says to leave it
// for the next writer.
func (s *stage) finish(keep bool) {
	for _, f := range []*os.File{s.file, s.old} {
		if f != nil {
			f.Close()
		}
	}
	if keep || s.status == settled {
		return
	}
	if s.temp != "" {
		os.RemoveAll(s.temp)
	}
	if s.status == hidden {
		s.removeParents()
	}
}
