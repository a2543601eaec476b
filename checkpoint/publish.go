package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// appearance is how far a stage has become its output.
type appearance int

const (
	hidden   appearance = iota // at its temporary name
	shown                      // at its path, where nothing was
	replaced                   // at its path, and what was there at the temporary name
	settled                    // at its path for good
)

// publish makes the outputs of finished stages appear, one after the other, and their names durable. Where one fails, those
// before it are taken back, so that all appear or none; only once all are there is what they replaced deleted.
func publish(stages []*stage) error {
	for _, s := range stages {
		if s.dir {
			if err := s.disk.syncDir(s.temp); err != nil {
				return err
			}
		}
	}
	for i, s := range stages {
		if err := s.appear(); err != nil {
			return errors.Join(err, takeBack(stages[:i]))
		}
	}
	if err := syncParents(stages); err != nil {
		return errors.Join(err, takeBack(stages))
	}
	var errs []error
	for _, s := range stages {
		errs = append(errs, s.settle())
	}
	return errors.Join(errs...)
}

// appear renames the temporary to its path.
func (s *stage) appear() error {
	if !canTellDead {
		s.file.Close() // such systems do not rename what is open
	} else if s.force {
		if s.old, _ = os.Open(s.path); s.old != nil {
			_ = lock(s.old) // so that nobody sweeps it while it may have to come back
		}
	}
	if !s.force {
		if err := s.disk.renameNew(s.temp, s.path); err != nil {
			return err
		}
		s.status = shown
		return nil
	}
	kept, err := s.disk.replace(s.temp, s.path, s.dir)
	switch {
	case err != nil:
		return err
	case kept:
		s.status = replaced
	case s.old == nil:
		s.status = shown
	default:
		s.status = settled
	}
	return nil
}

// takeBack undoes appear, the last first. An output that cannot be taken back stays, whole, and the error says so.
func takeBack(stages []*stage) error {
	var errs []error
	for _, s := range slices.Backward(stages) {
		var err error
		switch s.status {
		case shown:
			err = renameNew(s.path, s.temp)
		case replaced:
			_, err = replace(s.temp, s.path, s.dir)
		case settled:
			err = errors.ErrUnsupported
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: stays written: %w", s.path, err))
		} else {
			s.status = hidden
		}
	}
	return errors.Join(errs...)
}

// syncParents makes the outputs' names durable, and those of directories made for them.
func syncParents(stages []*stage) error {
	var synced []string
	for _, s := range stages {
		for _, path := range append([]string{s.path}, s.made...) {
			parent := filepath.Dir(path)
			if slices.Contains(synced, parent) {
				continue
			}
			if err := s.disk.syncDir(parent); err != nil {
				return err
			}
			synced = append(synced, parent)
		}
	}
	return nil
}

// settle deletes what the output replaced.
func (s *stage) settle() error {
	if s.status == replaced {
		if err := s.disk.remove(s.temp); err != nil {
			return fmt.Errorf("%s: written, but what it replaced could not be removed: %w", s.path, err)
		}
	}
	s.status = settled
	return nil
}
