package vec

import "math"

// partial are the sixteen partial sums of a slice.
type partial [16]float64

// join adds them as a tree.
func (p *partial) join() float64 {
	for half := len(p) / 2; half > 0; half /= 2 {
		for i := range half {
			p[i] += p[i+half]
		}
	}
	return p[0]
}

// Dot is Σ a·b in float64, in the order that the package comment gives.
func Dot(a, b []float32) float64 {
	mustMatch(a, b)
	var p partial
	for i := fastDot(&p, a, b); i < len(a); i++ {
		p[i&15] += float64(a[i]) * float64(b[i])
	}
	return p.join()
}

// Square is Σ a² in float64, in the same order.
func Square(a []float32) float64 { return Dot(a, a) }

// Dots are Σ a², Σ a·b and Σ b² in float64, each in the same order, for little more than one of them costs.
func Dots(a, b []float32) (aa, ab, bb float64) {
	mustMatch(a, b)
	var p [3]partial
	for i := fastDots(&p, a, b); i < len(a); i++ {
		x, y := float64(a[i]), float64(b[i])
		p[0][i&15] += float64(x * x)
		p[1][i&15] += float64(x * y)
		p[2][i&15] += float64(y * y)
	}
	return p[0].join(), p[1].join(), p[2].join()
}

// SumAbs is Σ |a| in float64, in the same order.
func SumAbs(a []float32) float64 {
	var p partial
	for i := fastSumAbs(&p, a); i < len(a); i++ {
		p[i&15] += math.Abs(float64(a[i]))
	}
	return p.join()
}

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

// Compare sums over a and b. Both and Opposites are exact: NaN is not 0 and has a sign too.
func Compare(a, b []float32) Pair {
	p := Pair{Dot: Dot(a, b)}
	both, opposites, i := fastSigns(a, b)
	p.Both, p.Opposites = int64(both), int64(opposites)
	for ; i < len(a); i++ {
		if a[i] != 0 && b[i] != 0 {
			p.Both++
			p.Opposites += int64((math.Float32bits(a[i]) ^ math.Float32bits(b[i])) >> 31)
		}
	}
	return p
}
