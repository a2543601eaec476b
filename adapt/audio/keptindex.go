package audio

import (
	"io/fs"
	"time"
	"unsafe"
)

// keptIndex is what Open found out by walking over a whole file, kept after the file was closed: to walk over an hour of Opus or MP3 again
// takes longer than to decode a few seconds of it. It holds for a file of the same size and time only.
type keptIndex struct {
	index any
	size  int64
	time  time.Time
}

// of returns the index if it is of this file, else nil.
func (k *keptIndex) of(info fs.FileInfo) any {
	if k == nil || k.size != info.Size() || !k.time.Equal(info.ModTime()) {
		return nil
	}
	return k.index
}

// bytes is about the memory that the index takes.
func (k *keptIndex) bytes() int {
	switch x := k.index.(type) {
	case *mp3Index:
		return x.frames.bytes()
	case *opusIndex:
		return cap(x.marks) * int(unsafe.Sizeof(opusMark{}))
	}
	return 0
}
