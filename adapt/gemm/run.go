package gemm

// maxPacked is the most elements of B that are packed at a time: 16 MiB.
const maxPacked = 1 << 22

// run computes p on up to that many goroutines: see the drawing in the package comment. Where B is not packed yet it is
// now, in parts of bounded size, which follow one another in n and then in k.
func (kn *Kernel) run(p *product, workers int) {
	depth := blockSize(p.k, kn.kc)
	if p.packed != nil || !kn.packsB(p) {
		kn.part(p, p.packed, 0, p.k, depth, workers)
		return
	}
	bufs := kn.borrow()
	defer kn.buffers.Put(bufs)
	width := min(p.n, max(kn.cols, maxPacked/depth/kn.cols*kn.cols))
	most := max(1, maxPacked/roundUp(width, kn.cols)/depth) * depth
	b := &bufs.b
	b.kn, b.depth = kn, depth
	for j := 0; j < p.n; j += width {
		part := p.columns(j, min(width, p.n-j))
		for l := 0; l < p.k; l += most {
			from := l * p.ldb
			if p.transB {
				from = l
			}
			b.n, b.k = part.n, min(most, p.k-l)
			b.fill(p.transB, part.b[from:], p.ldb, min(workers, workersFor(b.n*b.k*packWork)))
			kn.part(&part, b, l, b.k, depth, workers)
		}
	}
}

// columns returns the product of columns [j, j+n) of C, which has no use for finish.
func (p product) columns(j, n int) product {
	if p.transB {
		p.b = p.b[j*p.ldb:]
	} else {
		p.b = p.b[j:]
	}
	p.c, p.n = p.c[j:], n
	return p
}

// borrow returns buffers, to be given back to kn.buffers.
func (kn *Kernel) borrow() *buffers {
	if bufs, ok := kn.buffers.Get().(*buffers); ok {
		return bufs
	}
	return new(buffers)
}

// blockSize cuts total into the fewest blocks of up to most, of almost equal
// sizes. The size for k decides how sums are grouped: it depends on k alone.
func blockSize(total, most int) int {
	count := max(1, (total+most-1)/most)
	return (total + count - 1) / count
}

// part adds to C what columns [l, l+k) of op(A) contribute, in blocks of depth. b holds the rows of op(B) that go with
// them; nil takes them where they lie.
func (kn *Kernel) part(p *product, b *Packed, l, k, depth, workers int) {
	s := kn.newSchedule(p.m, p.n, workers)
	if workers > 1 && s.strips*s.chunks > 1 {
		kn.parallel(*p, b, l, k, depth, s, workers)
		return
	}
	bufs := kn.borrow()
	defer kn.buffers.Put(bufs)
	t := tiles{kn: kn, p: p, b: b, l: l, k: k, depth: depth, schedule: s, bufs: bufs, held: -1}
	for strip := range s.strips {
		for chunk := range s.chunks {
			t.compute(strip, chunk)
		}
	}
}

// parallel is part on several goroutines. Apart from it, so that a serial product allocates nothing.
func (kn *Kernel) parallel(p product, b *Packed, l, k, depth int, s schedule, workers int) {
	s.run(workers, func() (work func(strip, chunk int), done func()) {
		t := tiles{kn: kn, p: &p, b: b, l: l, k: k, depth: depth, schedule: s, bufs: kn.borrow(), held: -1}
		return t.compute, func() { kn.buffers.Put(t.bufs) }
	})
}

// tiles is what one goroutine needs to compute chunks of a part of a product.
type tiles struct {
	kn          *Kernel
	p           *product
	b           *Packed
	l, k, depth int
	schedule    schedule

	bufs  *buffers
	packA bool
	held  int // the strip of A in bufs, -1 for none

	row, rows   int // of the strip at hand
	first, last int // panels of the chunk
}

// compute computes a chunk of a strip: its first addends, its blocks of k in order, and what is to be done to the finished
// sums.
func (t *tiles) compute(strip, chunk int) {
	p, cols := t.p, t.kn.cols
	t.row = strip * t.schedule.height
	t.rows = min(t.schedule.height, p.m-t.row)
	t.first = chunk * t.schedule.panels
	t.last = min(t.first+t.schedule.panels, (p.n+cols-1)/cols)
	t.packA = t.kn.packsA(p)
	if t.packA && t.held != strip {
		t.bufs.a = grow(t.bufs.a, t.rows*t.k+8)
		t.kn.packStrip(t.bufs.a, p, t.row, t.rows, t.l, t.k, t.depth)
		t.held = strip
	}
	col := t.first * cols
	width := min(t.last*cols, p.n) - col
	if p.bias != nil && t.l == 0 {
		for i := t.row; i < t.row+t.rows; i++ {
			copy(p.c[i*p.ldc+col:][:width], p.bias[col:])
		}
	}
	for l := 0; l < t.k; l += t.depth {
		acc := 1
		if t.l+l == 0 && !p.accumulate && p.bias == nil {
			acc = 0
		}
		t.block(l, min(t.depth, t.k-l), acc)
	}
	if p.finish != nil && t.l+t.k == p.k {
		p.finish(t.row, t.rows, col, width)
	}
}

// block adds the block of k at column l of the part.
func (t *tiles) block(l, k, acc int) {
	kn, p := t.kn, t.p
	count, low, tall := kn.tileRows(t.rows)
	for q := t.first; q < t.last; q++ {
		j := q * kn.cols
		cols := min(kn.cols, p.n-j)
		var panel *float32
		bRow := p.ldb
		if t.b != nil {
			panel, bRow = &t.b.data[t.b.panel(l, k, q)], kn.cols
		} else {
			panel = &p.b[(t.l+l)*p.ldb+j]
		}
		c := p.c[t.row*p.ldc+j:]
		for n, i := 0, 0; n < count; n++ {
			rows := low
			if n < tall {
				rows++
			}
			switch {
			case t.packA && t.b != nil && cols == kn.cols && kn.packed != nil:
				kn.packed[rows-1](k, &t.bufs.a[l*t.rows+i*k], panel, &c[i*p.ldc], p.ldc, acc)
			case t.packA:
				kn.tile(rows, cols)(k, &t.bufs.a[l*t.rows+i*k], 1, rows, panel, bRow, &c[i*p.ldc], p.ldc, cols, acc)
			case p.transA:
				kn.tile(rows, cols)(k, &p.a[(t.l+l)*p.lda+t.row+i], 1, p.lda, panel, bRow, &c[i*p.ldc], p.ldc, cols, acc)
			default:
				kn.tile(rows, cols)(k, &p.a[(t.row+i)*p.lda+t.l+l], p.lda, 1, panel, bRow, &c[i*p.ldc], p.ldc, cols, acc)
			}
			i += rows
		}
	}
}
