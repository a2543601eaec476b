//go:build unix && !solaris && !illumos && !aix

package checkpoint

import (
	"os"

	"golang.org/x/sys/unix"
)

// identify names the version of an open file. sure tells whether an equal name means equal contents.
func identify(f *os.File) (id fileID, sure bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return id, false, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return fileID{uint64(st.Dev), st.Ino, st.Size, st.Mtim.Nano(), st.Ctim.Nano()}, true, nil //nolint:unconvert // st.Dev is an int32 on some systems
}
