package kmeans

import "fmt"

// Frames is a table of frames that need not be in memory. Its methods are called from one goroutine at a time.
type Frames interface {
	// Len is the number of frames.
	Len() int
	// Read fills dst, [k][dim], with the frames [from, from+k). The same frame must always be the same.
	Read(dst []float32, from int) error
}

// slice is a table in memory.
type slice struct {
	values []float32
	dim    int
}

// table makes frames, [n][dim], a table.
func table(frames []float32, dim int) (slice, error) {
	if dim < 1 {
		return slice{}, fmt.Errorf("%w: frames of %d values, want at least 1", ErrInvalid, dim)
	}
	if len(frames)%dim != 0 {
		return slice{}, fmt.Errorf("%w: %d values are not a whole number of frames of %d", ErrInvalid, len(frames), dim)
	}
	return slice{frames, dim}, nil
}

func (s slice) Len() int { return len(s.values) / s.dim }

func (s slice) Read(dst []float32, from int) error {
	copy(dst, s.values[from*s.dim:])
	return nil
}

// maxValue keeps squared distances inside float32.
const maxValue = 1e15

// readFrames is src.Read that looks at every value.
func readFrames(src Frames, dst []float32, dim, from int) error {
	if err := src.Read(dst, from); err != nil {
		return err
	}
	for i, v := range dst {
		if !(v >= -maxValue && v <= maxValue) {
			return fmt.Errorf("%w: frame %d, value %d is %g, want a finite number within ±%g", ErrInvalid, from+i/dim, i%dim, v, float64(maxValue))
		}
	}
	return nil
}
