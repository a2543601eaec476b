package gemm

import (
	"unsafe"

	"syncretic/adapt/kernel"
)

// neonDepth is the block size in k.
const neonDepth = 256

// native returns the NEON kernel, where this process may run it.
func native() []*Kernel {
	if !kernel.Allowed(kernel.NEON) {
		return nil
	}
	return []*Kernel{{
		name: "neon-6x16", rows: 6, cols: 16, kc: neonDepth, mc: 96, nc: 256,
		tile: func(rows, cols int) tileFunc {
			if cols == 16 {
				return neonWhole[rows-1]
			}
			return neonEdge[rows-1]
		},
	}}
}

// neonWhole and neonEdge are the tiles of 16 and of fewer columns, from 1 row up.
var neonWhole, neonEdge = func() (whole, edge [6]tileFunc) {
	for i := range whole {
		whole[i] = func(kc int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, ldc, _, acc int) {
			tileNEON(i+1, kc, a, aRow, aCol, b, bRow, c, ldc, acc)
		}
		edge[i] = func(kc int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, ldc, cols, acc int) {
			edgeTile(i+1, kc, a, aRow, aCol, b, bRow, c, ldc, cols, acc)
		}
	}
	return whole, edge
}()

// tileNEON runs the micro-kernel for rows: by name, so that what the pointers
// point to may stay on the stack.
func tileNEON(rows, kc int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, ldc, acc int) {
	switch rows {
	case 1:
		tile1x16neon(kc, a, aRow, aCol, b, bRow, c, ldc, acc)
	case 2:
		tile2x16neon(kc, a, aRow, aCol, b, bRow, c, ldc, acc)
	case 3:
		tile3x16neon(kc, a, aRow, aCol, b, bRow, c, ldc, acc)
	case 4:
		tile4x16neon(kc, a, aRow, aCol, b, bRow, c, ldc, acc)
	case 5:
		tile5x16neon(kc, a, aRow, aCol, b, bRow, c, ldc, acc)
	case 6:
		tile6x16neon(kc, a, aRow, aCol, b, bRow, c, ldc, acc)
	}
}

// edgeTile computes a tile of fewer than 16 columns, since NEON has no masks: it
// copies B to rows of 16 and sums a whole tile beside C.
func edgeTile(rows, kc int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, ldc, cols, acc int) {
	var panel [neonDepth * 16]float32
	var sum [6 * 16]float32
	for p := range kc {
		copy(panel[16*p:], unsafe.Slice(at(b, p*bRow), cols))
	}
	tileNEON(rows, kc, a, aRow, aCol, &panel[0], 16, &sum[0], 16, 0)
	for i := range rows {
		out := unsafe.Slice(at(c, i*ldc), cols)
		for j, s := range sum[16*i : 16*i+cols] {
			if acc != 0 {
				s += out[j]
			}
			out[j] = s
		}
	}
}
