package vec

import "math"

// Pair holds the sums over one pair of vectors that interference is made of.
type Pair struct {
	Dot       float64 // Σ a·b
	Both      int64   // elements where neither is 0
	Opposites int64   // of those, the ones with different signs
}

// Add joins the sums of two parts.
func (p *Pair) Add(q Pair) {
	p.Dot += q.Dot
	p.Both += q.Both
	p.Opposites += q.Opposites
}

// Compare sums over a and b in float64, in the order of the elements.
func Compare(a, b []float32) Pair {
	mustMatch(a, b)
	var p Pair
	b = b[:len(a)]
	for i, x := range a {
		product := float64(x) * float64(b[i]) // exact: 24 + 24 bits fit 53, and no exponent leaves the range
		p.Dot += product
		if product != 0 {
			p.Both++
			p.Opposites += int64(math.Float64bits(product) >> 63)
		}
	}
	return p
}

// Square is Σ a² in float64, in the order of the elements.
func Square(a []float32) float64 {
	var s float64
	for _, x := range a {
		s += float64(float64(x) * float64(x))
	}
	return s
}
