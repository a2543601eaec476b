package torchfile

import (
	"fmt"
	"strings"
)

// locate finds the bytes of a storage.
type locate func(*storage) ([]byte, error)

// choose finds the dictionary that is the model, and its tensors. limit is the file's length.
func choose(root value, find locate, limit int) ([]Tensor, error) {
	top, ok := root.(*dict)
	if !ok {
		return nil, broken(RuleContents, "holds %s, want a state dict", kind(root))
	}
	if top.hasTensor() {
		return top.tensors(find, limit)
	}
	for _, key := range []string{"state_dict", "model"} {
		if d, ok := top.find(key).(*dict); ok && d.hasTensor() {
			return d.tensors(find, limit)
		}
	}
	return nil, broken(RuleContents, "no tensors at the top level, under \"state_dict\" or under \"model\"; the top level has %s", top.summary())
}

func (d *dict) hasTensor() bool {
	for p := range d.all {
		if _, ok := p.value.(*tensor); ok {
			return true
		}
	}
	return false
}

// summary lists keys and what is under them.
func (d *dict) summary() string {
	const most = 8
	var parts []string
	total := 0
	for p := range d.all {
		if total++; total <= most {
			parts = append(parts, kind(p.key)+" ("+kind(p.value)+")")
		}
	}
	switch {
	case total == 0:
		return "nothing"
	case total > most:
		parts = append(parts, fmt.Sprintf("%d more", total-most))
	}
	return strings.Join(parts, ", ")
}

// tensors takes the tensors out. A name twice, or tensors that are not directly under a name, would be lost: they are errors.
func (d *dict) tensors(find locate, limit int) (list []Tensor, err error) {
	n := 0
	for p := range d.all {
		if _, ok := p.value.(*tensor); ok {
			n++
		}
	}
	list = make([]Tensor, 0, n)
	seen := make(map[string]bool, n)
	for p := range d.all {
		t, ok := p.value.(*tensor)
		if !ok && !holds(p.value) {
			continue // epochs, arguments
		}
		name, isName := p.key.(text)
		switch _, unread := p.value.(*opaque); {
		case !isName:
			return nil, broken(RuleContents, "key %s among the tensors, want a string", kind(p.key))
		case unread:
			return nil, broken(RuleClass, "tensor %s: %s, want a plain tensor", quoted(name), kind(p.value))
		case !ok:
			return nil, broken(RuleContents, "tensor %s: %s with tensors in it, want a tensor", quoted(name), kind(p.value))
		case seen[string(name)]:
			return nil, broken(RuleContents, "tensor %s: appears twice", quoted(name))
		}
		seen[string(name)] = true
		var made Tensor
		if t.listed > 0 { // tied: checked already
			made = list[t.listed-1]
		} else if made, err = t.check(find, limit); err != nil {
			return nil, within(err, "tensor %s", quoted(name))
		}
		made.Name = string(name)
		list = append(list, made)
		t.listed = len(list)
	}
	return list, nil
}
