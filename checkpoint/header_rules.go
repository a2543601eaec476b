package checkpoint

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// metadata reads the free text under `__metadata__`: an object of strings, or null.
func (s *scanner) metadata(h *header) error {
	if s.peek() == 'n' {
		_, err := s.word()
		return err
	}
	h.metadata = make(map[string]string)
	err := s.object(func(key string) (err error) {
		h.metadata[key], err = s.str()
		return within(err, "%s", quoted(key))
	})
	return within(ruled(RuleMetadata, err), metadataKey)
}

// tensor reads one entry and checks what can be checked without the others.
func (s *scanner) tensor(h *header, name string) error {
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
func (s *scanner) entry(h *header, e *entry) (shape, offsets []int64, err error) {
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
	switch s.peek() {
	case '[':
		h.foreign = true
		keys := []string{"dtype", "shape", "data_offsets"}
		err = s.array(func() error {
			if len(keys) == 0 {
				return invalid("an array of more than dtype, shape and data_offsets")
			}
			key := keys[0]
			keys = keys[1:]
			return field(key)
		})
	default:
		err = s.object(field)
	}
	return shape, offsets, err
}

// dtype reads a type's name: a string, or, as the reference does too, an object with that one key and null.
func (s *scanner) dtype(h *header) (name DType, err error) {
	if s.peek() != '{' {
		text, err := s.str()
		return DType(text), err
	}
	h.foreign = true
	keys := 0
	err = s.object(func(key string) error {
		keys++
		name = DType(key)
		if s.peek() != 'n' {
			return within(s.unwanted("null"), "%s", quoted(key))
		}
		_, err := s.word()
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
