package encodec

import "syncretic/adapt/gemm"

// codebook is one stage of the residual vector quantiser.
type codebook struct {
	size, dim int
	centres   []float32 // [size][dim]
	columns   []float32 // the same, [dim][size]
	half      []float32 // [size]: ½|centre|²
}

func newCodebook(v vars, size, dim int) *codebook {
	b := &codebook{size: size, dim: dim, centres: v.tensor("codebook.embed", size, dim)}
	if b.centres == nil {
		return b
	}
	b.columns = transposed(b.centres, size, dim)
	b.half = make([]float32, size)
	for j := range b.half {
		squares := 0.0
		for _, x := range b.centres[j*dim : (j+1)*dim] {
			squares += float64(x) * float64(x)
		}
		b.half[j] = float32(squares / 2)
	}
	return b
}

// quantize writes the code of each row of r, [len(codes)][dim], and leaves the row's residual in its place:
//
//	code = argmin_j |r − c_j|² = argmax_j r·c_j − ½|c_j|²  (the lowest j among equals),   r −= c_code
func (b *codebook) quantize(codes []int16, r []float32, scores *[]float32) {
	n := len(codes)
	*scores = sized(*scores, n*b.size)
	gemm.MultiplySerial(false, false, n, b.size, b.dim, r, b.dim, b.columns, b.size, false, *scores, b.size)
	for t := range codes {
		row := (*scores)[t*b.size : (t+1)*b.size]
		best, at := row[0]-b.half[0], 0
		for j, v := range row {
			if v -= b.half[j]; v > best {
				best, at = v, j
			}
		}
		codes[t] = int16(at)
		rest := r[t*b.dim : (t+1)*b.dim]
		for d, v := range b.centres[at*b.dim : (at+1)*b.dim] {
			rest[d] -= v
		}
	}
}
