package checkpoint

import (
	"io/fs"
	"os"
)

// disk does a writer's file operations. before, where it is set, learns of each and may refuse it: so tests fill the disk, break
// the device, and kill the process at a chosen moment. Removing what a failure leaves is not an operation.
type disk struct {
	before func(op, path string) error
}

// ask lets before refuse.
func (d *disk) ask(op, path string) error {
	if d == nil || d.before == nil {
		return nil
	}
	if err := d.before(op, path); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

func (d *disk) mkdir(path string) error {
	if err := d.ask("mkdir", path); err != nil {
		return err
	}
	return os.Mkdir(path, 0o777)
}

// create makes a file that is not there yet.
func (d *disk) create(path string) (*os.File, error) {
	if err := d.ask("create", path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}

// reserve asks for room for a whole file, so that a full disk is known before any work is done and the file is laid out in one
// piece. Where the system cannot, nothing happens.
func (d *disk) reserve(f *os.File, size int64) error {
	if err := d.ask("reserve", f.Name()); err != nil {
		return err
	}
	if err := reserve(f, size); err != nil {
		return &fs.PathError{Op: "reserve", Path: f.Name(), Err: err}
	}
	return nil
}

func (d *disk) write(f *os.File, data []byte, at int64) error {
	if err := d.ask("write", f.Name()); err != nil {
		return err
	}
	_, err := f.WriteAt(data, at)
	return err
}

func (d *disk) sync(f *os.File) error {
	if err := d.ask("sync", f.Name()); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes the names in a directory durable.
func (d *disk) syncDir(path string) error {
	if err := d.ask("sync", path); err != nil {
		return err
	}
	return syncDir(path)
}

// remove deletes a file or a directory of which nothing is needed any more.
func (d *disk) remove(path string) error {
	if err := d.ask("remove", path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// renameNew renames without replacing.
func (d *disk) renameNew(from, to string) error {
	if err := d.ask("rename", to); err != nil {
		return err
	}
	return renameNew(from, to)
}

// replace puts temp where path is, and what was there, if anything, at temp. kept is false where the system had to delete it in
// the same step: then it cannot be taken back.
func (d *disk) replace(temp, path string, dir bool) (kept bool, err error) {
	if err := d.ask("rename", path); err != nil {
		return false, err
	}
	return replace(temp, path, dir)
}

// put writes a whole small file that is not there yet, and syncs it.
func (d *disk) put(path string, data []byte) error {
	f, err := d.create(path)
	if err != nil {
		return err
	}
	if err = d.write(f, data, 0); err == nil {
		err = d.sync(f)
	}
	return closing(f, err)
}

// closing closes f and keeps the first error.
func closing(f *os.File, err error) error {
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
