package elem

import "math"

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }

// normal returns the standard normal distribution's Φ(x) and φ(x).
func normal(x float32) (cdf, pdf float32) {
	v := float64(x)
	return float32(0.5 * math.Erfc(-v/math.Sqrt2)), float32(math.Exp(-v*v/2) / math.Sqrt(2*math.Pi))
}
