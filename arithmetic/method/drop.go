package method

import "fmt"

// dropper is a kernel whose method drops elements of task vectors.
type dropper interface {
	// drop clears what the method drops in a block of every task vector, at most blockElements long. any is false where it drops
	// nothing, whatever the vectors hold.
	drop(offset int, deltas [][]float32, w *work) (any bool, err error)
}

// Drop shows what the method drops of the task vectors: deltas are ranges of those of all inputs but the base, in their order, from
// offset on, and what goes is set to +0. any is false where nothing can go: the method trims nothing, or its parameters keep
// everything.
func (t *Tensor) Drop(offset int, deltas [][]float32) (any bool, err error) {
	k, err := t.prepared()
	if err != nil {
		return false, err
	}
	d, ok := k.(dropper)
	if !ok || len(deltas) == 0 {
		return false, nil
	}
	w := borrow()
	defer w.giveBack()
	part := make([][]float32, len(deltas))
	for lo, n := 0, len(deltas[0]); lo < n; lo += blockElements {
		for i, x := range deltas {
			part[i] = x[lo:min(n, lo+blockElements)]
		}
		w.reset()
		if any, err = d.drop(offset+lo, part, w); err != nil {
			return false, fmt.Errorf("tensor %q: %w", t.task.Name, err)
		}
	}
	return any, nil
}

func (k *taskVectorKernel) drop(offset int, deltas [][]float32, _ *work) (any bool, err error) {
	for i, m := range k.masks {
		if m == nil {
			continue
		}
		any = true
		if err := m.apply(offset, deltas[i]); err != nil {
			return false, err
		}
	}
	return any, nil
}

func (s *selected) drop(offset int, deltas [][]float32, w *work) (any bool, err error) {
	if s.all {
		return false, nil
	}
	s.mask(offset, deltas, w)
	return true, nil
}
