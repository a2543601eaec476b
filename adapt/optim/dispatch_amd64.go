//go:build !purego

package optim

import (
	"sync"

	"syncretic/adapt/kernel"
)

// hasAVX2 says whether this process runs the kernels.
var hasAVX2 = sync.OnceValue(func() bool { return kernel.Allowed(kernel.AVX2) })

// whole is how many of n elements a kernel does: a multiple of group, and at least one.
func whole(n, group int) (int, bool) {
	n &^= group - 1
	return n, n > 0 && hasAVX2()
}

func fastUpdate(u *update, value, grad, m, v []float32) int {
	n, ok := whole(len(value), 16)
	if !ok {
		return 0
	}
	kernel := updateAVX2
	if u.clear {
		kernel = updateClearAVX2
	}
	kernel(&value[0], &grad[0], &m[0], &v[0], n, u.scale, u.keep, u.size, u.root, u.eps, u.beta1, u.beta2, u.other1, u.other2)
	return n
}

func fastScale(x []float32, s float32) int {
	n, ok := whole(len(x), 32)
	if !ok {
		return 0
	}
	scaleAVX2(&x[0], n, s)
	return n
}

func fastSquares(p *partial, x []float32) int {
	n, ok := whole(len(x), 16)
	if !ok {
		return 0
	}
	squaresAVX2(&p[0], &x[0], n)
	return n
}
