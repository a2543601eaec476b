package gemm_test

import (
	"fmt"

	"syncretic/adapt/gemm"
)

func ExampleMultiply() {
	a := []float32{ // [2][3]
		1, 2, 3,
		4, 5, 6,
	}
	w := []float32{ // [2][3], used transposed: the weights of a linear layer
		1, 0, 0,
		1, 1, 1,
	}
	c := make([]float32, 4)
	gemm.Multiply(false, true, 2, 2, 3, a, 3, w, 3, false, c, 2)
	fmt.Println(c)
	// Output: [1 6 4 15]
}

// A convolution over time without copying windows: 5 frames of 2 channels, one
// filter of 3 taps, stride 1. Rows of A are 6 long and begin 2 apart.
func ExampleMultiplySerial_convolution() {
	x := []float32{1, 10, 2, 20, 3, 30, 4, 40, 5, 50}
	filter := []float32{1, 0, 1, 0, 1, 1} // [1][taps·channels]
	y := make([]float32, 3)
	gemm.MultiplySerial(false, true, 3, 1, 6, x, 2, filter, 6, false, y, 1)
	fmt.Println(y)
	// Output: [36 49 62]
}

func ExampleNamed() {
	kn, ok := gemm.Named("portable")
	c := make([]float32, 1)
	kn.Multiply(false, false, 1, 1, 2, []float32{3, 4}, 2, []float32{5, 6}, 1, false, c, 1)
	fmt.Println(ok, kn.Name(), c)
	// Output: true portable [39]
}
