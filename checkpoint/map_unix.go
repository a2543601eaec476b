//go:build unix

package checkpoint

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// mapped tells whether file contents are read at the touch.
const mapped = true

// mapFile maps a whole file read-only. release ends the mapping; the bytes are invalid afterwards.
// Where others cut the file short while it is mapped, a touch faults: see catchFault.
func mapFile(path string) (data []byte, release func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, invalid("%s: not a regular file", path)
	}
	if info.Size() == 0 {
		return nil, func() error { return nil }, nil
	}
	if info.Size() > math.MaxInt {
		return nil, nil, invalid("%s: %d bytes are too large for this machine", path, info.Size())
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: map: %w", path, err)
	}
	return data, func() error {
		_ = unix.Madvise(data, unix.MADV_DONTNEED) // several files at once, which the system does not unmap at once
		return unix.Munmap(data)
	}, nil
}

// forget frees the pages of a mapping until they are touched again.
func forget(data []byte) {
	if len(data) > 0 {
		_ = unix.Madvise(data, unix.MADV_DONTNEED) // only memory is lost
	}
}
