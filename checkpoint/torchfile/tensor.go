package torchfile

// Tensor is one tensor of a file. It shares memory with the file and is not to be changed.
type Tensor struct {
	Name  string
	DType string // as a safetensors header spells it
	Shape []int  // empty for a scalar
	// Bytes are the elements as stored: row-major, little-endian, perhaps unaligned. nil where the tensor is a view that does
	// not have them in one piece: see Gather.
	Bytes []byte

	size   int    // bytes of an element
	axes   []axis // those of more than one element, outermost first, neighbours joined where one stride steps over both
	origin []byte // the storage from the first element on
}

// axis is a number of elements and the distance between them, in elements.
type axis struct{ length, stride int }

// maxRank is beyond that of any tensor (PyTorch's own operators stop at 64).
const maxRank = 64

// check makes a tensor of what a file says about it, if that fits.
func (t *tensor) check(find locate, limit int) (made Tensor, err error) {
	args := t.args.items
	if len(args) < 4 {
		return made, broken(RuleTensor, "%s with %d arguments, want at least 4", t.make, len(args))
	}
	from, ok := args[0].(*view)
	if !ok {
		rule := RuleTensor
		if _, ok := args[0].(*opaque); ok {
			rule = RuleClass
		}
		return made, broken(rule, "made from %s, want a storage", kind(args[0]))
	}
	if made.DType, made.size, err = t.elements(from.of); err != nil {
		return made, err
	}
	offset, ok := args[1].(int64)
	if !ok || offset < 0 {
		return made, broken(RuleTensor, "storage offset %s, want a whole number, 0 or more", kind(args[1]))
	}
	if made.Shape, err = naturals("shape", args[2]); err != nil {
		return made, err
	}
	strides, err := naturals("strides", args[3])
	if err != nil {
		return made, err
	}
	if len(strides) != len(made.Shape) {
		return made, broken(RuleTensor, "%d strides for %d dimensions", len(strides), len(made.Shape))
	}
	if err := t.checkPlain(); err != nil {
		return made, err
	}
	content, err := find(from.of)
	if err != nil {
		return made, err
	}
	if n := from.of.elements; n > len(content)/from.of.size || n*from.of.size != len(content) {
		return made, broken(RuleStorage, "storage %s: %d elements of %d bytes, but %d bytes are stored", quoted(from.of.key), n, from.of.size, len(content))
	}
	return made, made.place(content[from.begin*from.of.size:(from.begin+from.length)*from.of.size], uint64(offset), strides, limit)
}

// elements is the element type: that of the storage, or the seventh argument.
func (t *tensor) elements(s *storage) (dtype string, size int, err error) {
	class := s.class
	if dtype, size = s.dtype, s.size; t.make.is == isRebuildV3 {
		class = nil
		if len(t.args.items) > 6 {
			class, _ = t.args.items[6].(*global)
		}
		if class == nil {
			return "", 0, broken(RuleTensor, "%s without a dtype", t.make)
		}
		if dtype = ""; class.is == isElementType {
			dtype, size = elementType(class.name)
		}
	}
	if dtype == "" || s.size == 0 {
		return "", 0, broken(RuleDType, "element type %s of %s: safetensors has none for it", class, s.class)
	}
	return dtype, size, nil
}

// checkPlain refuses a tensor that is lazily conjugated or negated: the last argument but in the oldest form.
func (t *tensor) checkPlain() error {
	at := 6
	if t.make.is == isRebuildV3 {
		at = 7
	}
	if len(t.args.items) <= at {
		return nil
	}
	if flags, ok := t.args.items[at].(*dict); ok && (flags.find("conj") == true || flags.find("neg") == true) {
		return broken(RuleTensor, "conjugated or negated when it is read, want it stored as it is")
	}
	return nil
}

// naturals reads a tuple of whole numbers, 0 or more.
func naturals(what string, v value) ([]int, error) {
	t, ok := v.(*tuple)
	if !ok {
		return nil, broken(RuleTensor, "%s: %s, want a tuple", what, kind(v))
	}
	if len(t.items) > maxRank {
		return nil, broken(RuleTensor, "%s: %d dimensions, want at most %d", what, len(t.items), maxRank)
	}
	numbers := make([]int, len(t.items))
	for i, item := range t.items {
		n, ok := item.(int64)
		if !ok || n < 0 || int64(int(n)) != n {
			return nil, broken(RuleTensor, "%s: %s, want whole numbers, 0 or more", what, kind(item))
		}
		numbers[i] = int(n)
	}
	return numbers, nil
}
