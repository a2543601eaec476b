//go:build !purego

package half

import "golang.org/x/sys/cpu"

// hasAVX2 says whether this processor runs the kernels.
var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasF16C

// whole is how many of n elements a kernel does.
func whole(n int) (int, bool) {
	n &^= 31
	return n, n > 0 && hasAVX2
}

func fastFromBF16(dst []float32, src []byte) (done int, finite bool) {
	n, ok := whole(len(dst))
	if !ok {
		return 0, true
	}
	return n, fromBF16AVX2(&dst[0], &src[0], n) == 0
}

func fastFromF16(dst []float32, src []byte) (done int, finite bool) {
	n, ok := whole(len(dst))
	if !ok {
		return 0, true
	}
	return n, fromF16AVX2(&dst[0], &src[0], n) == 0
}

// What is beyond the range is left to the portable code, which finds the first.

func fastToBF16(dst []byte, src []float32) int {
	n, ok := whole(len(src))
	if !ok || toBF16AVX2(&dst[0], &src[0], n) != 0 {
		return 0
	}
	return n
}

func fastToF16(dst []byte, src []float32) int {
	n, ok := whole(len(src))
	if !ok || toF16AVX2(&dst[0], &src[0], n) != 0 {
		return 0
	}
	return n
}
