package gemm

import "unsafe"

// portable returns the kernel in plain Go: tiles of 4 x 4, rounding each product
// before it is added, on every platform.
func portable() *Kernel {
	edges := make([]tileFunc, 4)
	for i := range edges {
		edges[i] = func(kc int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, ldc, cols, acc int) {
			tileEdge(i+1, kc, a, aRow, aCol, b, bRow, c, ldc, cols, acc)
		}
	}
	return &Kernel{
		name: "portable", rows: 4, cols: 4, kc: 256, mc: 64, nc: 256,
		tile: func(rows, cols int) tileFunc {
			if rows == 4 && cols == 4 {
				return tile4x4
			}
			return edges[rows-1]
		},
	}
}

// tile4x4 is the tileFunc for whole tiles.
func tile4x4(kc int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, ldc, _, acc int) {
	var sum [4][4]float32
	length := (kc-1)*aCol + 1
	a0, a1 := unsafe.Slice(a, length), unsafe.Slice(at(a, aRow), length)
	a2, a3 := unsafe.Slice(at(a, 2*aRow), length), unsafe.Slice(at(a, 3*aRow), length)
	bs := unsafe.Slice(b, (kc-1)*bRow+4)
	half(&sum[0], &sum[1], kc, a0, a1, aCol, bs, bRow)
	half(&sum[2], &sum[3], kc, a2, a3, aCol, bs, bRow)
	for i := range sum {
		row := (*[4]float32)(unsafe.Pointer(at(c, i*ldc)))
		for j, s := range sum[i] {
			if acc != 0 {
				s += row[j]
			}
			row[j] = s
		}
	}
}

// half sums two rows of a tile, as many as 16 registers hold.
func half(s0, s1 *[4]float32, kc int, a0, a1 []float32, aCol int, b []float32, bRow int) {
	var c00, c01, c02, c03, c10, c11, c12, c13 float32
	a1 = a1[:len(a0)]
	for p, q := 0, 0; p < len(a0); p, q = p+aCol, q+bRow {
		x, y := a0[p], a1[p]
		r := (*[4]float32)(b[q:])
		c00 += float32(x * r[0])
		c01 += float32(x * r[1])
		c02 += float32(x * r[2])
		c03 += float32(x * r[3])
		c10 += float32(y * r[0])
		c11 += float32(y * r[1])
		c12 += float32(y * r[2])
		c13 += float32(y * r[3])
	}
	*s0, *s1 = [4]float32{c00, c01, c02, c03}, [4]float32{c10, c11, c12, c13}
}

// tileEdge is the tileFunc for what is left at the edges.
func tileEdge(rows, kc int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, ldc, cols, acc int) {
	for i := range rows {
		for j := range cols {
			var sum float32
			for p := range kc {
				sum += float32(*at(a, i*aRow+p*aCol) * *at(b, p*bRow+j))
			}
			out := at(c, i*ldc+j)
			if acc != 0 {
				sum += *out
			}
			*out = sum
		}
	}
}
