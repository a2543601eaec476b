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
	for len(dst) > 0 {
		if i := start - b.at; b.ready && i >= 0 && i < len(b.block) {
			n := copy(dst, b.block[i:])
			dst, start = dst[n:], start+n
			continue
		}
		if err := b.advance(start); err != nil {
			b.ready = false
			return err
		}
	}
	return nil
}

// advance reads one block on towards the sample.
func (b *blocks) advance(sample int) (err error) {
	if end := b.at + len(b.block); !b.ready || sample < end || sample-end > seekBeyond {
		b.block = nil
		if b.at, err = b.r.seek(sample); err != nil {
			return err
		}
		if b.at > sample {
			return fmt.Errorf("%w: sample %d is not in the file's index", ErrInvalid, sample)
		}
		b.ready = true
	}
	b.at += len(b.block)
	if b.block, err = b.r.next(); err != nil {
		return err
	}
	if len(b.block) == 0 {
		return fmt.Errorf("%w: the data ends at sample %d", ErrInvalid, b.at)
	}
	return nil
}

// seekBeyond is the distance, in samples, from which on seeking is cheaper than decoding what lies between.
const seekBeyond = 1 << 14
