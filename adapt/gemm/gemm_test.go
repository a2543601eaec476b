package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// random returns n values in [-1, 1).
func random(rng *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = 2*rng.Float32() - 1
	}
	return s
}

// problem is a product with its operands, for comparing implementations.
type problem struct {
	transA, transB, accumulate bool
	m, n, k, lda, ldb, ldc     int
	a, b, c                    []float32
}

// newProblem returns a problem with random operands, whose rows lie pad elements
// apart; with overlap, rows of A begin a third of a row after one another.
func newProblem(rng *rand.Rand, transA, transB, accumulate bool, m, n, k, pad int, overlap bool) problem {
	rowsA, colsA, rowsB, colsB := m, k, k, n
	if transA {
		rowsA, colsA = k, m
	}
	if transB {
		rowsB, colsB = n, k
	}
	q := problem{transA: transA, transB: transB, accumulate: accumulate, m: m, n: n, k: k,
		lda: max(1, colsA+pad), ldb: max(1, colsB+pad), ldc: n + pad}
	if overlap {
		q.lda = 1 + colsA/3
	}
	size := func(rows, cols, ld int) int { return max(0, (rows-1)*ld+cols) }
	q.a, q.b = random(rng, size(rowsA, colsA, q.lda)), random(rng, size(rowsB, colsB, q.ldb))
	q.c = random(rng, size(m, n, q.ldc))
	return q
}

// run returns a copy of c after one product by multiply.
func (q problem) run(multiply func(bool, bool, int, int, int, []float32, int, []float32, int, bool, []float32, int)) []float32 {
	c := append([]float32(nil), q.c...)
	multiply(q.transA, q.transB, q.m, q.n, q.k, q.a, q.lda, q.b, q.ldb, q.accumulate, c, q.ldc)
	return c
}

// product returns the problem as the package's own type.
func (q problem) product(c []float32) product {
	return product{transA: q.transA, transB: q.transB, m: q.m, n: q.n, k: q.k, a: q.a, lda: q.lda, b: q.b, ldb: q.ldb, accumulate: q.accumulate, c: c, ldc: q.ldc}
}

// part returns the product of rows [m0, m1) of C and columns [n0, n1).
func (p product) part(m0, m1, n0, n1 int) product {
	if p.transA {
		p.a = p.a[m0:]
	} else {
		p.a = p.a[m0*p.lda:]
	}
	if p.transB {
		p.b = p.b[n0*p.ldb:]
	} else {
		p.b = p.b[n0:]
	}
	p.m, p.n, p.c = m1-m0, n1-n0, p.c[m0*p.ldc+n0:]
	return p
}

// reference is the definition, in float64. It also returns for each element the
// sum of the products' magnitudes, which bounds what rounding can do.
func (q problem) reference() (c []float32, scale []float64) {
	c, scale = append([]float32(nil), q.c...), make([]float64, len(q.c))
	for i := range q.m {
		for j := range q.n {
			var sum, abs float64
			for p := range q.k {
				x, y := i*q.lda+p, p*q.ldb+j
				if q.transA {
					x = p*q.lda + i
				}
				if q.transB {
					y = j*q.ldb + p
				}
				v := float64(q.a[x]) * float64(q.b[y])
				sum, abs = sum+v, abs+math.Abs(v)
			}
			if old := float64(c[i*q.ldc+j]); q.accumulate {
				sum, abs = sum+old, abs+math.Abs(old)
			}
			c[i*q.ldc+j], scale[i*q.ldc+j] = float32(sum), abs
		}
	}
	return c, scale
}

// String names the problem in failures.
func (q problem) String() string {
	return fmt.Sprintf("m=%d n=%d k=%d lda=%d ldb=%d ldc=%d transA=%t transB=%t accumulate=%t",
		q.m, q.n, q.k, q.lda, q.ldb, q.ldc, q.transA, q.transB, q.accumulate)
}

// verify compares one kernel with the reference. Elements of C between the rows
// have to keep their values. The tolerance is the bound of Higham (2002, eq. 3.5)
// for a sum of up to 256 products and the few blocks that follow.
func verify(t *testing.T, kn *Kernel, q problem) {
	t.Helper()
	const tolerance = 300 * 0x1p-24
	want, scale := q.reference()
	for name, got := range map[string][]float32{"Multiply": q.run(kn.Multiply), "MultiplySerial": q.run(kn.MultiplySerial)} {
		for i := range want {
			if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance*scale[i]) {
				t.Fatalf("%s.%s: %v: element %d = %g, want %g", kn.Name(), name, q, i, got[i], want[i])
			}
		}
	}
}

// each runs f as a subtest for every kernel of this machine.
func each(t *testing.T, f func(t *testing.T, kn *Kernel)) {
	for _, name := range Kernels() {
		kn, ok := Named(name)
		if !ok {
			t.Fatalf("Kernels lists %q, but Named does not know it", name)
		}
		t.Run(name, func(t *testing.T) { f(t, kn) })
	}
}

