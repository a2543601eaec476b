package checkpoint

// Source is anything with weights: a file, a sharded set, a task vector, a merge, an encoder in memory.
// It is to checkpoints what io.Reader is to bytes.
type Source interface {
	// Tensors lists every tensor, sorted by name. It is known from headers alone: no weight is read.
	// The list is shared: callers must not change it.
	Tensors() []Info
	// Read converts elements [offset, offset+len(dst)) of the named tensor, in row-major order, to float32.
	// It is safe for concurrent use.
	Read(name string, offset int, dst []float32) error
}

// RawSource is a Source that also has tensors as stored.
type RawSource interface {
	Source
	// Raw returns the elements of the named tensor as stored: row-major, little-endian, in the tensor's own DType.
	// It is cheap: the bytes are shared with the source (a mapped file), read-only, and valid until it is closed.
	// A source that cannot tell for this tensor (a wrapper around one that must compute it) returns an error that
	// wraps errors.ErrUnsupported; callers then use Read.
	Raw(name string) ([]byte, error)
}

// FiniteSource is a Source that may learn, while it reads, that there is neither NaN nor infinity.
type FiniteSource interface {
	Source
	// ReadFinite is Read. finite says that all it read is finite; where it is false, that is not known.
	ReadFinite(name string, offset int, dst []float32) (finite bool, err error)
}

// Preparer is a Source that has to find out about a whole tensor before it can give any of it.
type Preparer interface {
	Source
	// Prepare does so for the named tensor, so that a Read that follows soon finds it done. It is a hint: writers give it for the
	// tensor after those that they read, one at a time, and a Read meets its error again.
	Prepare(name string) error
}

// Versioned is a Source that can tell without reading that a tensor has not changed.
type Versioned interface {
	Source
	// Version names the values of a tensor: two that have the same version, of one source or of two, have the same shape and the same
	// values bit for bit. "" says nothing.
	Version(name string) string
}

// Info describes one tensor.
type Info struct {
	Name  string
	DType DType
	Shape []int // empty for a scalar
}

// DType names an element type as the safetensors header spells it.
type DType string

// The element types of the safetensors format.
const (
	F64    DType = "F64"
	F32    DType = "F32"
	F16    DType = "F16"
	BF16   DType = "BF16"
	F8E4M3 DType = "F8_E4M3"
	F8E5M2 DType = "F8_E5M2"
	I64    DType = "I64"
	I32    DType = "I32"
	I16    DType = "I16"
	I8     DType = "I8"
	U64    DType = "U64"
	U32    DType = "U32"
	U16    DType = "U16"
	U8     DType = "U8"
	Bool   DType = "BOOL"

	// Carried as bytes only.
	C64        DType = "C64"
	F8E8M0     DType = "F8_E8M0"
	F8E4M3FNUZ DType = "F8_E4M3FNUZ"
	F8E5M2FNUZ DType = "F8_E5M2FNUZ"
	F6E2M3     DType = "F6_E2M3"
	F6E3M2     DType = "F6_E3M2"
	F4         DType = "F4"
)
