//go:build unix && !solaris && !illumos && !aix

package checkpoint

import (
	"os"

	"golang.org/x/sys/unix"
)

// canTellDead says that a free lock means a dead writer.
const canTellDead = true

// errLocked is lock's error where another has the lock.
const errLocked = unix.EWOULDBLOCK

// lock takes the lock of an open file or directory if nobody has it. It ends with the file's closing, also by a kill.
func lock(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return closing(d, d.Sync())
}
