package vec

import "math"

// Magnitude is the bits of |x|. They order as the numbers do, with NaN above infinity, and fit a signed 32-bit number.
func Magnitude(x float32) uint32 { return math.Float32bits(x) & 0x7fffffff }

// KeepAbove clears elements whose magnitude is not above the bound, to +0.
func KeepAbove(x []float32, bound uint32) {
	for i := fastKeepAbove(x, bound); i < len(x); i++ {
		if Magnitude(x[i]) <= bound {
			x[i] = 0
		}
	}
}

// KeepWhere clears elements of x where the magnitude in by is not above the bound, to +0.
func KeepWhere(x, by []float32, bound uint32) {
	mustMatch(x, by)
	for i := fastKeepWhere(x, by, bound); i < len(x); i++ {
		if Magnitude(by[i]) <= bound {
			x[i] = 0
		}
	}
}

// ClearAbove clears elements whose magnitude is above the bound, to +0.
func ClearAbove(x []float32, bound uint32) {
	for i := fastClearAbove(x, bound); i < len(x); i++ {
		if Magnitude(x[i]) > bound {
			x[i] = 0
		}
	}
}

// Between counts the magnitudes at or above hi, and appends those in [lo, hi) to inside in the order of the elements. It is meant
// for few inside. A NaN is above every number, and 1<<31 above every NaN.
func Between(x []float32, lo, hi uint32, inside []uint32) (above int, grown []uint32) {
	above, inside, done := fastBetween(x, lo, hi, inside)
	for _, v := range x[done:] {
		if m := Magnitude(v); m >= hi {
			above++
		} else if m >= lo {
			inside = append(inside, m)
		}
	}
	return above, inside
}

// KeepBits clears elements whose bit is 0, to +0. Element i has bit (offset+i)%64 of bits[(offset+i)/64].
func KeepBits(x []float32, bits []uint64, offset int) {
	if (offset+len(x)+63)>>6 > len(bits) {
		panic("vec: fewer bits than elements")
	}
	for i := fastKeepBits(x, bits, offset); i < len(x); i++ {
		if at := offset + i; bits[at>>6]>>(at&63)&1 == 0 {
			x[i] = 0
		}
	}
}

// FirstNonFinite is the index of the first NaN or infinity, -1 if there is none.
func FirstNonFinite(x []float32) int {
	for i := fastFinite(x); i < len(x); i++ {
		if math.Float32bits(x[i])&0x7f800000 == 0x7f800000 {
			return i
		}
	}
	return -1
}
