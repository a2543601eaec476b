package taskvector

import (
	"fmt"
	"math"
	"math/bits"

	"syncretic/checkpoint"
)

// Form is how a file holds a task vector, the value under [FormKey].
type Form string

// The forms.
const (
	Dense   Form = "dense"
	Sparse  Form = "sparse"
	LowRank Form = "low_rank"
)

// Metadata keys of a file, and the one version of the format there is.
const (
	FormKey    = "syncretic.vector.form"
	VersionKey = "syncretic.vector.version"
	DensityKey = "syncretic.vector.density" // of the sparse form: the share that was asked for
	RankKey    = "syncretic.vector.rank"    // of the low-rank form: the most that was asked for

	Version = "1"
)

// The parts of a tensor: what follows its name and a point.
const (
	partDense  = "dense"
	partShape  = "shape"
	partOctets = "octets"
	partMask   = "mask"
	partValues = "values"
	partLeft   = "left"
	partRight  = "right"
)

// ErrInvalid is wrapped by every error about what a file or a vector holds. It is checkpoint's.
var ErrInvalid = checkpoint.ErrInvalid

// invalidError is an ErrInvalid whose message says only what is wrong.
type invalidError struct{ text string }

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == ErrInvalid }

func invalid(format string, args ...any) error { return &invalidError{fmt.Sprintf(format, args...)} }

// floating tells the types that can be read as floats.
func floating(d checkpoint.DType) bool {
	switch d {
	case checkpoint.F64, checkpoint.F32, checkpoint.F16, checkpoint.BF16, checkpoint.F8E4M3, checkpoint.F8E5M2:
		return true
	}
	return false
}

// mostElements bounds a tensor's elements, so that no sum of positions or bytes overflows.
const mostElements = math.MaxInt / 16

// elements multiplies a shape; ok is false where it is none or too large.
func elements(shape []int) (n int, ok bool) {
	product := uint64(1)
	for _, d := range shape {
		high, low := bits.Mul64(product, uint64(max(0, d)))
		if d < 0 || high != 0 || low > mostElements {
			return 0, false
		}
		product = low
	}
	return int(product), true
}

// checkRange refuses elements outside of a tensor.
func checkRange(name string, offset, count, elements int) error {
	if offset < 0 || count > elements || offset > elements-count {
		return invalid("tensor %q: elements [%d %d), want them inside [0 %d)", name, offset, offset+count, elements)
	}
	return nil
}
