package adapt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Group is the processes that train one model together; adapt/mpi joins one. Every process calls the same methods in the
// same order, each from one goroutine at a time; a call returns once the others have made theirs as far as it needs them.
// An error means that the processes cannot talk any more.
type Group interface {
	Rank() int // of this process, from 0
	Size() int // number of processes

	// Sum and SumFloat64 add up x over all processes, element by element, in place, to the same bits on every one of them.
	Sum(x []float32) error
	SumFloat64(x []float64) error

	// Broadcast copies p of the process root to that of all others, which has the same length.
	Broadcast(root int, p []byte) error
}

// ErrElsewhere marks what another process of a group failed on or was interrupted by. The text is that process's.
var ErrElsewhere = errors.New("another process of the group failed")

// together is Open in one process of a group.
func (o Opening) together(ctx context.Context, cfg Config) (*Run, error) {
	t := team{group: o.Group}
	var r *Run
	var err error
	for _, phase := range []func() error{
		func() error { return errors.Join(cfg.validate(), cfg.sharedBy(o.Group.Size())) },
		func() error {
			if t.leads() {
				r, err = o.alone(ctx, cfg)
			}
			return err
		},
		func() error {
			if !t.leads() {
				r, err = openBeside(ctx, cfg)
			}
			return err
		},
		func() error { return t.compare(r) },
	} {
		if err := t.agree(phase()); err != nil {
			if r != nil {
				r.Close()
			}
			return nil, err
		}
	}
	r.team = t
	return r, nil
}

// openBeside opens a recipe after process 0 has. A teacher that is not there by now never will be.
func openBeside(ctx context.Context, cfg Config) (*Run, error) {
	if _, err := os.Stat(filepath.Join(cfg.Teacher.Path, "teacher.json")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the teacher that process 0 has: %w (all processes need the same files)", err)
	}
	return Open(ctx, cfg, nil)
}

// Agree makes an error of one process that of all: it returns err where there is one, and elsewhere one that wraps
// [ErrElsewhere] when any other process gave one. It is for what may go wrong in one process before a recipe is opened. A nil group
// is one process.
func Agree(g Group, err error) error {
	t := team{group: g}
	return t.agree(err)
}

// sharedBy checks that micro-batches can be shared out evenly.
func (c Config) sharedBy(processes int) error {
	n := c.Batch.Accumulate
	if n%processes == 0 {
		return nil
	}
	var below string
	if low := n / processes * processes; low > 0 {
		below = fmt.Sprintf("%d or ", low)
	}
	return fmt.Errorf("%w: batch.accumulate: %d cannot be shared out among %d processes: let it be %s%d, and divide batch.clips by as much to keep the step's size",
		ErrConfig, n, processes, below, (n/processes+1)*processes)
}

// identity is what makes two processes' runs the same: the recipe with its defaults, and the inputs' hashes by name.
type identity struct {
	Recipe string
	Inputs map[string]string
}

// compare checks that this process trains what process 0 does.
func (t *team) compare(r *Run) error {
	recipe, err := r.cfg.Marshal()
	if err != nil {
		return err
	}
	own, first := identity{string(recipe), r.inputs}, identity{}
	doc, err := json.Marshal(own)
	if err != nil {
		return err
	}
	if doc, err = t.tell(doc); err != nil {
		return err
	}
	if err := json.Unmarshal(doc, &first); err != nil {
		return err
	}
	if own.Recipe != first.Recipe {
		return fmt.Errorf("%w: the recipe differs from that of process 0", ErrConfig)
	}
	var names []string
	for name := range own.Inputs {
		names = append(names, name)
	}
	for name := range first.Inputs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if own.Inputs[name] != first.Inputs[name] {
			return fmt.Errorf("%w: the %s differs from that of process 0 (all processes need the same files)", ErrConfig, name)
		}
	}
	return nil
}
