package checkpoint

import (
	"slices"

	"github.com/nlpodyssey/safetensors"
)

// standIn is a type of the same width that the library knows: it refuses a file with any other.
func standIn(d DType) DType {
	switch d {
	case F8E4M3, F8E5M2, F8E8M0:
		return U8
	case C64:
		return U64
	}
	return d
}

// crossCheck has the library read the same header and compares. A header with types or keys that the library refuses
// is handed to it re-spelled: that still checks every shape and offset.
func (h *header) crossCheck(text []byte) error {
	if h.foreign {
		known := make([]entry, len(h.entries))
		for i, e := range h.entries {
			known[i] = e
			known[i].DType = standIn(e.DType)
		}
		text = formatHeader(known, h.metadata)
	}
	var parsed safetensors.Metadata
	if err := parsed.UnmarshalJSON(text); err != nil {
		return invalid("header: two readers disagree: %v", err)
	}
	tensors := parsed.Tensors()
	if len(tensors) != len(h.entries) {
		return invalid("header: two readers disagree: %d tensors and %d", len(tensors), len(h.entries))
	}
	for _, e := range h.entries {
		t := tensors[e.Name]
		if t == nil || !agree(e, t) {
			return invalid("tensor %q: two readers of the header disagree", e.Name)
		}
	}
	return nil
}

func agree(e entry, t *safetensors.TensorInfo) bool {
	same := func(a int, b uint64) bool { return uint64(a) == b }
	return t.DType.String() == string(standIn(e.DType)) && slices.EqualFunc(e.Shape, t.Shape, same) &&
		t.DataOffsets == [2]uint64{uint64(e.begin), uint64(e.end)}
}
