//go:build !purego

package vec

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// hasAVX2 says whether this processor runs the kernels.
var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// largest is the largest magnitude, of a NaN. The kernels compare signed numbers.
const largest = 1<<31 - 1

// whole is how many of n elements a kernel does: a multiple of group, and at least one.
func whole(n, group int) (int, bool) {
	n &^= group - 1
	return n, n > 0 && hasAVX2
}

func fastSub(dst, x []float32) int {
	n, ok := whole(len(dst), 32)
	if !ok {
		return 0
	}
	subAVX2(&dst[0], &x[0], n)
	return n
}

func fastAdd(dst, x []float32) int {
	n, ok := whole(len(dst), 32)
	if !ok {
		return 0
	}
	addAVX2(&dst[0], &x[0], n)
	return n
}

func fastScale(dst []float32, c float32) int {
	n, ok := whole(len(dst), 32)
	if !ok {
		return 0
	}
	scaleAVX2(&dst[0], n, c)
	return n
}

func fastDivide(dst, x []float32) int {
	n, ok := whole(len(dst), 32)
	if !ok {
		return 0
	}
	divideAVX2(&dst[0], &x[0], n)
	return n
}

func fastDivideBy(dst []float32, c float32) int {
	n, ok := whole(len(dst), 32)
	if !ok {
		return 0
	}
	divideByAVX2(&dst[0], n, c)
	return n
}

func fastAddScaled(dst []float32, c float32, x []float32) int {
	n, ok := whole(len(dst), 32)
	if !ok {
		return 0
	}
	addScaledAVX2(&dst[0], &x[0], n, c)
	return n
}

func fastMerge(dst, base []float32, c float32, terms []Term, stream bool) (most uint32, done int) {
	n, ok := whole(len(dst), 64)
	if !ok || !cpu.X86.HasF16C {
		return 0, 0
	}
	first := (*byte)(unsafe.Pointer(&terms[0]))
	if stream && aligned(dst) {
		return mergeStreamAVX2(&dst[0], &base[0], n, c, first, len(terms)), n
	}
	return mergeAVX2(&dst[0], &base[0], n, c, first, len(terms)), n
}

func fastAddScaledDifference(dst []float32, c float32, x, y []float32) int {
	n, ok := whole(len(dst), 32)
	if !ok {
		return 0
	}
	addScaledDifferenceAVX2(&dst[0], &x[0], &y[0], n, c)
	return n
}

func fastAddAgreeing(sum, divisor, x, majority []float32, w float32) int {
	n, ok := whole(len(sum), 16)
	switch {
	case !ok:
		return 0
	case divisor == nil:
		addAgreeingAVX2(&sum[0], &x[0], &majority[0], n)
	default:
		addAgreeingWeightAVX2(&sum[0], &divisor[0], &x[0], &majority[0], n, w)
	}
	return n
}

func fastKeepAbove(x []float32, bound uint32) int {
	n, ok := whole(len(x), 32)
	if !ok {
		return 0
	}
	keepAboveAVX2(&x[0], n, min(bound, largest))
	return n
}

func fastKeepWhere(x, by []float32, bound uint32) int {
	n, ok := whole(len(x), 32)
	if !ok {
		return 0
	}
	keepWhereAVX2(&x[0], &by[0], n, min(bound, largest))
	return n
}

func fastAddSquare(dst, x []float32) int {
	n, ok := whole(len(dst), 32)
	if !ok {
		return 0
	}
	addSquareAVX2(&dst[0], &x[0], n)
	return n
}

func fastClearAbove(x []float32, bound uint32) int {
	n, ok := whole(len(x), 32)
	if !ok {
		return 0
	}
	clearAboveAVX2(&x[0], n, min(bound, largest))
	return n
}

