//go:build !amd64 || purego

package optim

// Without kernels every element is left to the portable code.

func fastUpdate(_ *update, _, _, _, _ []float32) int { return 0 }
func fastScale([]float32, float32) int               { return 0 }
func fastSquares(*partial, []float32) int            { return 0 }
