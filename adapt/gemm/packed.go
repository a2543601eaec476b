package gemm

import "fmt"

// Packed is a matrix op(B) [k][n] in the order in which the micro-kernels read it: for weights that many products share
// and that do not change meanwhile. It takes the memory of B again, n being rounded up to whole panels. Its products are
// those of [Multiply], bit for bit, and may run concurrently.
type Packed struct {
	kn    *Kernel
	n, k  int
	depth int       // rows of a block
	data  []float32 // block after block, each in panels of kn.cols columns: see the package comment
}

// Pack packs op(B) for the machine's best kernel, on all cores; arguments as in [Multiply].
func Pack(transB bool, n, k int, b []float32, ldb int) *Packed {
	p := new(Packed)
	p.Set(transB, n, k, b, ldb)
	return p
}

// Set packs another matrix into p, in its memory where that is enough. p may be the zero Packed. No product may be under way.
func (p *Packed) Set(transB bool, n, k int, b []float32, ldb int) {
	p.set(transB, n, k, b, ldb, workersFor(n*k*packWork))
}

// SetSerial is Set on the calling goroutine alone.
func (p *Packed) SetSerial(transB bool, n, k int, b []float32, ldb int) {
	p.set(transB, n, k, b, ldb, 1)
}

// packWork is what packing an element costs, in multiplications of a tile.
const packWork = 32

func (p *Packed) set(transB bool, n, k int, b []float32, ldb, workers int) {
	if p.kn == nil {
		p.kn = usable()[0]
	}
	checkB(transB, n, k, b, ldb)
	p.n, p.k, p.depth = n, k, blockSize(k, p.kn.kc)
	p.fill(transB, b, ldb, workers)
}

// group is the number of panels that are packed together: so that rows are read in longer runs.
const group = 8

// fill packs op(B), whose size p has already.
func (p *Packed) fill(transB bool, b []float32, ldb, workers int) {
	panels := (p.n + p.kn.cols - 1) / p.kn.cols
	p.data = grow(p.data, panels*p.kn.cols*p.k)
	groups := (panels + group - 1) / group
	if workers > 1 {
		share(groups, workers, func(i int) { p.fillPanels(transB, b, ldb, i*group, min(panels, (i+1)*group)) })
		return
	}
	for i := range groups {
		p.fillPanels(transB, b, ldb, i*group, min(panels, (i+1)*group))
	}
}

// fillPanels packs panels [first, last) of every block.
func (p *Packed) fillPanels(transB bool, b []float32, ldb, first, last int) {
	cols := p.kn.cols
	for l := 0; l < p.k; l += p.depth {
		rows := min(p.depth, p.k-l)
		size := rows * cols
		if transB {
			for q := first; q < last; q++ {
				p.kn.packColumns(p.data[p.panel(l, rows, q):][:size], b[q*cols*ldb+l:], ldb, min(cols, p.n-q*cols), rows)
			}
			continue
		}
		whole := min(last, p.n/cols) // panels without a gap at their right
		dst, src := p.data[p.panel(l, rows, first):], b[l*ldb+first*cols:]
		p.kn.packRows(dst, size, cols, src, ldb, rows, whole-first)
		if whole < last {
			for r := range rows {
				copy(dst[(whole-first)*size+r*cols:], b[(l+r)*ldb+whole*cols:][:p.n-whole*cols])
			}
		}
	}
}

// panel returns where panel q begins in the block at row l, which has that many rows.
func (p *Packed) panel(l, rows, q int) int {
	cols := p.kn.cols
	return l*roundUp(p.n, cols) + q*cols*rows
}

// Finish is told of every part of C whose sums are complete, rows [row, row+rows) and columns [col, col+cols), while it is
// in the cache. Parts are disjoint and cover C. Calls may be concurrent.
type Finish func(row, rows, col, cols int)

// Multiply computes C = A·B + bias on all cores. A is [m][k] with rows lda apart, C [m][n] with rows ldc apart; bias [n] is
// the sums' first addend, or nil. finish may be nil. Preconditions are those of the package's Multiply.
func (p *Packed) Multiply(m int, a []float32, lda int, bias, c []float32, ldc int, finish Finish) {
	p.multiply(m, a, lda, bias, c, ldc, finish, workersFor(m*p.n*p.k))
}

// MultiplySerial is Multiply on the calling goroutine alone.
func (p *Packed) MultiplySerial(m int, a []float32, lda int, bias, c []float32, ldc int, finish Finish) {
	p.multiply(m, a, lda, bias, c, ldc, finish, 1)
}

func (p *Packed) multiply(m int, a []float32, lda int, bias, c []float32, ldc int, finish Finish, workers int) {
	q := product{m: m, n: p.n, k: p.k, a: a, lda: lda, packed: p, bias: bias, c: c, ldc: ldc, finish: finish}
	if len(bias) != p.n && bias != nil {
		panic(fmt.Sprintf("gemm: bias has %d elements, want n = %d", len(bias), p.n))
	}
	if q.check() {
		p.kn.run(&q, workers)
	}
}
