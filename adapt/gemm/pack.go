package gemm

import "unsafe"

// packsA reports whether blocks of op(A) are copied before use: where many panels
// read them, and where rows would contend for the same sets of the cache.
func (kn *Kernel) packsA(p product) bool {
	return p.n > 6*kn.cols || p.n > 2*kn.cols && p.lda%256 == 0
}

// packsB reports whether blocks of op(B) are packed: they have to be if B is
// transposed; otherwise packing pays when enough tiles use the panels.
func (kn *Kernel) packsB(p product) bool {
	return p.transB || p.m > 8*kn.rows
}

// rowStride returns the distance of rows of n elements in a copy: whole cache
// lines of 16, in an odd number, so that rows fall into different sets.
func rowStride(n int) int { return ((n+15)/16 | 1) * 16 }

// copyRows copies rows of n elements from src to dst.
func copyRows(dst []float32, dstRow int, src []float32, srcRow, rows, n int) {
	for i := range rows {
		copy(dst[i*dstRow:i*dstRow+n], src[i*srcRow:i*srcRow+n])
	}
}

// packPanels copies k rows of n elements into panels of kn.cols columns, leaving
// what is beyond column n as it is: tiles do not read it.
func (kn *Kernel) packPanels(dst, src []float32, ld, n, k int) {
	for j := 0; j < n; j += kn.cols {
		width := min(kn.cols, n-j)
		panel := dst[j*k : (j+kn.cols)*k]
		switch {
		case width == 32:
			for p := range k {
				*(*[32]float32)(panel[32*p:]) = *(*[32]float32)(src[p*ld+j:])
			}
		case width == 16 && kn.cols == 16:
			for p := range k {
				*(*[16]float32)(panel[16*p:]) = *(*[16]float32)(src[p*ld+j:])
			}
		default:
			copyRows(panel, kn.cols, src[j:], ld, k, width)
		}
	}
}

// packTransposed copies n rows of k elements into panels of kn.cols columns, a
// row of src becoming a column; beyond column n it leaves dst as it is.
func (kn *Kernel) packTransposed(dst, src []float32, ld, n, k int) {
	for j := 0; j < n; j += kn.cols {
		width := min(kn.cols, n-j)
		panel := dst[j*k : (j+kn.cols)*k]
		i := 0
		if kn.transpose8 != nil && k >= 8 {
			for ; i+8 <= width; i += 8 {
				kn.transpose8(&panel[i], kn.cols, &src[(j+i)*ld], ld, k/8)
				for p := k &^ 7; p < k; p++ {
					for q := range 8 {
						panel[p*kn.cols+i+q] = src[(j+i+q)*ld+p]
					}
				}
			}
		}
		for ; i+4 <= width; i += 4 {
			at := (j + i) * ld
			r0, r1, r2, r3 := src[at:at+k], src[at+ld:at+ld+k], src[at+2*ld:at+2*ld+k], src[at+3*ld:at+3*ld+k]
			for p := range r0 {
				out := (*[4]float32)(panel[p*kn.cols+i:])
				out[0], out[1], out[2], out[3] = r0[p], r1[p], r2[p], r3[p]
			}
		}
		for ; i < width; i++ {
			for p, v := range src[(j+i)*ld : (j+i)*ld+k] {
				panel[p*kn.cols+i] = v
			}
		}
	}
}

// at returns the element n places after p.
func at(p *float32, n int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*n))
}
