package checkpoint

import "sync/atomic"

// front is how far the workers of a run have come. While they are at one tensor, sources prepare the next, so that no core waits
// where a preparation has steps that one core does alone.
type front struct {
	tensor  atomic.Int64 // that was begun last
	reached chan int
	ended   chan struct{}
}

func newFront(units []unit) *front {
	var first []unit // of each tensor
	for _, u := range units {
		if u.lo == 0 {
			first = append(first, u)
		}
	}
	f := &front{reached: make(chan int, len(first)), ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		for tensor := range f.reached {
			next := tensor + 1
			if next == len(first) || f.tensor.Load() >= int64(next) { // no more, or workers were faster
				continue
			}
			for _, p := range first[next].parts {
				if src, ok := p.src.(Preparer); ok && p.raw == nil {
					_ = src.Prepare(p.in.Name) // its error comes again, where it has a place
				}
			}
		}
	}()
	return f
}

// reach notes that a worker begins a unit.
func (f *front) reach(u unit) {
	if u.lo > 0 {
		return
	}
	for at := f.tensor.Load(); int64(u.tensor) > at && !f.tensor.CompareAndSwap(at, int64(u.tensor)); {
		at = f.tensor.Load()
	}
	f.reached <- u.tensor
}

// end waits for a preparation under way.
func (f *front) end() {
	close(f.reached)
	<-f.ended
}
