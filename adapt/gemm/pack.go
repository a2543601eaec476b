package gemm

import "unsafe"

// packsA reports whether strips of op(A) are copied before use: where enough panels read them.
func (kn *Kernel) packsA(p *product) bool { return p.n > 6*kn.cols }

// packsB reports whether op(B) is packed: it has to be if B is transposed; otherwise it pays when enough tiles use a panel.
func (kn *Kernel) packsB(p *product) bool { return p.transB || p.m > 8*kn.rows }

// tileRows returns the heights of the tiles that rows are cut into: the first tall ones have low+1, the others low. So no
// tile is left with a row or two.
func (kn *Kernel) tileRows(rows int) (count, low, tall int) {
	count = (rows + kn.rows - 1) / kn.rows
	return count, rows / count, rows % count
}

// packStrip copies rows [row, row+rows) and columns [l, l+k) of op(A) to dst, in blocks of depth columns. In a block, the
// tile at row i of the strip begins at i·columns, and has its element (r, p) at p·height + r.
func (kn *Kernel) packStrip(dst []float32, p *product, row, rows, l, k, depth int) {
	count, low, tall := kn.tileRows(rows)
	for b := 0; b < k; b += depth {
		cols := min(depth, k-b)
		block := dst[b*rows:]
		if p.transA {
			src := p.a[(l+b)*p.lda+row:]
			kn.packRows(block, cols*(low+1), low+1, src, p.lda, cols, tall)
			first := tall * (low + 1)
			kn.packRows(block[first*cols:], cols*low, low, src[first:], p.lda, cols, count-tall)
			continue
		}
		for t, i := 0, 0; t < count; t++ {
			height := low
			if t < tall {
				height++
			}
			kn.packTile(block[i*cols:], p.a[(row+i)*p.lda+l+b:], p.lda, height, cols)
			i += height
		}
	}
}

// packTile copies rows of src, ld apart, to columns of dst, height apart. Where there is memory enough it writes, and
// overwrites again, up to 7 elements beyond each column's end.
func (kn *Kernel) packTile(dst, src []float32, ld, height, cols int) {
	groups := roundUp(height, 8)
	if kn.transpose8 == nil || len(src) < (groups-1)*ld+cols || len(dst) < height*cols+8 {
		packColumnsSlow(dst, height, src, ld, 0, height, 0, cols)
		return
	}
	whole := cols &^ 7
	for i := groups - 8; i >= 0 && whole > 0; i -= 8 { // from the last, so that each group mends what the one after it overwrote
		kn.transpose8(&dst[i], height, &src[i*ld], ld, whole/8)
	}
	packColumnsSlow(dst, height, src, ld, 0, height, whole, cols)
}

// packColumns copies n rows of src, ld apart, to the columns of a panel of B, kn.cols apart; beyond column n it leaves the
// panel as it is.
func (kn *Kernel) packColumns(panel, src []float32, ld, n, k int) {
	i := 0
	if kn.transpose8 != nil && k >= 8 {
		for ; i+8 <= n; i += 8 {
			kn.transpose8(&panel[i], kn.cols, &src[i*ld], ld, k/8)
		}
		packColumnsSlow(panel, kn.cols, src, ld, 0, i, k&^7, k)
	}
	packColumnsSlow(panel, kn.cols, src, ld, i, n, 0, k)
}

// packColumnsSlow copies columns [l, k) of rows [i, n) of src to dst: element (r, p) at p·step + r.
func packColumnsSlow(dst []float32, step int, src []float32, ld, i, n, l, k int) {
	for ; i+4 <= n; i += 4 {
		r0, r1, r2, r3 := src[i*ld:][:k], src[(i+1)*ld:][:k], src[(i+2)*ld:][:k], src[(i+3)*ld:][:k]
		for p := l; p < k; p++ {
			out := (*[4]float32)(dst[p*step+i:])
			out[0], out[1], out[2], out[3] = r0[p], r1[p], r2[p], r3[p]
		}
	}
	for ; i < n; i++ {
		row := src[i*ld:][:k]
		for p := l; p < k; p++ {
			dst[p*step+i] = row[p]
		}
	}
}

// packRows deals rows of panels·n elements, ld apart in src, out to panels of n elements a row: element i of row r of panel q
// goes from r·ld + q·n + i to q·panel + r·n + i; n is at most the width of a panel of B.
func (kn *Kernel) packRows(dst []float32, panel, n int, src []float32, ld, rows, panels int) {
	if panels == 0 {
		return
	}
	done := 0
	if width := roundUp(n, 8); kn.copyPanels != nil && rows > 1 && width <= 32 {
		if width == 24 {
			width = 32
		}
		// Where n is not a whole number of vectors, each row overwrites what the one before it wrote too much, so the last
		// ones are left; and so are rows that would be read beyond the end of src.
		done = max(0, rows-(width-1)/n)
		for done > 0 && len(src) < (done-1)*ld+(panels-1)*n+width {
			done--
		}
		if done > 0 {
			kn.copyPanels[width/8](&dst[0], panel, n, &src[0], n, ld, done, panels)
		}
	}
	for r := done; r < rows; r++ {
		for q := range panels {
			copy(dst[q*panel+r*n:][:n], src[r*ld+q*n:])
		}
	}
}

// at returns the element n places after p.
func at(p *float32, n int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*n))
}
