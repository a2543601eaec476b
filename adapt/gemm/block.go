package gemm

// serial computes p on this goroutine, block by block: see the drawing in the
// package comment.
func (kn *Kernel) serial(p product) {
	bufs := kn.borrow()
	defer kn.buffers.Put(bufs)
	packA, packB := kn.packsA(p), kn.packsB(p)
	nc, kc := blockSize(p.n, kn.nc), blockSize(p.k, kn.kc)
	for j := 0; j < p.n; j += nc {
		n := min(nc, p.n-j)
		for l := 0; l < p.k; l += kc {
			k := min(kc, p.k-l)
			if packB {
				bufs.b = grow(bufs.b, kn.packedSize(n, k))
			}
			b := kn.blockB(p, bufs.b, packB, l, k, j, n)
			kn.rowBlocks(p, bufs, packA, b, l, k, j)
		}
	}
}

// borrow returns buffers, to be given back to kn.buffers.
func (kn *Kernel) borrow() *buffers {
	if bufs, ok := kn.buffers.Get().(*buffers); ok {
		return bufs
	}
	return new(buffers)
}

// rowBlocks adds to C what block b of op(B), at row l and column j, contributes.
func (kn *Kernel) rowBlocks(p product, bufs *buffers, packA bool, b operandB, l, k, j int) {
	mc := blockSize(p.m, kn.mc)
	for i := 0; i < p.m; i += mc {
		a := blockA(p, bufs, packA, i, min(mc, p.m-i), l, k)
		kn.tiles(a, b, p.accumulate || l > 0, p.c[i*p.ldc+j:], p.ldc)
	}
}

// blockSize cuts total into the fewest blocks of up to most, of almost equal
// sizes. The size for k decides how sums are grouped: it depends on k alone.
func blockSize(total, most int) int {
	count := (total + most - 1) / most
	return (total + count - 1) / count
}

// operandA is a block of op(A): element (i, p) at s[i·row + p·col].
type operandA struct {
	s        []float32
	m, k     int
	row, col int
}

// blockA returns rows [i, i+m) and columns [l, l+k) of op(A), in place or copied
// to rows that do not contend for the same cache sets.
func blockA(p product, bufs *buffers, pack bool, i, m, l, k int) operandA {
	if p.transA {
		s := p.a[l*p.lda+i:]
		if !pack {
			return operandA{s, m, k, 1, p.lda}
		}
		ld := rowStride(m)
		bufs.a = grow(bufs.a, k*ld)
		copyRows(bufs.a, ld, s, p.lda, k, m)
		return operandA{bufs.a, m, k, 1, ld}
	}
	s := p.a[i*p.lda+l:]
	if !pack {
		return operandA{s, m, k, p.lda, 1}
	}
	ld := rowStride(k)
	bufs.a = grow(bufs.a, m*ld)
	copyRows(bufs.a, ld, s, p.lda, m, k)
	return operandA{bufs.a, m, k, ld, 1}
}

// operandB is a block of op(B) in panels of up to Kernel.cols columns: element
// (p, j) of panel q at s[q·panel + p·row + j].
type operandB struct {
	s          []float32
	n          int
	row, panel int
}

// blockB returns rows [l, l+k) and columns [j, j+n) of op(B), in place or packed
// into dst, which has packedSize(n, k) elements.
func (kn *Kernel) blockB(p product, dst []float32, pack bool, l, k, j, n int) operandB {
	switch {
	case !pack:
		return operandB{p.b[l*p.ldb+j:], n, p.ldb, kn.cols}
	case p.transB:
		kn.packTransposed(dst, p.b[j*p.ldb+l:], p.ldb, n, k)
	default:
		kn.packPanels(dst, p.b[l*p.ldb+j:], p.ldb, n, k)
	}
	return operandB{dst, n, kn.cols, k * kn.cols}
}

// packedSize returns the number of elements of a packed block of B.
func (kn *Kernel) packedSize(n, k int) int { return (n + kn.cols - 1) / kn.cols * kn.cols * k }

// tiles runs the micro-kernels over a block of C. The rows are cut into tiles of
// almost equal heights, so that none is left with a row or two.
func (kn *Kernel) tiles(a operandA, b operandB, accumulate bool, c []float32, ldc int) {
	acc := 0
	if accumulate {
		acc = 1
	}
	count := (a.m + kn.rows - 1) / kn.rows
	low, tall := a.m/count, a.m%count // the first tall tiles have low+1 rows
	for q := 0; q*kn.cols < b.n; q++ {
		j := q * kn.cols
		cols := min(kn.cols, b.n-j)
		rows := low + min(tall, 1)
		run := kn.tile(rows, cols)
		panel := &b.s[q*b.panel]
		for t, i := 0, 0; t < count; t++ {
			if t == tall && t > 0 {
				rows = low
				run = kn.tile(rows, cols)
			}
			run(a.k, &a.s[i*a.row], a.row, a.col, panel, b.row, &c[i*ldc+j], ldc, cols, acc)
			i += rows
		}
	}
}
