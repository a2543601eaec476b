package op_test

import (
	"fmt"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
)

func ExampleLinear() {
	x := op.Tensor(2, 2, []float32{1, 2, 3, 4})
	w := op.Param(1, 2, []float32{10, 1})
	b := op.Param(1, 1, []float32{0.5})
	loss := op.MeanSquare(op.Linear(x, w, b, op.None))
	if err := ag.Backward(loss); err != nil {
		fmt.Println(err)
	}
	fmt.Println(loss.Value().Data(), mat.Data[float32](w.Grad()))
	// Output: [673.25] [116 163]
}

func ExampleConv1D() {
	// Two clips of four frames, one channel; the filter takes differences.
	x := op.Tensor(8, 1, []float32{1, 2, 4, 8, 0, 5, 0, 5})
	w := op.Tensor(1, 2, []float32{-1, 1})
	y := op.Conv1D(x, w, nil, 2, 2, 1, op.None)
	fmt.Println(y.Value().Data())
	// Output: [1 2 4 5 -5 5]
}

func ExampleCodebookLoss() {
	z := op.Tensor(2, 2, []float32{1, 0, 0, 1})
	tables := op.Tensor(2, 2, []float32{1, 0, 0, 1}) // one codebook of two codes
	loss, stats := op.CodebookLoss(z, tables, []int{2}, []int{0, 1}, [][]int32{{0, 1}}, 0.1)
	fmt.Printf("%.6f nats, %d of %d correct\n", loss.Value().Item().F64(), stats.Correct[0], stats.Rows)
	// Output: 0.000045 nats, 2 of 2 correct
}
