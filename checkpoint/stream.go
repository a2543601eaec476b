package checkpoint

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

// blockElements is the length of one unit of work: 1 MiB of float32. 8 divides it, so that blocks of 4-bit elements are whole bytes.
const blockElements = 1 << 18

// meter adds up progress of several workers.
type meter struct {
	mu          sync.Mutex
	done, total int64
	report      func(done, total int64)
}

func (m *meter) add(n int64) {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += n
	m.report(m.done, m.total)
}

// unit is a range of elements of one tensor of a layout.
type unit struct{ tensor, lo, hi int }

// fillFile writes header and tensors into f and syncs it. Workers take units in order and write each at its place, so
// the bytes do not depend on how many there are. path is for messages.
func fillFile(ctx context.Context, f *os.File, path string, src Source, l layout, m *meter) error {
	if _, err := f.WriteAt(l.header, 0); err != nil {
		return err
	}
	var units []unit
	for i, e := range l.entries {
		for n, lo := e.Elements(), 0; lo < n; lo += blockElements {
			units = append(units, unit{i, lo, min(lo+blockElements, n)})
		}
	}
	var next, stop atomic.Int64
	var wg sync.WaitGroup
	failed := make([]error, min(runtime.GOMAXPROCS(0), len(units)))
	for w := range failed {
		wg.Go(func() {
			var b buffers
			for stop.Load() == 0 {
				i := int(next.Add(1)) - 1
				if i >= len(units) {
					return
				}
				err := ctx.Err()
				if err == nil {
					err = b.copyUnit(f, src, l, units[i])
				}
				if err != nil {
					stop.Store(1)
					failed[w] = fmt.Errorf("%s: %w", path, err)
					return
				}
				e := l.entries[units[i].tensor]
				m.add(e.DType.bytes(units[i].hi - units[i].lo))
			}
		})
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Sync()
}

// buffers are one worker's, made on first use.
type buffers struct {
	values []float32
	bytes  []byte
}

func (b *buffers) make() {
	if b.values == nil {
		b.values = make([]float32, blockElements)
		b.bytes = make([]byte, 8*blockElements)
	}
}

func (b *buffers) copyUnit(f *os.File, src Source, l layout, u unit) error {
	in, out := l.inputs[u.tensor], l.entries[u.tensor]
	at := int64(len(l.header)) + out.begin + out.DType.bytes(u.lo)
	block, err := b.block(src, in, out.DType, u.lo, u.hi)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(block, at)
	return err
}

// block returns elements [lo, hi) of a tensor in dtype: as stored where that is possible, else rounded from float32.
func (b *buffers) block(src Source, in Info, dtype DType, lo, hi int) ([]byte, error) {
	if dtype == in.DType {
		raw, ok, err := rawBytes(src, in)
		if err != nil {
			return nil, err
		}
		if ok {
			return raw[dtype.bytes(lo):dtype.bytes(hi)], nil
		}
		b.make()
		block := b.bytes[:dtype.bytes(hi-lo)]
		if ok, err := gathered(src, in.Name, lo, block); ok || err != nil {
			return block, err
		}
	}
	if !encodable(dtype) {
		return nil, noStored(in)
	}
	b.make()
	values := b.values[:hi-lo]
	if err := src.Read(in.Name, lo, values); err != nil {
		return nil, err
	}
	block, err := encode(dtype, b.bytes, values)
	return block, within(err, "tensor %q: from element %d", in.Name, lo)
}

func noStored(i Info) error {
	return invalid("tensor %q: its source has no %s as stored, and numbers cannot be converted to it", i.Name, i.DType)
}
