package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// verifyPart is a range of elements of one tensor to read.
type verifyPart struct {
	m      *Model
	tensor int // its place among all tensors
	info   Info
	lo, hi int
}

// verifyFault is what is wrong with one tensor: the first element that is not finite, or -1 and what was wrong with reading it.
type verifyFault struct {
	verifyPart
	at  int
	err error
}

// readAll reads every tensor in blocks, several at once, and notes for each the first element that is not as it should be.
func (v *verifier) readAll(ctx context.Context) error {
	var parts []verifyPart
	tensors := 0
	for _, m := range v.models {
		for _, info := range m.Tensors() {
			for n, lo := info.Elements(), 0; lo < n; lo += blockElements {
				parts = append(parts, verifyPart{m, tensors, info, lo, min(lo+blockElements, n)})
			}
			tensors++
		}
	}
	meter := &meter{report: v.opts.Progress, total: v.Bytes}
	faults := make([]*verifyFault, tensors)
	var mu sync.Mutex
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(parts)) {
		wg.Go(func() {
			var b buffers
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(parts) {
					return
				}
				p := parts[i]
				at, err := b.check(p, v.opts.AllowNonFinite)
				if at >= 0 || err != nil {
					mu.Lock()
					if known := faults[p.tensor]; known == nil || p.lo < known.lo {
						faults[p.tensor] = &verifyFault{p, at, err}
					}
					mu.Unlock()
				}
				meter.add(p.info.DType.bytes(p.hi - p.lo))
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", v.Path, err)
	}
	for _, f := range faults {
		if f != nil {
			v.Broken = append(v.Broken, f.broken())
		}
	}
	return nil
}

// check reads one part: at is its first element that is not finite, -1 if there is none.
func (b *buffers) check(p verifyPart, allowNonFinite bool) (at int, err error) {
	defer catchFault(p.m.Path(), debug.SetPanicOnFault(true), &err)
	block, err := b.block(p.m, p.info, p.info.DType, p.lo, p.hi)
	if err != nil {
		return -1, err
	}
	if !allowNonFinite {
		if at = firstNonFinite(p.info.DType, block); at >= 0 {
			return p.lo + at, nil
		}
	}
	touch(block)
	return -1, nil
}

// touch reads a byte of each page of a mapped file, so that one which cannot be read faults. Inlined it could be left out, since
// nobody wants the sum.
//
//go:noinline
func touch(block []byte) (sum byte) {
	const page = 4096
	for i := 0; i < len(block); i += page {
		sum ^= block[i]
	}
	if len(block) > 0 {
		sum ^= block[len(block)-1]
	}
	return sum
}

func (f *verifyFault) broken() Broken {
	file, err := f.m.File(f.info.Name)
	if err = errors.Join(f.err, err); err != nil {
		return Broken{RuleUnreadable, f.info.Name, fmt.Sprintf("tensor %s: %v", quoted(f.info.Name), err)}
	}
	return Broken{RuleNonFinite, f.info.Name, fmt.Sprintf("%s: tensor %s: element %d of %s %d is not finite", file, quoted(f.info.Name), f.at, f.info.DType, f.info.Shape)}
}
