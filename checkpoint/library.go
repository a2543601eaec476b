package checkpoint

import (
	"slices"

	"github.com/nlpodyssey/safetensors"
)

// manyDimensions is a rank beyond that of any tensor: the library's form of a shape takes some hundred bytes a dimension.
const manyDimensions = 64

// standIn is an entry of the same bytes in a form that the library reads: it refuses a file with other types.
func (e entry) standIn() entry {
	if len(e.Shape) > manyDimensions {
		e.DType, e.Shape = U8, []int{int(e.end - e.begin)}
	}
	switch e.DType {
	case F8E4M3, F8E5M2, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ:
		e.DType = U8
	case C64:
		e.DType = U64
	case F6E2M3, F6E3M2, F4:
		e.DType = U8
		e.Shape = []int{int(e.end - e.begin)}
	}
	return e
}

// crossCheck has the library read the same header and compares. A header with types, keys or forms that the library refuses
// is handed to it re-spelled: that still checks every shape and offset.
func (h *header) crossCheck(text []byte) error {
	known := make([]entry, len(h.entries))
	for i, e := range h.entries {
		known[i] = e.standIn()
	}
	if h.foreign {
		text = formatHeader(known, h.metadata)
	}
	var parsed safetensors.Metadata
	if err := parsed.UnmarshalJSON(text); err != nil {
		return broken(RuleReaders, "header: two readers disagree: %s", cut(err.Error()))
	}
	tensors := parsed.Tensors()
	if len(tensors) != len(known) {
		return broken(RuleReaders, "header: two readers disagree: %d tensors and %d", len(tensors), len(known))
	}
	for _, e := range known {
		t := tensors[e.Name]
		if t == nil || !agree(e, t) {
			return broken(RuleReaders, "tensor %s: two readers of the header disagree", quoted(e.Name))
		}
	}
	return nil
}

func agree(e entry, t *safetensors.TensorInfo) bool {
	same := func(a int, b uint64) bool { return uint64(a) == b }
	return t.DType.String() == string(e.DType) && slices.EqualFunc(e.Shape, t.Shape, same) &&
		t.DataOffsets == [2]uint64{uint64(e.begin), uint64(e.end)}
}
