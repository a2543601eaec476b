package gemm

import (
	"runtime"
	"sync"
)

// serialWork is the number of multiplications below which another goroutine
// costs more than it saves.
const serialWork = 1 << 18

// parallel cuts C into one rectangle a goroutine; the caller's computes the last.
func (kn *Kernel) parallel(p product) {
	parts := min(runtime.GOMAXPROCS(0), p.m*p.n*p.k/serialWork)
	if parts <= 1 {
		kn.serial(p)
		return
	}
	down, across := kn.grid(p, parts)
	var wg sync.WaitGroup
	for i := range down {
		for j := range across {
			part := p.part(cut(p.m, 1, down, i), cut(p.m, 1, down, i+1),
				cut(p.n, kn.cols/2, across, j), cut(p.n, kn.cols/2, across, j+1))
			if part.m == 0 || part.n == 0 {
				continue
			}
			if i == down-1 && j == across-1 {
				kn.serial(part)
				break
			}
			wg.Go(func() { kn.serial(part) })
		}
	}
	wg.Wait()
}

// grid returns the numbers of parts that m and n are cut into, at most parts in
// all: those for which the largest part takes the least time.
func (kn *Kernel) grid(p product, parts int) (down, across int) {
	packA, packB := kn.packsA(p), kn.packsB(p)
	best := -1
	for d := 1; d <= parts; d++ {
		a := parts / d
		m := (p.m + d - 1) / d
		half := kn.cols / 2
		n := ((p.n+half-1)/half + a - 1) / a * half
		work := m * n
		if packA {
			work += packWork * m
		}
		if packB {
			work += packWork * n
		}
		if best < 0 || work < best {
			best, down, across = work, d, a
		}
	}
	return down, across
}

// packWork is what packing an element costs, in multiplications of a tile.
const packWork = 32

// cut returns where part i of total begins, in whole units, for parts in all.
func cut(total, unit, parts, i int) int {
	units := (total + unit - 1) / unit
	return min(units*i/parts*unit, total)
}

// part returns the product of rows [m0, m1) of C and columns [n0, n1).
func (p product) part(m0, m1, n0, n1 int) product {
	if m0 == m1 || n0 == n1 {
		return product{}
	}
	q := p
	q.m, q.n = m1-m0, n1-n0
	if p.transA {
		q.a = p.a[m0:]
	} else {
		q.a = p.a[m0*p.lda:]
	}
	if p.transB {
		q.b = p.b[n0*p.ldb:]
	} else {
		q.b = p.b[n0:]
	}
	q.c = p.c[m0*p.ldc+n0:]
	return q
}
