//go:build !amd64 || purego

package half

// Without kernels every element is left to the portable code.

func fastFromBF16([]float32, []byte) (done int, finite bool) { return 0, true }
func fastFromF16([]float32, []byte) (done int, finite bool)  { return 0, true }
func fastToBF16([]byte, []float32) int                       { return 0 }
func fastToF16([]byte, []float32) int                        { return 0 }
