package optim_test

import (
	"fmt"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"

	"syncretic/adapt/optim"
)

// Minimising (w - 3)² from w = 0.
func ExampleAdamW() {
	w := nn.NewParam(mat.Scalar[float32](0))
	params := []optim.Param{{Name: "w", Value: w}}
	adam := optim.NewAdamW(optim.AdamWConfig{}, params)
	for range 300 {
		loss := ag.Square(ag.Sub(w, mat.Scalar[float32](3)))
		if err := ag.Backward(loss); err != nil {
			fmt.Println(err)
			return
		}
		adam.ClipStep(0.05, 10)
	}
	fmt.Printf("%.2f\n", mat.Data[float32](w.Matrix)[0])
	// Output: 3.00
}

func ExampleClipGradNorm() {
	w := nn.NewParam(mat.NewDense[float32](mat.WithBacking([]float32{0, 0})))
	w.AccGrad(mat.NewDense[float32](mat.WithBacking([]float32{30, 40})))
	norm := optim.ClipGradNorm([]optim.Param{{Name: "w", Value: w}}, 5)
	fmt.Printf("%.0f %.2f\n", norm, mat.Data[float32](w.Grad()))
	// Output: 50 [3.00 4.00]
}
