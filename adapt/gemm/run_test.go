package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestBlockSize(t *testing.T) {
	for _, test := range []struct{ total, most, want int }{{1, 256, 1}, {256, 256, 256}, {257, 256, 129}, {384, 256, 192}, {768, 256, 256}, {1000, 256, 250}} {
		if got := blockSize(test.total, test.most); got != test.want {
			t.Errorf("blockSize(%d, %d) = %d, want %d", test.total, test.most, got, test.want)
		}
	}
}

// Every chunk of every strip is done once, whoever comes first.
func TestSchedule(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		for _, size := range [][2]int{{1, 1}, {kn.rows, 11999}, {11999, 3}, {375, 768}, {97, 4*kn.nc + 1}} {
			for _, workers := range []int{1, 2, 5, 64} {
				m, n := size[0], size[1]
				s := kn.newSchedule(m, n, workers)
				panels := (n + kn.cols - 1) / kn.cols
				if s.strips*s.height < m || (s.strips-1)*s.height >= m || s.chunks*s.panels < panels || (s.chunks-1)*s.panels >= panels {
					t.Fatalf("%d x %d for %d: %+v does not cover it", m, n, workers, s)
				}
				done := make([]atomic.Int32, s.strips*s.chunks)
				s.run(workers, func() (func(int, int), func()) {
					return func(strip, chunk int) { done[strip*s.chunks+chunk].Add(1) }, func() {}
				})
				for i := range done {
					if done[i].Load() != 1 {
						t.Fatalf("%d x %d for %d: %+v: part %d was done %d times", m, n, workers, s, i, done[i].Load())
					}
				}
			}
		}
	})
}

// Element (p, j) of op(B) lies in its block of rows, in panel j/cols, row p, column j%cols, whichever way B is stored.
func TestPackB(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(19, 20))
		for _, s := range [][2]int{{1, 1}, {kn.cols, 8}, {kn.cols + 1, 9}, {3*kn.cols - 3, 23}, {11, 16}, {20, 2*kn.kc + 1}} {
			n, k := s[0], s[1]
			for _, transB := range []bool{false, true} {
				q := newProblem(rng, false, transB, false, 1, n, k, 2, false)
				b := &Packed{kn: kn}
				b.SetSerial(transB, n, k, q.b, q.ldb)
				for p := range k {
					for j := range n {
						index := p*q.ldb + j
						if transB {
							index = j*q.ldb + p
						}
						block := p / b.depth * b.depth
						at := b.panel(block, min(b.depth, k-block), j/kn.cols) + (p-block)*kn.cols + j%kn.cols
						if got, want := b.data[at], q.b[index]; got != want {
							t.Fatalf("n=%d k=%d transB=%t: packed (%d, %d) = %g, want %g", n, k, transB, p, j, got, want)
						}
					}
				}
			}
		}
	})
}

// Element (i, p) of a strip of op(A) lies in its block of columns, in its tile, at column·height + row.
func TestPackA(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(25, 26))
		for rows := 1; rows <= 3*kn.rows; rows++ {
			for _, k := range []int{1, 7, 8, 29, 64} {
				for v := range 4 {
					transA, after := v&1 != 0, 10*(v>>1) // rows of A below the strip
					q := newProblem(rng, transA, false, false, 2+rows+after, 1, k+3, v, v == 2)
					depth := 24
					dst := make([]float32, rows*k+8)
					kn.packStrip(dst, &product{transA: transA, a: q.a, lda: q.lda}, 2, rows, 3, k, depth)
					count, low, tall := kn.tileRows(rows)
					for tile, first := 0, 0; tile < count; tile++ {
						height := low
						if tile < tall {
							height++
						}
						for r := range height {
							for p := range k {
								index := (2+first+r)*q.lda + 3 + p
								if transA {
									index = (3+p)*q.lda + 2 + first + r
								}
								block := p / depth * depth
								at := block*rows + first*min(depth, k-block) + (p-block)*height + r
								if got, want := dst[at], q.a[index]; got != want {
									t.Fatalf("rows=%d k=%d transA=%t: packed (%d, %d) = %g, want %g", rows, k, transA, first+r, p, got, want)
								}
							}
						}
						first += height
					}
				}
			}
		}
	})
}