func fastBetween(x []float32, lo, hi uint32, inside []uint32) (above int, grown []uint32, done int) {
	n, ok := whole(len(x), 8)
	if !ok {
		return 0, inside, 0
	}
	lo, hi = min(lo, largest+1), min(hi, largest+1)
	var room [1024]uint32 // so that inside grows by what is found and no more
	for done < n {
		part := min(n-done, len(room))
		more, found := betweenAVX2(&x[done], part, lo-1, hi-1, &room[0])
		above += more
		inside = append(inside, room[:found]...)
		done += part
	}
	return above, inside, n
}

func fastKeepBits(x []float32, bits []uint64, offset int) int {
	n, ok := whole(len(x), 8)
	if !ok || offset&7 != 0 {
		return 0
	}
	keepBitsAVX2(&x[0], (*byte)(unsafe.Add(unsafe.Pointer(&bits[0]), offset>>3)), n)
	return n
}

func fastFinite(x []float32) int {
	n, ok := whole(len(x), 32)
	if !ok || anyNonFiniteAVX2(&x[0], n) != 0 {
		return 0
	}
	return n
}

func fastDot(p *partial, a, b []float32) int {
	n, ok := whole(len(a), 16)
	if !ok {
		return 0
	}
	dotAVX2(&p[0], &a[0], &b[0], n)
	return n
}

func fastDots(p *[3]partial, a, b []float32) int {
	n, ok := whole(len(a), 16)
	if !ok {
		return 0
	}
	dotsAVX2(&p[0][0], &a[0], &b[0], n)
	return n
}

func fastSumAbs(p *partial, a []float32) int {
	n, ok := whole(len(a), 16)
	if !ok {
		return 0
	}
	sumAbsAVX2(&p[0], &a[0], n)
	return n
}

func fastSigns(a, b []float32) (both, opposites, done int) {
	n, ok := whole(len(a), 8)
	if !ok {
		return 0, 0, 0
	}
	const most = 1 << 30 // a lane counts an eighth of them in 32 bits
	n = min(n, most)
	both, opposites = signsAVX2(&a[0], &b[0], n)
	return both, opposites, n
}

func fastRandom(key uint64, offset int, dst []uint32) int {
	n, ok := whole(len(dst), 8)
	if !ok {
		return 0
	}
	c := counters(key, offset)
	randomAVX2(&dst[0], n, &c, next(0, 4))
	return n
}

func fastBernoulli(x []float32, key uint64, offset int, limit uint32) int {
	n, ok := whole(len(x), 8)
	if !ok {
		return 0
	}
	c := counters(key, offset)
	bernoulliAVX2(&x[0], n, &c, next(0, 4), limit)
	return n
}

func fastAtLeast(x []float32, c float32) int {
	n, ok := whole(len(x), 32)
	if !ok {
		return 0
	}
	atLeastAVX2(&x[0], n, c)
	return n
}

func fastMaxMagnitude(x []float32) (most uint32, done int) {
	n, ok := whole(len(x), 32)
	if !ok {
		return 0, 0
	}
	return maxMagnitudeAVX2(&x[0], n), n
}

func fastCountAtLeast(x []float32, bound uint32) (count, done int) {
	n, ok := whole(len(x), 32)
	switch {
	case !ok || bound == 0: // the kernel looks for more than one less
		return 0, 0
	case bound > largest:
		return 0, len(x)
	}
	const most = 1 << 30 // a lane counts an eighth of them in 32 bits
	n = min(n, most)
	return countAboveAVX2(&x[0], n, bound-1), n
}

func fastBuckets(dst []uint32, x []float32, scale float32) int {
	n, ok := whole(len(x), 32)
	if !ok {
		return 0
	}
	bucketsAVX2(&dst[0], &x[0], n, scale)
	return n
}

func fastBelow(bits []uint64, draws []uint32, limit uint32) int {
	n, ok := whole(len(draws), 64)
	if !ok {
		return 0
	}
	belowAVX2(&bits[0], &draws[0], n, limit)
	return n
}
