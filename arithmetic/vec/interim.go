package vec

import "math"

func Add(dst, x []float32) {
	for i := range dst {
		dst[i] += x[i]
	}
}
func Divide(dst, by []float32) {
	for i := range dst {
		dst[i] /= by[i]
	}
}
func SumAbs(a []float32) float64 {
	var s float64
	for _, x := range a {
		s += math.Abs(float64(x))
	}
	return s
}
func Dot(a, b []float32) float64 {
	var s float64
	for i, x := range a {
		s += float64(x) * float64(b[i])
	}
	return s
}
func AddAgreeing(sum, divisor, x, sign []float32, w float32) {
	for i, v := range x {
		if v > 0 && sign[i] >= 0 || v < 0 && sign[i] < 0 {
			sum[i] += v
			if divisor != nil {
				divisor[i] += w
			}
		}
	}
}
func MaskBelow(x []float32, t uint32) {
	for i, v := range x {
		if math.Float32bits(v)&0x7fffffff < t {
			x[i] = 0
		}
	}
}
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
func draw(key uint64, e int) uint32 {
	return uint32(mix(key+uint64(e>>1)*0x9e3779b97f4a7c15) >> (32 * (e & 1)))
}
func Random(key uint64, offset int, dst []uint32) {
	for i := range dst {
		dst[i] = draw(key, offset+i)
	}
}
func Bernoulli(x []float32, key uint64, offset int, p float64) {
	limit := uint64(p * 0x1p32)
	for i := range x {
		if uint64(draw(key, offset+i)) >= limit {
			x[i] = 0
		}
	}
}

func FirstNonFinite(x []float32) int {
	for i, v := range x {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return i
		}
	}
	return -1
}