func TestShapes(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, s := range [][3]int{
			{1, 1, 1}, {1, 5, 3}, {5, 1, 3}, {3, 500, 9}, {6, 16, 4}, {14, 32, 7}, {15, 33, 5}, {13, 31, 8}, {16, 24, 40},
			{37, 70, 100}, {74, 24, 74}, {130, 70, 40}, {30, 33, 515},
		} {
			for v := range 16 {
				transA, transB, accumulate := v&1 != 0, v&2 != 0, v&4 != 0
				verify(t, kn, newProblem(rng, transA, transB, accumulate, s[0], s[1], s[2], 3*(v>>3), false))
			}
		}
	})
}

// Every tile height and width occurs, each with columns to the right of C and B
// that must be neither read nor written.
func TestEveryTile(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(3, 4))
		for m := 1; m <= 2*kn.rows; m++ {
			for n := 1 + m%2; n <= kn.cols+3; n += 2 {
				verify(t, kn, newProblem(rng, m%2 == 0, n%3 == 0, n%2 == 0, m, n, 5, 1, false))
			}
		}
	})
}

// Beyond the blocks in m and in n there are more blocks.
func TestBlocks(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, transposed := range []bool{false, true} {
			verify(t, kn, newProblem(rng, transposed, transposed, true, kn.mc+5, 9, kn.kc+3, 2, false))
			verify(t, kn, newProblem(rng, transposed, transposed, false, 3, kn.nc+9, 5, 2, false))
			verify(t, kn, newProblem(rng, transposed, !transposed, true, 2*kn.mc+1, 3, 2*kn.kc+1, 0, false))
		}
		q := newProblem(rng, false, false, false, 50, 130, 512, 0, false) // A is copied
		verify(t, kn, q)
	})
}

func TestOverlappingRows(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(7, 8))
		for _, s := range [][3]int{{40, 16, 48}, {121, 32, 96}, {70, 33, 100}, {64, 100, 256}} {
			for v := range 4 {
				verify(t, kn, newProblem(rng, v&1 != 0, v&2 != 0, false, s[0], s[1], s[2], 0, true))
			}
		}
	})
}

func TestRandomShapes(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(9, 10))
		for range 60 {
			verify(t, kn, newProblem(rng, rng.IntN(2) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0,
				1+rng.IntN(70), 1+rng.IntN(70), 1+rng.IntN(150), rng.IntN(5), rng.IntN(4) == 0))
		}
	})
}

func TestEmpty(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		c := []float32{1, 2, 3, 4, 5, 6}
		kn.Multiply(false, false, 0, 3, 2, nil, 2, make([]float32, 6), 3, false, c, 3)
		kn.Multiply(false, false, 2, 0, 2, make([]float32, 4), 2, nil, 1, false, c, 3)
		kn.MultiplySerial(true, true, 2, 2, 0, nil, 2, nil, 1, true, c, 3)
		if fmt.Sprint(c) != "[1 2 3 4 5 6]" {
			t.Fatalf("products without work changed c to %v", c)
		}
		kn.Multiply(false, false, 2, 2, 0, nil, 1, nil, 2, false, c, 3)
		if fmt.Sprint(c) != "[0 0 3 0 0 6]" {
			t.Fatalf("k = 0: c = %v, want 0 where C is and old values elsewhere", c)
		}
	})
}

// A NaN or Inf goes where IEEE 754 sends it, also against a zero, and nowhere else.
func TestNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(11, 12))
		for _, transposed := range []bool{false, true} {
			q := newProblem(rng, transposed, transposed, false, 30, 37, 20, 0, false)
			clear(q.b)
			row, col := 17, 5 // of op(A)
			index := row*q.lda + col
			if transposed {
				index = col*q.lda + row
			}
			for _, bad := range []float32{nan, inf} {
				q.a[index] = bad
				for i, v := range q.run(kn.Multiply) {
					if isNaN := v != v; isNaN != (i/q.ldc == row) {
						t.Fatalf("%v in row %d of A times 0: element (%d, %d) is %v", bad, row, i/q.ldc, i%q.ldc, v)
					}
				}
			}
			q.a[index] = 1
			for i := range q.c {
				q.c[i] = nan
			}
			for i, v := range q.run(kn.Multiply) {
				if v != 0 {
					t.Fatalf("old NaN at %d shows as %v without accumulate", i, v)
				}
			}
			q.accumulate = true
			for i, v := range q.run(kn.Multiply) {
				if v == v {
					t.Fatalf("old NaN at %d is lost with accumulate: %v", i, v)
				}
			}
		}
	})
}

// equal reports the first element whose bits differ.
func equal(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d = %g, want the same bits as %g", what, i, got[i], want[i])
		}
	}
}

