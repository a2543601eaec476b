package checkpoint

import (
	"cmp"
	"encoding/json"
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
		return broken(RuleMetadata, "%s: %s where an object is wanted", metadataKey, shown(token))
	}
	h.metadata = make(map[string]string)
	err = s.fields(func(key string) error {
		value, err := s.text()
		if err != nil {
			return within(ruled(RuleMetadata, err), "%s", quoted(key))
		}
		h.metadata[key] = value
		return nil
	})
	return within(err, metadataKey)
}

// tensor reads one entry and checks what can be checked without the others.
func (s scanner) tensor(h *header, name string) error {
	e := entry{Info: Info{Name: name}}
	shape, offsets, err := s.entry(h, &e)
	if err == nil {
		err = e.fill(shape, offsets)
	}
	if err != nil {
		return within(ruled(RuleEntry, err), "tensor %s", quoted(name))
	}
	h.foreign = h.foreign || e.DType != e.standIn().DType || len(e.Shape) > manyDimensions
	h.entries = append(h.entries, e)
	return nil
}

// entry reads dtype, shape and data_offsets: as an object with each of these keys once and any others, or, as the reference
// does too, as an array of just the three.
func (s scanner) entry(h *header, e *entry) (shape, offsets []int64, err error) {
	field := func(key string) (err error) {
		switch key {
		case "dtype":
			e.DType, err = s.dtype(h)
			err = ruled(RuleDType, err)
		case "shape":
			shape, err = s.naturals()
			err = ruled(RuleShape, err)
		case "data_offsets":
			offsets, err = s.naturals()
			err = ruled(RuleOffsets, err)
		default:
			h.foreign = true
			return s.skip(2)
		}
		return within(err, "%s", key)
	}
	token, err := s.dec.Token()
	switch {
	case err != nil:
	case token == json.Delim('{'):
		err = s.fields(field)
	case token == json.Delim('['):
		h.foreign = true
		for _, key := range []string{"dtype", "shape", "data_offsets"} {
			if err := field(key); err != nil {
				return nil, nil, err
			}
		}
		if s.dec.More() {
			return nil, nil, invalid("an array of more than dtype, shape and data_offsets")
		}
		_, err = s.dec.Token()
	default:
		err = invalid("%s where an object is wanted", shown(token))
	}
	return shape, offsets, err
}

// dtype reads a type's name: a string, or, as the reference does too, an object with that one key and null.
func (s scanner) dtype(h *header) (name DType, err error) {
	token, err := s.dec.Token()
	if err != nil {
		return "", err
	}
	if text, ok := token.(string); ok {
		return DType(text), nil
	}
	if token != json.Delim('{') {
		return "", invalid("%s where a string is wanted", shown(token))
	}
	h.foreign = true
	keys := 0
	err = s.fields(func(key string) error {
		keys++
		name = DType(key)
		value, err := s.dec.Token()
		if err == nil && value != nil {
			err = invalid("%s: %s where null is wanted", quoted(key), shown(value))
		}
		return err
	})
	if err == nil && keys != 1 {
		err = invalid("an object of %d keys where a string is wanted", keys)
	}
	return name, err
}

// fill takes in shape and offsets, nil where they were not there, and holds them against each other.
func (e *entry) fill(shape, offsets []int64) error {
	switch {
	case e.DType == "":
		return invalid("no dtype")
	case shape == nil:
		return invalid("no shape")
	case offsets == nil:
		return invalid("no data_offsets")
	case len(offsets) != 2:
		return broken(RuleOffsets, "data_offsets has %d numbers, want 2", len(offsets))
	case offsets[0] > offsets[1]:
		return broken(RuleOffsets, "data_offsets %d, want the first not above the second", offsets)
	case e.DType.Bits() == 0:
		return broken(RuleDType, "dtype %s is not known", quoted(string(e.DType)))
	}
	e.Shape = make([]int, len(shape))
	for i, d := range shape {
		if d > math.MaxInt {
			return broken(RuleShape, "shape %s is too large for this machine", list(shape))
		}
		e.Shape[i] = int(d)
	}
	elements, ok := measureBits(e.Shape, e.DType.Bits())
	switch {
	case !ok:
		return broken(RuleShapeOverflow, "shape %s of %s overflows", list(shape), e.DType)
	case elements*e.DType.Bits()%8 != 0:
		return broken(RuleSubByte, "shape %s of %s does not fill whole bytes", list(shape), e.DType)
	}
	e.begin, e.end = offsets[0], offsets[1]
	if want := e.DType.bytes(elements); e.end-e.begin != want {
		return broken(RuleSize, "data_offsets %d hold %d bytes, want %d for %s %s", offsets, e.end-e.begin, want, e.DType, list(shape))
	}
	return nil
}

// checkLayout wants the tensors to tile the data exactly: no hole, no overlap, nothing missing or left over.
func (h *header) checkLayout(size int64) error {
	slices.SortFunc(h.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), strings.Compare(a.Name, b.Name))
	})
	at := int64(0)
	for _, e := range h.entries {
		name := quoted(e.Name)
		switch {
		case e.end > size:
			return broken(RuleTruncated, "truncated: tensor %s ends at byte %d of the data, which has %d", name, e.end, size)
		case e.begin > at:
			return broken(RuleHole, "hole: no tensor owns bytes [%d %d) of the data, before tensor %s", at, e.begin, name)
		case e.begin < at:
			return broken(RuleOverlap, "overlap: tensor %s starts at byte %d of the data, inside of the one before, which ends at %d", name, e.begin, at)
		}
		at = e.end
	}
	if at != size {
		return broken(RuleTrailing, "trailing data: the tensors end at byte %d of the data, which has %d", at, size)
	}
	return nil
}
