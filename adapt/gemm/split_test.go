package gemm

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

// Parts follow one another without gaps, in whole units but for the last.
func TestCut(t *testing.T) {
	for _, test := range []struct{ total, unit, parts int }{{10, 1, 3}, {96, 16, 4}, {97, 16, 8}, {5, 16, 2}, {375, 1, 2}} {
		end := 0
		for i := range test.parts {
			from, to := cut(test.total, test.unit, test.parts, i), cut(test.total, test.unit, test.parts, i+1)
			if from != end || to < from || (to%test.unit != 0 && to != test.total) {
				t.Errorf("%+v: part %d is [%d, %d) after %d", test, i, from, to, end)
			}
			end = to
		}
		if end != test.total {
			t.Errorf("%+v: the parts end at %d", test, end)
		}
	}
}

func TestBlockSize(t *testing.T) {
	for _, test := range []struct{ total, most, want int }{{1, 256, 1}, {256, 256, 256}, {257, 256, 129}, {384, 256, 192}, {768, 256, 256}, {1000, 256, 250}} {
		if got := blockSize(test.total, test.most); got != test.want {
			t.Errorf("blockSize(%d, %d) = %d, want %d", test.total, test.most, got, test.want)
		}
	}
}

func TestRowStride(t *testing.T) {
	for n := 1; n < 600; n++ {
		if ld := rowStride(n); ld < n || ld%32 != 16 || ld > n+31 {
			t.Fatalf("rowStride(%d) = %d, want an odd number of 16s, at least n and below n+32", n, ld)
		}
	}
}

// The grid uses no more parts than allowed, and cuts the side that can be cut.
func TestGrid(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		for _, test := range []struct {
			m, n   int
			byRows bool
		}{
			{11999, kn.cols / 2, true},
			{kn.rows, 11999, false},
		} {
			for parts := 2; parts <= 9; parts++ {
				down, across := kn.grid(product{m: test.m, n: test.n, k: 100, lda: 100, transB: true}, parts)
				if down < 1 || across < 1 || down*across > parts || (down > across) != test.byRows {
					t.Errorf("m=%d n=%d in %d parts: %d x %d", test.m, test.n, parts, down, across)
				}
			}
		}
	})
}

// Packed, element (p, j) of op(B) lies in panel j/cols, row p, column j%cols,
// whichever way B is stored.
func TestPacking(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(19, 20))
		for _, s := range [][2]int{{1, 1}, {kn.cols, 8}, {kn.cols + 1, 9}, {3*kn.cols - 3, 23}, {11, 16}} {
			n, k := s[0], s[1]
			for _, transB := range []bool{false, true} {
				q := newProblem(rng, false, transB, false, 1, n, k, 2, false)
				dst := make([]float32, kn.packedSize(n, k))
				b := kn.blockB(product{transB: transB, b: q.b, ldb: q.ldb}, dst, true, 0, k, 0, n)
				for p := range k {
					for j := range n {
						index := p*q.ldb + j
						if transB {
							index = j*q.ldb + p
						}
						want := q.b[index]
						if got := b.s[j/kn.cols*b.panel+p*b.row+j%kn.cols]; got != want {
							t.Fatalf("n=%d k=%d transB=%t: packed (%d, %d) = %g, want %g", n, k, transB, p, j, got, want)
						}
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

// Strips and rectangles give the bits of a serial product, also with more
// goroutines than there is work for.
func TestStripsAndRectangles(t *testing.T) {
	each(t, func(t *testing.T, kn *Kernel) {
		rng := rand.New(rand.NewPCG(23, 24))
		for _, s := range [][3]int{{1, 1, 1}, {100, 33, 20}, {61, 5, 300}} {
			for v := range 4 {
				q := newProblem(rng, v&1 != 0, v&2 != 0, v == 2, s[0], s[1], s[2], 1, false)
				want := q.run(kn.MultiplySerial)
				for _, workers := range []int{1, 2, 5, 40} {
					for name, split := range map[string]func(product, int){"strips": kn.strips, "rectangles": kn.rectangles} {
						c := append([]float32(nil), q.c...)
						split(product{q.transA, q.transB, q.m, q.n, q.k, q.a, q.lda, q.b, q.ldb, q.accumulate, c, q.ldc}, workers)
						equal(t, fmt.Sprintf("%v: %s, %d workers", q, name, workers), c, want)
					}
				}
			}
		}
	})
}