// Results are the same bits with any number of goroutines, and for any part of a
// product computed alone.
func TestDeterminism(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(13, 14))
		for _, s := range [][3]int{{500, 40, 70}, {33, 130, 300}, {1300, 16, 48}} {
			for v := range 4 {
				q := newProblem(rng, v&1 != 0, v&2 != 0, v == 3, s[0], s[1], s[2], 0, false)
				want := q.run(kn.MultiplySerial)
				for _, procs := range []int{1, 2, 3, 8} {
					runtime.GOMAXPROCS(procs)
					equal(t, fmt.Sprintf("%v, GOMAXPROCS %d", q, procs), q.run(kn.Multiply), want)
				}
				whole := q.product(append([]float32(nil), q.c...))
				for _, i := range []int{0, 7} {
					for _, j := range []int{3, 11} {
						for _, rows := range [][2]int{{0, i}, {i, q.m}} {
							for _, cols := range [][2]int{{0, j}, {j, q.n}} {
								if rows[0] < rows[1] {
									part := whole.part(rows[0], rows[1], cols[0], cols[1])
									kn.run(&part, 1)
								}
							}
						}
						equal(t, fmt.Sprintf("%v, cut at (%d, %d)", q, i, j), whole.c, want)
						copy(whole.c, q.c)
					}
				}
			}
		}
	})
}

// The kernels with fused multiply-add agree bit for bit; the portable one rounds
// each product as well.
func TestKernelsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	names := Kernels()
	first, _ := Named(names[0])
	for range 40 {
		q := newProblem(rng, rng.IntN(2) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0, 1+rng.IntN(60), 1+rng.IntN(60), 1+rng.IntN(700), 1, false)
		want := q.run(first.Multiply)
		_, scale := q.reference()
		for _, name := range names[1:] {
			kn, _ := Named(name)
			got := q.run(kn.Multiply)
			if name != "portable" {
				equal(t, name+" against "+names[0]+": "+q.String(), got, want)
				continue
			}
			for i := range want {
				if d := math.Abs(float64(got[i]) - float64(want[i])); d > 600*0x1p-24*scale[i] {
					t.Fatalf("%s and %s: %v: element %d: %g and %g", name, names[0], q, i, got[i], want[i])
				}
			}
		}
	}
}

func TestPreconditions(t *testing.T) {
	s := make([]float32, 12)
	for _, test := range []struct {
		name    string
		call    func()
		message string
	}{
		{"negative m", func() { Multiply(false, false, -1, 1, 1, s, 1, s, 1, false, s, 1) }, "m=-1"},
		{"negative k", func() { MultiplySerial(false, false, 1, 1, -2, s, 1, s, 1, false, s, 1) }, "k=-2"},
		{"lda 0", func() { Multiply(false, false, 2, 2, 2, s, 0, s, 2, false, s, 2) }, "lda is 0"},
		{"ldb -1", func() { Multiply(false, false, 2, 2, 2, s, 2, s, -1, false, s, 2) }, "ldb is -1"},
		{"ldc below n", func() { Multiply(false, false, 2, 3, 2, s, 2, s, 3, false, s, 2) }, "ldc is 2, want n = 3"},
		{"a short", func() { Multiply(false, false, 3, 1, 4, s[:11], 4, s, 1, false, s, 1) }, "a has 11 elements, want 12"},
		{"transposed a short", func() { Multiply(true, false, 4, 1, 3, s[:11], 4, s, 1, false, s, 1) }, "a has 11 elements, want 12"},
		{"b short", func() { Multiply(false, false, 1, 4, 3, s, 3, s[:11], 4, false, s, 4) }, "b has 11 elements, want 12"},
		{"transposed b short", func() { Multiply(false, true, 1, 3, 4, s, 4, s[:11], 4, false, s, 3) }, "b has 11 elements, want 12"},
		{"c short", func() { Multiply(false, false, 3, 4, 1, s, 1, s, 4, false, s[:11], 4) }, "c has 11 elements, want 12"},
		{"c short and k 0", func() { Multiply(false, false, 3, 4, 0, s, 1, s, 4, false, s[:11], 4) }, "c has 11 elements, want 12"},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "gemm: ") || !strings.Contains(got, test.message) {
					t.Errorf("panic %q, want gemm: ...%s", got, test.message)
				}
			}()
			test.call()
		})
	}
}

func TestNamed(t *testing.T) {
	names := Kernels()
	if last := names[len(names)-1]; last != "portable" {
		t.Errorf("the last kernel is %q, want portable", last)
	}
	if kn, ok := Named("abacus"); ok || kn != nil {
		t.Errorf("Named(abacus) = %v, %t, want nil, false", kn, ok)
	}
}

// FuzzShapes compares every kernel with the definition.
func FuzzShapes(f *testing.F) {
	f.Add(uint8(14), uint8(32), uint16(256), uint8(0), uint8(0))
	f.Add(uint8(15), uint8(17), uint16(257), uint8(7), uint8(3))
	f.Add(uint8(0), uint8(1), uint16(0), uint8(9), uint8(1))
	f.Fuzz(func(t *testing.T, m, n uint8, k uint16, flags, pad uint8) {
		rng := rand.New(rand.NewPCG(uint64(m)<<8|uint64(n), uint64(k)))
		q := newProblem(rng, flags&1 != 0, flags&2 != 0, flags&4 != 0, int(m), int(n), int(k%600), int(pad%8), flags&8 != 0)
		for _, name := range Kernels() {
			kn, _ := Named(name)
			verify(t, kn, q)
		}
	})
}
