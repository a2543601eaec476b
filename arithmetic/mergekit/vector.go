package mergekit

import (
	"fmt"

	"syncretic/arithmetic"
)

// onBase makes of a file of a task vector the model that it stands for: base + τ, in the base's types. Methods that work on differences
// read τ itself. The file says which base it was taken from, and no other is accepted: τ would mean nothing there.
func (m *merging) onBase(vector *input, ref *Ref) (*input, error) {
	if ref == nil {
		return nil, wrong("%s is a task vector: give the base_model that it was taken from", vector.name)
	}
	base, err := m.openRef(*ref)
	if err != nil {
		return nil, err
	}
	if base.delta != nil {
		return nil, wrong("base_model %s is a task vector", base.name)
	}
	made := func() (*input, error) {
		hash, err := m.hashOf(base)
		if err != nil {
			return nil, err
		}
		if hash != vector.of {
			return nil, invalid("%s: a task vector of another base: with sha-256 %.12s, but %s has %.12s", vector.name, vector.of, base.name, hash)
		}
		src, err := arithmetic.Combine(base.src, arithmetic.Term{Vector: vector.delta, Lambda: 1})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", vector.name, err)
		}
		in := *vector
		in.src, in.model = src, nil // the file is closed by the vector
		in.stacks = Stacks(in.src.Tensors(), base.config)
		return &in, nil
	}
	if !base.shared || !vector.shared {
		return made()
	}
	return m.opts.Models.input(m.opts.NonFinite, vector.name+" on "+base.name, made)
}

// hashOf is the sha-256 that names a base.
func (m *merging) hashOf(base *input) (hash string, err error) {
	if base.hash != "" {
		return base.hash, nil
	}
	src := base.src
	if base.model != nil && base.opened.Adapter == "" {
		src = base.model // as it is stored
	}
	base.hash, err = m.opts.Opener.Hash(src)
	return base.hash, err
}
