//go:build !unix || solaris || illumos || aix

package checkpoint

import "os"

// identify names the version of an open file. sure tells whether an equal name means equal contents.
func identify(f *os.File) (id fileID, sure bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return id, false, err
	}
	return fileID{Size: info.Size(), MTime: info.ModTime().UnixNano()}, false, nil
}
