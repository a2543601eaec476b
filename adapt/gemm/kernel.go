package gemm

import "sync"

//go:generate go run -C gen ./amd64 -out ../tiles_amd64.s -stubs ../tiles_amd64.go -pkg gemm
//go:generate go run -C gen ./neon -out ../tiles_arm64.s -stubs ../tiles_arm64.go

// Kernel multiplies matrices with one instruction set. Its methods mean what the
// functions of the same names mean, and may be called concurrently.
type Kernel struct {
	name string

	rows, cols int // the largest tile
	kc, mc, nc int // block sizes: see the package comment

	// tile returns the micro-kernel for a tile of rows x cols, neither above the
	// largest.
	tile func(rows, cols int) tileFunc
	// packed are the micro-kernels for whole panels of B and tiles of A as packStrip leaves them, from 1 row up; nil uses tile.
	packed []packedFunc
	// transpose8 packs 8 rows of B, 8 columns a turn; nil uses plain Go.
	transpose8 func(dst *float32, dstRow int, src *float32, srcRow, turns int)
	// copyPanels deals rows out to panels of 8, 16 or 32 columns, the keys being eighths; nil uses plain Go.
	copyPanels map[int]copyFunc

	buffers sync.Pool // of *buffers, a cache alone: no result depends on it
}

// tileFunc computes one tile of C from kc > 0 columns of A and rows of B:
//
//	C[i][j] = Σ_p a[i·aRow + p·aCol] · b[p·bRow + j]      (+ C[i][j] if acc != 0)
//
// with C[i][j] at c[i·ldc + j] and j below cols. Every sum runs over p upwards from 0, in one
// accumulator; C is added last. Strides are in elements.
type tileFunc func(kc int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, ldc, cols, acc int)

// packedFunc is a tileFunc with aRow = 1, aCol its number of rows, bRow and cols the width of a panel.
type packedFunc func(kc int, a, b, c *float32, ldc, acc int)

// copyFunc sets dst[q·dstPanel + p·dstRow + i] to src[q·srcPanel + p·srcRow + i], for i below its width, in the order of
// rows p, then panels q, then i.
type copyFunc func(dst *float32, dstPanel, dstRow int, src *float32, srcPanel, srcRow, rows, panels int)

// buffers hold packed operands: a strip of A, and a B.
type buffers struct {
	a []float32
	b Packed
}

// grow returns s with length n, keeping its memory where that is enough.
func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// usable is the table of the kernels that package kernel allows, best first.
var usable = sync.OnceValue(func() []*Kernel { return append(native(), portable()) })

// Kernels returns the names of the kernels this process may run, best first:
// Multiply uses the first. "portable" is always the last. Without a word of the
// user (package kernel) they are all that this machine can run.
func Kernels() []string {
	var names []string
	for _, k := range usable() {
		names = append(names, k.name)
	}
	return names
}

// Named returns the kernel with that name, and whether Kernels lists it.
func Named(name string) (*Kernel, bool) {
	for _, k := range usable() {
		if k.name == name {
			return k, true
		}
	}
	return nil, false
}

// Name returns the name under which Named finds the kernel.
func (kn *Kernel) Name() string { return kn.name }
