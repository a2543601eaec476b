package checkpoint

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
)

// metadata reads the free text under `__metadata__`: an object of strings, or null.
func (s scanner) metadata(h *header) error {
	token, err := s.dec.Token()
	if err != nil || token == nil {
		return err
	}
	if token != json.Delim('{') {
		return invalid("%s: %v where an object is wanted", metadataKey, token)
	}
	h.metadata = make(map[string]string)
	err = s.fields(func(key string) error {
		value, err := s.text()
		if err != nil {
			return within(err, "%q", key)
		}
		h.metadata[key] = value
		return nil
	})
	return within(err, metadataKey)
}

// tensor reads one entry: dtype, shape and data_offsets, each once.
func (s scanner) tensor(h *header, name string) error {
	e := entry{Info: Info{Name: name}}
	var shape, offsets []int64
	err := s.object(func(key string) (err error) {
		switch key {
		case "dtype":
			var text string
			text, err = s.text()
			e.DType = DType(text)
		case "shape":
			shape, err = s.naturals()
		case "data_offsets":
			offsets, err = s.naturals()
		default:
			h.foreign = true
			return s.skip()
		}
		return within(err, "%s", key)
	})
	if err != nil {
		return within(err, "tensor %q", name)
	}
	switch {
	case e.DType == "":
		return invalid("tensor %q: no dtype", name)
	case shape == nil:
		return invalid("tensor %q: no shape", name)
	case len(offsets) != 2:
		return invalid("tensor %q: data_offsets has %d numbers, want 2", name, len(offsets))
	case offsets[0] > offsets[1]:
		return invalid("tensor %q: data_offsets %d, want the first not above the second", name, offsets)
	case e.DType.Size() == 0:
		return invalid("tensor %q: dtype %q is not known", name, e.DType)
	}
	h.foreign = h.foreign || standIn(e.DType) != e.DType
	e.Shape = make([]int, len(shape))
	for i, d := range shape {
		if d > math.MaxInt {
			return invalid("tensor %q: shape %d is too large for this machine", name, shape)
		}
		e.Shape[i] = int(d)
	}
	elements, ok := measure(e.Shape, e.DType.Size())
	if !ok {
		return invalid("tensor %q: shape %d of %s overflows", name, shape, e.DType)
	}
	e.begin, e.end = offsets[0], offsets[1]
	if want := int64(elements) * int64(e.DType.Size()); e.end-e.begin != want {
		return invalid("tensor %q: data_offsets %d hold %d bytes, want %d for %s %d", name, offsets, e.end-e.begin, want, e.DType, shape)
	}
	h.entries = append(h.entries, e)
	return nil
}

// checkLayout wants the tensors to tile the data exactly: no hole, no overlap, nothing missing or left over.
func (h *header) checkLayout(size int64) error {
	slices.SortFunc(h.entries, func(a, b entry) int {
		switch {
		case a.begin != b.begin:
			return compare(a.begin, b.begin)
		case a.end != b.end:
			return compare(a.end, b.end)
		}
		return strings.Compare(a.Name, b.Name)
	})
	at := int64(0)
	for _, e := range h.entries {
		switch {
		case e.end > size:
			return invalid("truncated: tensor %q ends at byte %d of the data, which has %d", e.Name, e.end, size)
		case e.begin > at:
			return invalid("hole: no tensor owns bytes [%d %d) of the data, before tensor %q", at, e.begin, e.Name)
		case e.begin < at:
			return invalid("overlap: tensor %q starts at byte %d of the data, inside of the one before, which ends at %d", e.Name, e.begin, at)
		}
		at = e.end
	}
	if at != size {
		return invalid("trailing data: the tensors end at byte %d of the data, which has %d", at, size)
	}
	return nil
}

func compare(a, b int64) int {
	if a < b {
		return -1
	}
	return 1
}

// within puts a context before an error about contents; other errors (JSON's) pass to headerError.
func within(err error, format string, args ...any) error {
	if e := (*invalidError)(nil); errors.As(err, &e) {
		return invalid(format+": %s", append(args, e.text)...)
	}
	return err
}
