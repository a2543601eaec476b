package gemm

import "fmt"

// Multiply computes C = op(A)·op(B), or C += op(A)·op(B) with accumulate, on up
// to runtime.GOMAXPROCS(0) goroutines. op(A) is [m][k] and op(B) is [k][n]; they
// are stored
//
//	A  [m][k], transposed [k][m]     element (row, col) at a[row·lda + col]
//	B  [k][n], transposed [n][k]     element (row, col) at b[row·ldb + col]
//	C  [m][n]                        element (row, col) at c[row·ldc + col]
//
// The leading dimensions lda and ldb may be smaller than a row, down to 1: rows
// then overlap, which makes a convolution over [time][channels] a product with
// lda = stride·channels and k = taps·channels. ldc is at least n, so that rows of
// C do not overlap, and C shares no memory with A and B (this is not checked).
// The last row of a matrix may end where its slice ends.
//
// Without accumulate the old values of C are not read, whatever they are. With
// k = 0, C becomes 0, or stays with accumulate; with m = 0 or n = 0 nothing
// happens. NaN and Inf follow IEEE 754: 0·NaN is NaN, no product is left out.
//
// Multiply panics if a dimension is negative, a leading dimension is too small or
// a slice too short.
func Multiply(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int) {
	usable()[0].Multiply(transA, transB, m, n, k, a, lda, b, ldb, accumulate, c, ldc)
}

// MultiplySerial is Multiply on the calling goroutine alone, for callers that are
// themselves one of several. The results are the same bits.
func MultiplySerial(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int) {
	usable()[0].MultiplySerial(transA, transB, m, n, k, a, lda, b, ldb, accumulate, c, ldc)
}

// Multiply is the package's Multiply with this kernel.
func (kn *Kernel) Multiply(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int) {
	p := product{transA: transA, transB: transB, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, accumulate: accumulate, c: c, ldc: ldc}
	if p.check() {
		kn.run(&p, workersFor(m*n*k))
	}
}

// MultiplySerial is the package's MultiplySerial with this kernel.
func (kn *Kernel) MultiplySerial(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int) {
	p := product{transA: transA, transB: transB, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, accumulate: accumulate, c: c, ldc: ldc}
	if p.check() {
		kn.run(&p, 1)
	}
}

// product holds the arguments of Multiply, and what products of packed matrices have besides.
type product struct {
	transA, transB bool
	m, n, k        int
	a              []float32
	lda            int
	b              []float32
	ldb            int
	accumulate     bool
	c              []float32
	ldc            int

	packed *Packed   // op(B), in place of b
	bias   []float32 // the first addend of every row, or nil
	finish Finish    // or nil
}

// check panics on wrong arguments and reports whether there is anything to sum;
// where there is not, it has set C.
func (p *product) check() bool {
	if p.m < 0 || p.n < 0 || p.k < 0 {
		panic(fmt.Sprintf("gemm: dimensions m=%d n=%d k=%d, want 0 or more", p.m, p.n, p.k))
	}
	if p.m == 0 || p.n == 0 {
		return false
	}
	if p.ldc < p.n {
		panic(fmt.Sprintf("gemm: ldc is %d, want n = %d or more", p.ldc, p.n))
	}
	fits("c", p.c, p.m, p.n, p.ldc)
	if p.k == 0 {
		p.withoutProducts()
		return false
	}
	if p.transA {
		fits("a", p.a, p.k, p.m, p.lda)
	} else {
		fits("a", p.a, p.m, p.k, p.lda)
	}
	if p.packed == nil {
		checkB(p.transB, p.n, p.k, p.b, p.ldb)
	}
	return true
}

// withoutProducts sets C where there is nothing to sum.
func (p *product) withoutProducts() {
	for i := 0; i < p.m && !p.accumulate; i++ {
		row := p.c[i*p.ldc : i*p.ldc+p.n]
		clear(row)
		copy(row, p.bias)
	}
	if p.finish != nil {
		p.finish(0, p.m, 0, p.n)
	}
}

// checkB panics if op(B) [k][n] is not within its slice.
func checkB(transB bool, n, k int, b []float32, ldb int) {
	switch {
	case n < 0 || k < 0:
		panic(fmt.Sprintf("gemm: dimensions n=%d k=%d, want 0 or more", n, k))
	case n == 0 || k == 0:
	case transB:
		fits("b", b, n, k, ldb)
	default:
		fits("b", b, k, n, ldb)
	}
}

// fits panics if matrix s, stored as rows x cols with leading dimension ld, ends
// beyond its slice.
func fits(name string, s []float32, rows, cols, ld int) {
	if ld < 1 {
		panic(fmt.Sprintf("gemm: ld%s is %d, want 1 or more", name, ld))
	}
	if want := (rows-1)*ld + cols; len(s) < want {
		panic(fmt.Sprintf("gemm: %s has %d elements, want %d for %d x %d with ld%s = %d", name, len(s), want, rows, cols, name, ld))
	}
}
