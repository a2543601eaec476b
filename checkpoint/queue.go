package checkpoint

import (
	"errors"
	"syscall"
)

// queue holds blocks of one worker until their file is free. The system writes one block at a time to a file, and a worker that waits
// for its turn there computes nothing; one that finds the file taken goes on, and writes when it comes back.
type queue struct {
	waiting []queued
	blocks  int      // of them, those that are blocks
	spare   [][]byte // buffers of blocks that are written, the last used at the end
}

// queued is a block of a tensor; or, without one, the end of a unit.
type queued struct {
	part  *part
	block []byte
	own   bool  // it is a buffer to be used again
	at    int64 // where it begins in the tensor
	n     int64 // bytes of the unit that ends
}

// mostQueued is how many blocks may wait. The next one waits for its file.
const mostQueued = 2

// put writes a block, or has it wait.
func (q *queue) put(item queued) error {
	q.waiting = append(q.waiting, item)
	if item.block != nil {
		q.blocks++
	}
	return q.flush(false)
}

// flush writes what waits: all of it, or as long as the files are free.
func (q *queue) flush(all bool) error {
	for len(q.waiting) > 0 {
		item := q.waiting[0]
		f := item.part.file
		if item.block != nil {
			if !f.turn.TryLock() {
				if !all && q.blocks <= mostQueued {
					return nil
				}
				f.turn.Lock()
			}
			err := f.write(item.block, item.part.begin+item.at)
			f.turn.Unlock()
			if errors.Is(err, syscall.EFAULT) { // the system's word for a fault of ours
				err = invalid("%s: cannot be read where it is mapped; was it changed meanwhile?", item.part.what)
			}
			if err != nil {
				return item.part.within(err)
			}
			if q.blocks--; item.own {
				q.spare = append(q.spare, item.block)
			}
		} else {
			item.part.meter.add(item.n)
			if err := f.unitDone(item.part.begin+item.at, item.n); err != nil {
				return item.part.within(err)
			}
		}
		q.waiting = q.waiting[1:]
	}
	q.waiting = q.waiting[:0]
	return nil
}

// buffer lends room for a block, nil where there is none.
func (q *queue) buffer() []byte {
	last := len(q.spare) - 1
	if last < 0 {
		return nil
	}
	b := q.spare[last]
	q.spare = q.spare[:last]
	return b[:cap(b)]
}
