package similarity_test

import (
	"context"
	"fmt"

	"syncretic/probe/similarity"
)

// memory is features held in memory, [items][layers*dim].
type memory [][]float32

func (m memory) Row(i int, _ []float32) ([]float32, error) { return m[i], nil }

func ExampleCKA() {
	base := memory{{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {2, 1}}
	turned := memory{{0, 3}, {-3, 0}, {0, -3}, {3, 0}, {-3, 6}} // by a right angle, and larger
	got, err := similarity.CKA(context.Background(),
		similarity.Features{Items: 5, Layers: 1, Dim: 2, Rows: base},
		similarity.Features{Items: 5, Layers: 1, Dim: 2, Rows: turned})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f\n", got.Unbiased[0][0])
	// Output: 1.000
}
