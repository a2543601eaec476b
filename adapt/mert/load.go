package mert

import (
	"fmt"

	"syncretic/checkpoint"
)

// Load makes an encoder from the weights of src, converted to float32. Both spellings of the weight norm are read, names
// under "hubert." or "model.", as task heads of transformers write them, and the names of MERT's training checkpoints,
// whose heads are passed over. Every tensor that is missing, extra or of another shape is reported, as one [ErrInvalid];
// to load the encoder out of another file that holds more, pass it through [checkpoint.Select].
func Load(cfg Config, src checkpoint.Source) (*Encoder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if _, err := match(cfg.weights(), src); err != nil {
		return nil, err // before any memory is taken
	}
	e, err := allocate(cfg)
	if err != nil {
		return nil, err
	}
	return e, e.SetWeights(src)
}

// SetWeights replaces every weight with that of src, in place: parameters and their gradients stay where they are. The names and shapes
// are checked as in [Load] before the first weight changes; an error while reading leaves the encoder with some weights old and some new.
// Packed forms of what changed are made again by the next inference.
//
// Of a [checkpoint.Versioned] source only the tensors are read that have another version than those that the encoder holds, so that a
// sweep pays for what differs from one trial to the next. That ends where [Encoder.Params] has given the weights away.
func (e *Encoder) SetWeights(src checkpoint.Source) error {
	names, err := match(e.table, src)
	if err != nil {
		return err
	}
	if e.trained.Load() {
		return e.read(src, names, func(int) bool { return true })
	}
	versions, changed := make([]string, len(names)), make([]bool, len(names))
	versioned, _ := src.(checkpoint.Versioned)
	for i, name := range names {
		if versioned != nil {
			versions[i] = versioned.Version(name)
		}
		if changed[i] = versions[i] == "" || versions[i] != e.versions[i]; changed[i] {
			e.versions[i] = "" // until it is read
		}
	}
	is := func(i int) bool { return changed[i] }
	defer e.thaw(is)
	if err := e.read(src, names, is); err != nil {
		e.reuse.turn(e.stages(), nil)
		return err
	}
	copy(e.versions, versions)
	e.reuse.turn(e.stages(), e.versions)
	return nil
}

// readElements is how many elements are read at a time, so that cores finish together whatever the tensors' sizes.
const readElements = 1 << 20

// read reads the weights of some rows of the table.
func (e *Encoder) read(src checkpoint.Source, names []string, wanted func(i int) bool) error {
	type part struct{ row, lo, hi int }
	var parts []part
	for i, x := range e.data {
		if !wanted(i) {
			continue
		}
		for lo := 0; lo < len(x); lo += readElements {
			parts = append(parts, part{i, lo, min(len(x), lo+readElements)})
		}
	}
	return each(len(parts), func(i int) error {
		p := parts[i]
		if err := src.Read(names[p.row], p.lo, e.data[p.row][p.lo:p.hi]); err != nil {
			return fmt.Errorf("tensor %q: %w", names[p.row], err)
		}
		return nil
	})
}
