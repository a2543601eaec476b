package checkpoint

import (
	"os"
	"sync"
	"sync/atomic"
)

// outFile is one file of an output while it is written. Its methods are safe for concurrent use.
type outFile struct {
	layout
	disk    *disk
	path    string // in the stage
	shown   string // for messages
	parts   []part // of its tensors, in the order of the data
	digests []string
	left    atomic.Int64 // units that are not written yet
	done    func(*outFile) error

	turn sync.Mutex // held while a block is written: see queue

	mu    sync.Mutex
	file  *os.File
	ready bool // it has its header
	ended bool // it is complete and durable
}

// open makes the file, with its header and room for the rest, at the first use.
func (f *outFile) open() (*os.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ready {
		return f.file, nil
	}
	if f.file == nil {
		file, err := f.disk.create(f.path)
		if err != nil {
			return nil, err
		}
		f.file = file
	}
	if err := f.disk.reserve(f.file, f.size()); err != nil {
		return nil, err
	}
	if err := f.disk.write(f.file, f.header, 0); err != nil {
		return nil, err
	}
	f.ready = true
	return f.file, nil
}

func (f *outFile) size() int64 { return int64(len(f.header)) + f.data }

// write stores bytes of the data that begin at its byte at.
func (f *outFile) write(block []byte, at int64) error {
	file, err := f.open()
	if err != nil {
		return err
	}
	return f.disk.write(file, block, int64(len(f.header))+at)
}

// unitDone notes that a unit is written: its n bytes begin at byte at of the data. The last unit ends the file.
func (f *outFile) unitDone(at, n int64) error {
	if n >= minStart {
		startWriting(f.file, int64(len(f.header))+at, n)
	}
	if f.left.Add(-1) > 0 {
		return nil
	}
	return f.end()
}

// minStart is the least number of bytes that are worth a call of their own to have them stored early.
const minStart = 1 << 18

// end makes the file durable.
func (f *outFile) end() error {
	file, err := f.open()
	if err != nil {
		return err
	}
	if err := f.disk.sync(file); err != nil {
		return err
	}
	f.digests = tensorDigests(f.parts)
	f.ended = true
	return f.done(f)
}
