package checkpoint

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// blockElements is the length of one unit of checking: 1 MiB of float32. 8 divides it, so that blocks of 4-bit elements are whole
// bytes.
const blockElements = 1 << 18

// stepElements is how much of a tensor is read, written and hashed at a time: 512 KiB of float32, so that it is still in cache from
// one to the next, and that a writer which is interrupted ends soon.
const stepElements = 1 << 17

// run works on units in order, several at once; each has its own place, so the result does not depend on how many workers
// there are. After a failure no new unit is begun, and of several errors that of the first unit counts.
func run(ctx context.Context, units []unit) error {
	front := newFront(units)
	defer front.end()
	var next atomic.Int64
	var wg sync.WaitGroup
	var mu sync.Mutex
	first, failed := math.MaxInt, error(nil)
	for range min(runtime.GOMAXPROCS(0), len(units)) {
		wg.Go(func() {
			var w worker
			for {
				i := int(next.Add(1)) - 1
				var err error
				if i < len(units) {
					front.reach(units[i])
					err = w.do(ctx, units[i])
				} else {
					err = w.queue.flush(true)
				}
				if err != nil {
					next.Store(int64(len(units)))
					mu.Lock()
					if i < first {
						first, failed = i, err
					}
					mu.Unlock()
				}
				if err != nil || i >= len(units) {
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// worker has buffers of its own, made on first use.
type worker struct {
	buffers
	queue  queue
	hashes []chunkHash // one for each part of a unit
}

func (w *worker) do(ctx context.Context, u unit) error {
	for len(w.hashes) < len(u.parts) {
		w.hashes = append(w.hashes, chunkHash{})
	}
	for lo := u.lo; lo < u.hi; lo += stepElements {
		for i, p := range u.parts {
			if err := ctx.Err(); err != nil {
				return p.within(err)
			}
			block, err := w.step(p, &w.hashes[i], lo, min(lo+stepElements, u.hi))
			if err != nil {
				return p.within(err)
			}
			if p.file == nil {
				continue
			}
			item := queued{part: p, block: block, own: p.raw == nil, at: p.dtype.bytes(lo)}
			if item.own {
				w.bytes = nil
			}
			if err := w.queue.put(item); err != nil {
				return err
			}
			if item.own {
				w.bytes = w.queue.buffer()
			}
		}
	}
	for i, p := range u.parts {
		at, end := p.dtype.bytes(u.lo), p.dtype.bytes(u.hi)
		if p.sums != nil {
			w.hashes[i].flush(p.sums, end)
		}
		if p.file == nil {
			p.meter.add(end - at)
		} else if err := w.queue.put(queued{part: p, at: at, n: end - at}); err != nil {
			return err
		}
	}
	return nil
}

// within says where an error happened.
func (p *part) within(err error) error {
	if p.file == nil {
		return err
	}
	return fmt.Errorf("%s: %w", p.file.shown, err)
}

// step makes elements [lo, hi) of a tensor as they are stored.
func (w *worker) step(p *part, h *chunkHash, lo, hi int) (block []byte, err error) {
	defer catchFault(p.what, debug.SetPanicOnFault(true), &err)
	if p.raw != nil {
		block = p.raw[p.dtype.bytes(lo):p.dtype.bytes(hi)]
	} else if block, err = w.convert(p.src, p.in, p.dtype, lo, hi); err != nil {
		return nil, err
	}
	if p.sums != nil {
		h.add(p.sums, block, p.dtype.bytes(lo))
	}
	return block, nil
}

// buffers are one worker's, made on first use.
type buffers struct {
	values []float32
	bytes  []byte
}

// block returns elements [lo, hi) of a tensor in dtype, at most blockElements: as stored where that is possible, else rounded from
// float32.
func (b *buffers) block(src Source, in Info, dtype DType, lo, hi int) ([]byte, error) {
	p, err := newPart(src, in, dtype, nil)
	if err != nil {
		return nil, err
	}
	if p.raw != nil {
		return p.raw[dtype.bytes(lo):dtype.bytes(hi)], nil
	}
	return b.convert(src, in, dtype, lo, hi)
}

// convert reads elements [lo, hi): gathered as stored where the source can, else rounded to dtype.
func (b *buffers) convert(src Source, in Info, dtype DType, lo, hi int) ([]byte, error) {
	if n := hi - lo; len(b.values) < n {
		b.values = make([]float32, n)
	}
	if n := 8 * (hi - lo); len(b.bytes) < n { // of the widest type
		b.bytes = make([]byte, n)
	}
	if dtype == in.DType {
		block := b.bytes[:dtype.bytes(hi-lo)]
		if ok, err := gathered(src, in.Name, lo, block); ok || err != nil {
			return block, err
		}
	}
	if !encodable(dtype) {
		return nil, noStored(in)
	}
	values := b.values[:hi-lo]
	if err := src.Read(in.Name, lo, values); err != nil {
		return nil, err
	}
	block, err := encode(dtype, b.bytes, values)
	if err != nil {
		return nil, within(err, "tensor %q: from element %d", in.Name, lo)
	}
	return block, nil
}

func noStored(i Info) error {
	return invalid("tensor %q: its source has no %s as stored, and numbers cannot be converted to it", i.Name, i.DType)
}
