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

// SetWeights replaces every weight with that of src, in place: parameters and their gradients stay where they are. Packed
// forms are made again by the next inference. The names and shapes are checked as in [Load] before the first weight
// changes; an error while reading leaves the encoder with some weights old and some new.
func (e *Encoder) SetWeights(src checkpoint.Source) error {
	names, err := match(e.table, src)
	if err != nil {
		return err
	}
	defer e.thaw()
	return each(len(names), func(i int) error {
		if err := src.Read(names[i], 0, e.data[i]); err != nil {
			return fmt.Errorf("tensor %q: %w", names[i], err)
		}
		return nil
	})
}