// Products may run side by side, serial and parallel, on one kernel and its
// buffers.
func TestConcurrentCalls(t *testing.T) {
	before := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(before)
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(21, 22))
		var wg sync.WaitGroup
		for i := range 6 {
			q := newProblem(rng, i%2 == 0, i%3 == 0, false, 200+50*i, 40+i, 60, 0, false)
			want := q.run(kn.MultiplySerial)
			for range 3 {
				wg.Go(func() {
					got := q.run(kn.Multiply)
					for j := range want {
						if got[j] != want[j] {
							t.Errorf("%v: element %d = %g, want %g", q, j, got[j], want[j])
							return
						}
					}
				})
			}
		}
		wg.Wait()
	})
}

// Products have the same bits on any number of goroutines, also on more than there is work for, and with B packed before.
func TestWorkers(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(23, 24))
		for _, s := range [][3]int{{1, 1, 1}, {100, 33, 20}, {61, 5, 300}, {200, 8 * kn.cols, 520}} {
			for v := range 4 {
				q := newProblem(rng, v&1 != 0, v&2 != 0, v == 2, s[0], s[1], s[2], 1, false)
				want := q.run(kn.MultiplySerial)
				for _, workers := range []int{1, 2, 5, 40} {
					p := q.product(append([]float32(nil), q.c...))
					kn.run(&p, workers)
					equal(t, fmt.Sprintf("%v: %d workers", q, workers), p.c, want)
				}
			}
		}
	})
}

// A B that is too large to be packed at once gives the bits of one that is packed before.
func TestLargeB(t *testing.T) {
	rng := rand.New(rand.NewPCG(27, 28))
	for _, s := range [][3]int{{3, 70, 70_000}, {2, 20_000, 300}} {
		q := newProblem(rng, false, true, false, s[0], s[1], s[2], 0, false)
		got := q.run(Multiply)
		Pack(true, q.n, q.k, q.b, q.ldb).Multiply(q.m, q.a, q.lda, nil, q.c, q.ldc, nil)
		equal(t, q.String(), got, q.c)
	}
}

// A product of a packed B adds the bias first, and finish sees every element once, with its final sum.
func TestPacked(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(29, 30))
		for _, s := range [][3]int{{1, 1, 1}, {100, 33, 20}, {61, 5, 300}, {200, 8*kn.cols + 1, 520}, {300, 40, 0}} {
			for _, transB := range []bool{false, true} {
				q := newProblem(rng, false, transB, true, s[0], s[1], s[2], 1, false)
				bias := random(rng, q.n)
				for i := range q.m {
					copy(q.c[i*q.ldc:][:q.n], bias)
				}
				want := q.run(kn.MultiplySerial)
				for i := range q.m {
					for j := range q.n {
						q.c[i*q.ldc+j], want[i*q.ldc+j] = float32(math.NaN()), -want[i*q.ldc+j]
					}
				}
				b := &Packed{kn: kn}
				b.SetSerial(transB, q.n, q.k, q.b, q.ldb)
				for _, workers := range []int{1, 3} {
					c := append([]float32(nil), q.c...)
					b.multiply(q.m, q.a, q.lda, bias, c, q.ldc, func(row, rows, col, cols int) {
						for i := row; i < row+rows; i++ {
							for j := col; j < col+cols; j++ {
								c[i*q.ldc+j] = -c[i*q.ldc+j]
							}
						}
					}, workers)
					equal(t, fmt.Sprintf("%v: %d workers", q, workers), c, want)
				}
			}
		}
	})
}
