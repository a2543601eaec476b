package torchfile

// builtin is a name that means something here.
type builtin int

const (
	unknown builtin = iota
	isOrderedDict
	isSize
	isTensorClass
	isRebuild     // storage, offset, size, stride, then what is of no matter here
	isRebuildV3   // the same, and seventh a dtype
	isParameter   // tensor, ...
	isFromType    // function, class, its arguments, state
	isUnreadable  // makes a tensor, or what stands for one, in a way that is not read
	isElementType // a storage class or a dtype
)

func newGlobal(module, name text) *global { return &global{module, name, lookUp(module, name)} }

// lookUp is the allow-list.
func lookUp(module, name text) builtin {
	switch string(module) {
	case "collections":
		if string(name) == "OrderedDict" {
			return isOrderedDict
		}
	case "torch._utils":
		switch string(name) {
		case "_rebuild_tensor", "_rebuild_tensor_v2":
			return isRebuild
		case "_rebuild_tensor_v3":
			return isRebuildV3
		case "_rebuild_parameter", "_rebuild_parameter_with_state":
			return isParameter
		}
		return isUnreadable // sparse, quantised, meta
	case "torch._tensor":
		switch string(name) {
		case "Tensor":
			return isTensorClass
		case "_rebuild_from_type_v2":
			return isFromType
		}
		return isUnreadable
	case "torch.nn.parameter":
		if string(name) == "Parameter" {
			return isTensorClass
		}
		return isUnreadable // not yet filled
	case "torch", "torch.storage":
		switch string(name) {
		case "Size":
			return isSize
		case "Tensor":
			return isTensorClass
		case "_load_from_bytes":
			return isUnreadable
		}
		if _, size := elementType(name); size > 0 {
			return isElementType
		}
	case "numpy.core.multiarray", "numpy._core.multiarray":
		return isUnreadable // arrays and their scalars
	}
	return unknown
}

// elementType is what a storage class or a dtype of torch stands for: safetensors' spelling, "" where it has none, and bytes.
// An unknown name has size 0.
func elementType(name text) (dtype string, size int) {
	switch string(name) {
	case "DoubleStorage", "float64", "double":
		return "F64", 8
	case "FloatStorage", "float32", "float":
		return "F32", 4
	case "HalfStorage", "float16", "half":
		return "F16", 2
	case "BFloat16Storage", "bfloat16":
		return "BF16", 2
	case "LongStorage", "int64", "long":
		return "I64", 8
	case "IntStorage", "int32", "int":
		return "I32", 4
	case "ShortStorage", "int16", "short":
		return "I16", 2
	case "CharStorage", "int8":
		return "I8", 1
	case "ByteStorage", "UntypedStorage", "uint8":
		return "U8", 1
	case "BoolStorage", "bool":
		return "BOOL", 1
	case "uint16":
		return "U16", 2
	case "uint32":
		return "U32", 4
	case "uint64":
		return "U64", 8
	case "ComplexFloatStorage", "complex64":
		return "C64", 8
	case "float8_e4m3fn":
		return "F8_E4M3", 1
	case "float8_e5m2":
		return "F8_E5M2", 1
	case "float8_e8m0fnu":
		return "F8_E8M0", 1
	case "float8_e4m3fnuz":
		return "F8_E4M3FNUZ", 1
	case "float8_e5m2fnuz":
		return "F8_E5M2FNUZ", 1
	case "ComplexDoubleStorage", "complex128":
		return "", 16
	case "QInt32Storage":
		return "", 4
	case "QInt8Storage", "QUInt8Storage", "QUInt4x2Storage", "QUInt2x4Storage":
		return "", 1
	}
	return "", 0
}

// call is what a function or class makes of its arguments. Nothing is called.
func (m *machine) call(callee value, args *tuple) (value, error) {
	if o, ok := callee.(*opaque); ok {
		return &opaque{class: o.class, holds: o.holds || args.holds}, nil
	}
	g, ok := callee.(*global)
	if !ok {
		return nil, m.broken("%s is called", kind(callee))
	}
	switch n := len(args.items); {
	case g.is == isOrderedDict && n == 0:
		return &dict{}, nil
	case g.is == isOrderedDict && n == 1:
		if from, ok := args.items[0].(*list); ok {
			return &dict{from: from}, nil
		}
	case g.is == isSize && n == 1:
		if sizes, ok := args.items[0].(*tuple); ok {
			return sizes, nil
		}
	case g.is == isRebuild || g.is == isRebuildV3:
		return &tensor{make: g, args: args}, nil
	case g.is == isParameter && n > 0:
		if t, ok := args.items[0].(*tensor); ok {
			return t, nil
		}
	case g.is == isFromType && n >= 3:
		function, _ := args.items[0].(*global)
		class, _ := args.items[1].(*global)
		inner, _ := args.items[2].(*tuple)
		plain := function != nil && (function.is == isRebuild || function.is == isRebuildV3)
		if plain && class != nil && class.is == isTensorClass && inner != nil {
			return &tensor{make: function, args: inner}, nil
		}
		if class != nil {
			g = class // says more
		}
		return &opaque{class: g, holds: true}, nil
	}
	return &opaque{class: g, holds: args.holds || g.is == isUnreadable || g.is == isParameter}, nil
}

// longestKey is that of any storage's name: a count, or an address in decimal.
const longestKey = 255

// persistent is what a persistent id stands for: a storage, ("storage", class, key, device, elements) and in the legacy
// container a sixth, None or (key, offset, elements) for a part of it. Others are the source code of old modules.
func (m *machine) persistent(id value) (value, error) {
	t, ok := id.(*tuple)
	if !ok || len(t.items) < 5 || !isText(t.items[0], "storage") {
		return &opaque{}, nil
	}
	class, isClass := t.items[1].(*global)
	key, isKey := t.items[2].(text)
	n, isCount := t.items[4].(int64)
	if !isClass || !isKey || !isCount || n < 0 || int64(int(n)) != n || len(key) > longestKey {
		return nil, m.broken("storage %s of class %s with %s elements", kind(t.items[2]), kind(t.items[1]), kind(t.items[4]))
	}
	s := m.storages[string(key)]
	if s == nil {
		s = &storage{key: string(key), class: class, elements: int(n)}
		if class.is == isElementType {
			s.dtype, s.size = elementType(class.name)
		}
		if m.storages == nil {
			m.storages = make(map[string]*storage)
		}
		m.storages[s.key] = s
	}
	if s.elements != int(n) || s.class.String() != class.String() {
		return nil, m.broken("storage %s: %d elements of %s, but %d of %s before", quoted(key), n, class, s.elements, s.class)
	}
	v := &view{s, 0, s.elements}
	if len(t.items) == 5 {
		return v, nil
	}
	if part, ok := t.items[5].(*tuple); ok {
		var begin, length int64
		if len(part.items) == 3 {
			begin, isKey = part.items[1].(int64)
			length, isCount = part.items[2].(int64)
		}
		if len(part.items) != 3 || !isKey || !isCount || begin < 0 || length < 0 || begin > n || length > n-begin {
			return nil, m.broken("storage %s: a part that is not inside of its %d elements", quoted(key), n)
		}
		v.begin, v.length = int(begin), int(length)
	}
	return v, nil
}
