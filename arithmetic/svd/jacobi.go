package svd

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// polish makes the rows of other orthogonal by one-sided Jacobi rotations (Hestenes 1958), and takes known along. It is for rows
// that nearly are: then few pairs need a rotation, and one or two sweeps are enough. Rows that are noise stay as they are. It tells
// whether it converged.
func polish(other, known *mat.Dense) bool {
	const sweeps, cosine = 30, 1e-9
	n, _ := other.Dims()
	square := make([]float64, n)
	largest := 0.0
	for i := range n {
		x := other.RawRowView(i)
		square[i] = floats.Dot(x, x)
		largest = max(largest, square[i])
	}
	least := Noise * Noise * largest
	for range sweeps {
		done := true
		for i := range n {
			for j := i + 1; j < n; j++ {
				if square[i] < least || square[j] < least {
					continue
				}
				x, y := other.RawRowView(i), other.RawRowView(j)
				dot := floats.Dot(x, y)
				if math.Abs(dot) <= cosine*math.Sqrt(square[i])*math.Sqrt(square[j]) {
					continue
				}
				done = false
				// The rotation that makes the dot product 0, by the smaller of the two angles.
				zeta := (square[j] - square[i]) / (2 * dot)
				tan := math.Copysign(1, zeta) / (math.Abs(zeta) + math.Hypot(1, zeta))
				cos := 1 / math.Hypot(1, tan)
				rotate(x, y, cos, cos*tan)
				rotate(known.RawRowView(i), known.RawRowView(j), cos, cos*tan)
				square[i], square[j] = floats.Dot(x, x), floats.Dot(y, y)
			}
		}
		if done {
			return true
		}
	}
	return false
}
