//go:build !unix

package checkpoint

import "os"

// mapped tells whether file contents are read at the touch.
const mapped = false

// mapFile reads a whole file. Unlike the mapping of unix systems this holds the file in memory.
func mapFile(path string) (data []byte, release func() error, err error) {
	data, err = os.ReadFile(path)
	return data, func() error { return nil }, err
}

// forget does nothing: the bytes are nowhere else.
func forget([]byte) {}
