package gemm

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// serialWork is the number of multiplications below which another goroutine
// costs more than it saves.
const serialWork = 1 << 18

// stripB is the largest op(B), in elements, that goes with strips: 256 KiB, which
// stay in L2 while a goroutine takes strip after strip.
const stripB = 1 << 16

// parallel computes p on several goroutines: in strips where all of op(B) stays
// in cache and there are rows enough, in as many rectangles as goroutines
// elsewhere. Neither changes a sum, for each element of C is computed whole.
func (kn *Kernel) parallel(p product) {
	workers := min(runtime.GOMAXPROCS(0), p.m*p.n*p.k/serialWork)
	switch {
	case workers <= 1:
		kn.serial(p)
	case p.n <= kn.nc && p.n*p.k <= stripB && p.m >= 8*workers*kn.rows:
		kn.strips(p, workers)
	default:
		kn.rectangles(p, workers)
	}
}

// strips cuts m into more strips than workers, which take the next one as they
// get to it: so a goroutine that starts late, or loses its core for a while, does
// not hold up the others. Each packs op(B) for itself, once.
func (kn *Kernel) strips(p product, workers int) {
	rows := kn.rows * max(1, p.m/(8*workers*kn.rows))
	count := (p.m + rows - 1) / rows
	var next atomic.Int64
	var pending sync.WaitGroup
	pending.Add(count)
	work := func() {
		i := int(next.Add(1)) - 1
		if i >= count {
			return
		}
		bufs := kn.borrow()
		defer kn.buffers.Put(bufs)
		blocks := kn.allOfB(p, bufs)
		for ; i < count; i = int(next.Add(1)) - 1 {
			strip := p.part(i*rows, min(p.m, (i+1)*rows), 0, p.n)
			for l, b := 0, 0; b < len(blocks); b++ {
				k := min(blockSize(p.k, kn.kc), p.k-l)
				kn.rowBlocks(strip, bufs, kn.packsA(p), blocks[b], l, k, 0)
				l += k
			}
			pending.Done()
		}
	}
	for range workers - 1 {
		go work()
	}
	work()
	pending.Wait() // for strips, not goroutines: one that starts too late finds none
}

// allOfB returns every block of op(B), of which there is one in n.
func (kn *Kernel) allOfB(p product, bufs *buffers) []operandB {
	pack := kn.packsB(p)
	if pack {
		bufs.b = grow(bufs.b, kn.packedSize(p.n, p.k))
	}
	var blocks []operandB
	kc := blockSize(p.k, kn.kc)
	for l, used := 0, 0; l < p.k; l += kc {
		k := min(kc, p.k-l)
		size := 0
		if pack {
			size = kn.packedSize(p.n, k)
		}
		blocks = append(blocks, kn.blockB(p, bufs.b[used:], pack, l, k, 0, p.n))
		used += size
	}
	return blocks
}

// rectangles cuts C into one rectangle a goroutine; the caller computes the last.
func (kn *Kernel) rectangles(p product, workers int) {
	down, across := kn.grid(p, workers)
	var wg sync.WaitGroup
	for i := range down {
		for j := range across {
			part := p.part(cut(p.m, 1, down, i), cut(p.m, 1, down, i+1),
				cut(p.n, kn.cols/2, across, j), cut(p.n, kn.cols/2, across, j+1))
			switch {
			case part.m == 0 || part.n == 0:
			case i == down-1 && j == across-1:
				kn.serial(part)
			default:
				wg.Go(func() { kn.serial(part) })
			}
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
