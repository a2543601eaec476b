package audio

import (
	"fmt"
	"io/fs"
	"sync"
)

// blockReader decodes a format that comes in blocks one after another.
type blockReader interface {
	// seek prepares for next to return the block with the given sample or an earlier one, and returns that block's first sample.
	seek(sample int) (first int, err error)
	// next returns the following block, mono. The slice is the reader's own and holds until the next call.
	next() ([]float32, error)
	close() error
}

// blocks is the body over a blockReader: reads that follow one another go on where the last one ended.
type blocks struct {
	mu     sync.Mutex
	r      blockReader
	far    int       // the distance, in samples, from which on seeking is cheaper than decoding what lies between
	ready  bool      // the reader stands behind block
	block  []float32 // samples from at on
	at     int
	closed bool
}

func (b *blocks) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.block = true, nil
	return b.r.close()
}

func (b *blocks) readAt(dst []float32, start int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return fs.ErrClosed
	}
	for sought := false; len(dst) > 0; {
		if i := start - b.at; b.ready && i >= 0 && i < len(b.block) {
			n := copy(dst, b.block[i:])
			dst, start = dst[n:], start+n
			continue
		}
		var err error
		if ahead := start - b.at - len(b.block); !sought && (!b.ready || ahead < 0 || ahead > b.far) {
			sought, err = true, b.seek(start)
		} else {
			err = b.advance()
		}
		if err != nil {
			b.ready = false
			return err
		}
	}
	return nil
}

// seek puts the reader before the block that holds a sample.
func (b *blocks) seek(sample int) (err error) {
	b.block = nil
	if b.at, err = b.r.seek(sample); err == nil && b.at > sample {
		err = fmt.Errorf("%w: sample %d is not in the file's index", ErrInvalid, sample)
	}
	b.ready = err == nil
	return err
}

// advance reads the next block.
func (b *blocks) advance() (err error) {
	b.at += len(b.block)
	if b.block, err = b.r.next(); err == nil && len(b.block) == 0 {
		err = fmt.Errorf("%w: the data ends at sample %d", ErrInvalid, b.at)
	}
	return err
}
