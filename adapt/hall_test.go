package adapt

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// errLeft is what a process of a hall gets that waits for one that has ended: over MPI it would wait for ever.
var errLeft = errors.New("a process has left while another waits for it")

// hall is where the processes of a test meet, which are goroutines.
type hall struct {
	mu      sync.Mutex
	changed *sync.Cond
	brought []any // by rank, in this round
	here    int
	round   int
	left    bool
}

func newHall(size int) *hall {
	h := &hall{brought: make([]any, size)}
	h.changed = sync.NewCond(&h.mu)
	return h
}

// meet waits until everyone has brought something; the last to come does what is to be done with it.
func (h *hall) meet(rank int, what any, do func(all []any)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.brought[rank] = what
	h.here++
	round := h.round
	if h.here == len(h.brought) {
		do(h.brought)
		h.here = 0
		h.round++
		h.changed.Broadcast()
		return nil
	}
	for h.round == round && !h.left {
		h.changed.Wait()
	}
	if h.round == round {
		return errLeft
	}
	return nil
}

func (h *hall) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left = true
	h.changed.Broadcast()
}

// member is one process of a hall as a Group. Sums are taken in the order of ranks.
type member struct {
	*hall
	rank int
	skew float32 // added to this process's sums of gradients, as a broken library would
}

func (m member) Rank() int { return m.rank }
func (m member) Size() int { return len(m.brought) }

func (m member) Sum(x []float32) error {
	err := m.meet(m.rank, x, sumAll[float32])
	x[0] += m.skew
	return err
}
func (m member) SumFloat64(x []float64) error { return m.meet(m.rank, x, sumAll[float64]) }

func sumAll[T float32 | float64](all []any) {
	first := all[0].([]T)
	for _, other := range all[1:] {
		x := other.([]T)
		for i := range first {
			first[i] += x[i]
		}
	}
	for _, other := range all[1:] {
		copy(other.([]T), first)
	}
}

func (m member) Broadcast(root int, p []byte) error {
	return m.meet(m.rank, p, func(all []any) {
		for _, other := range all {
			if q := other.([]byte); len(q) != len(p) {
				panic("the processes broadcast other lengths")
			} else {
				copy(q, all[root].([]byte))
			}
		}
	})
}

// together calls f in every process of a group and returns their errors by rank.
func together(size int, f func(g member) error) []error {
	h, errs := newHall(size), make([]error, size)
	var wg sync.WaitGroup
	for rank := range size {
		wg.Go(func() {
			errs[rank] = f(member{hall: h, rank: rank})
			if errs[rank] != nil {
				h.leave()
			}
		})
	}
	wg.Wait()
	return errs
}

// groupRun trains a recipe in every process of a group. prepare, which may be nil, sees each process's run and options.
func groupRun(ctx context.Context, cfg Config, size int, out string, prepare func(rank int, r *Run, o *Options)) []error {
	return together(size, func(g member) error {
		run, err := Opening{Group: g}.Open(ctx, cfg)
		if err != nil {
			return err
		}
		defer run.Close()
		run.team.bucket = 300 // several buckets
		var o Options
		if prepare != nil {
			prepare(g.rank, run, &o)
		}
		return run.Train(ctx, out, o)
	})
}

// mustAll fails the test if any process failed.
func mustAll(t *testing.T, errs []error) {
	t.Helper()
	for rank, err := range errs {
		if err != nil {
			t.Fatalf("process %d: %v", rank, err)
		}
	}
}
