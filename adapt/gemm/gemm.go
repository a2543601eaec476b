// Package gemm: packed, blocked single-precision GEMM (BLIS scheme), row-major.
package gemm

import (
	"runtime"
	"sync"
	"unsafe"
)

type kernel struct {
	name       string
	mr, nr     int
	kc, mc, nc int
	run        func(kc int, a, b, c *float32, ldc int, acc int)
}

var active = &kernels[0]

// Kernels lists the kernels usable on this CPU, best first.
func Kernels() (ns []string) {
	for _, k := range kernels {
		ns = append(ns, k.name)
	}
	return
}
func Use(name string) bool {
	for i := range kernels {
		if kernels[i].name == name {
			active = &kernels[i]
			return true
		}
	}
	return false
}

type buf struct{ a, b, t []float32 }

var pool = sync.Pool{New: func() any { return new(buf) }}

func grow(s *[]float32, n int) []float32 {
	if cap(*s) < n {
		*s = make([]float32, n+16)
	}
	return (*s)[:n]
}

// Sgemm computes C = op(A)*op(B) (+ C if acc), row major; op(A) is m x k, op(B) is k x n.
func Sgemm(threads int, tA, tB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, acc bool, c []float32, ldc int) {
	kn := active
	if threads <= 1 || m*n*k < 64*64*64 {
		sgemm(kn, tA, tB, m, n, k, a, lda, b, ldb, acc, c, ldc)
		return
	}
	// 2-D grid of threads: split the dimension with the more micro-tiles
	tn := 1
	tm := threads
	bestw := 1 << 62
	for d := 1; d <= threads; d++ {
		if threads%d != 0 {
			continue
		}
		ms := (m + d - 1) / d
		ns := (n + threads/d - 1) / (threads / d)
		w := ((ms+kn.mr-1)/kn.mr)*kn.mr*((ns+kn.nr-1)/kn.nr)*kn.nr*8 + (ms+ns)*64
		if w < bestw {
			bestw, tm, tn = w, d, threads/d
		}
	}
	cut := func(total, unit, parts, i int) int {
		u := (total + unit - 1) / unit
		x := u * i / parts * unit
		if x > total {
			x = total
		}
		return x
	}
	var wg sync.WaitGroup
	for i := 0; i < tm; i++ {
		for j := 0; j < tn; j++ {
			m0, m1 := cut(m, kn.mr, tm, i), cut(m, kn.mr, tm, i+1)
			n0, n1 := cut(n, kn.nr, tn, j), cut(n, kn.nr, tn, j+1)
			if m0 == m1 || n0 == n1 {
				continue
			}
			aa, bb := a, b
			if tA {
				aa = a[m0:]
			} else {
				aa = a[m0*lda:]
			}
			if tB {
				bb = b[n0*ldb:]
			} else {
				bb = b[n0:]
			}
			cc := c[m0*ldc+n0:]
			wg.Add(1)
			go func() {
				sgemm(kn, tA, tB, m1-m0, n1-n0, k, aa, lda, bb, ldb, acc, cc, ldc)
				wg.Done()
			}()
		}
	}
	wg.Wait()
}

func blk(total, max, unit int) int { // balanced block size
	if total <= max {
		return total
	}
	nb := (total + max - 1) / max
	x := (total + nb - 1) / nb
	return (x + unit - 1) / unit * unit
}

func sgemm(kn *kernel, tA, tB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, acc bool, c []float32, ldc int) {
	mr, nr := kn.mr, kn.nr
	bf := pool.Get().(*buf)
	defer pool.Put(bf)
	MC, NC, KC := blk(m, kn.mc, mr), blk(n, kn.nc, nr), blk(k, kn.kc, 4)
	t := grow(&bf.t, mr*nr)
	for jc := 0; jc < n; jc += NC {
		nc := min(NC, n-jc)
		np := (nc + nr - 1) / nr
		for pc := 0; pc < k; pc += KC {
			kc := min(KC, k-pc)
			bp := grow(&bf.b, np*kc*nr+256)
			if tB {
				packT(bp, b[jc*ldb+pc:], ldb, nc, kc, nr)
			} else {
				packN(bp, b[pc*ldb+jc:], ldb, nc, kc, nr)
			}
			ac := 0
			if acc || pc > 0 {
				ac = 1
			}
			for ic := 0; ic < m; ic += MC {
				mc := min(MC, m-ic)
				mp := (mc + mr - 1) / mr
				ap := grow(&bf.a, mp*kc*mr)
				if tA {
					packN(ap, a[pc*lda+ic:], lda, mc, kc, mr)
				} else {
					packT(ap, a[ic*lda+pc:], lda, mc, kc, mr)
				}
				for jp := 0; jp < np; jp++ {
					bq := &bp[jp*kc*nr]
					jw := min(nr, nc-jp*nr)
					for ip := 0; ip < mp; ip++ {
						iw := min(mr, mc-ip*mr)
						aq := &ap[ip*kc*mr]
						off := (ic+ip*mr)*ldc + jc + jp*nr
						if iw == mr && jw == nr {
							kn.run(kc, aq, bq, &c[off], ldc, ac)
							continue
						}
						kn.run(kc, aq, bq, &t[0], nr, 0)
						for i := 0; i < iw; i++ {
							cr := c[off+i*ldc : off+i*ldc+jw]
							tr := t[i*nr : i*nr+jw]
							if ac != 0 {
								for j, v := range tr {
									cr[j] += v
								}
							} else {
								copy(cr, tr)
							}
						}
					}
				}
			}
		}
	}
}

// packN packs a k x w row-major block (source rows are along k) into panels of u columns.
func packN(dst, src []float32, ld, w, k, u int) {
	for j := 0; j < w; j += u {
		cw := min(u, w-j)
		d := dst[j*k:]
		if cw == u {
			for p := 0; p < k; p++ {
				copy(d[p*u:p*u+u], src[p*ld+j:p*ld+j+u])
			}
			continue
		}
		for p := 0; p < k; p++ {
			dd := d[p*u : p*u+u]
			copy(dd, src[p*ld+j:p*ld+j+cw])
			clear(dd[cw:])
		}
	}
}

// packT packs a w x k row-major block (k contiguous) into panels of u rows, transposing.
func packT(dst, src []float32, ld, w, k, u int) {
	for j := 0; j < w; j += u {
		cw := min(u, w-j)
		d := dst[j*k : j*k+u*k]
		if cw < u {
			clear(d)
		}
		i := 0
		if packT8 != nil && k >= 8 {
			for ; i+8 <= cw; i += 8 {
				k8 := k &^ 7
				packT8(&d[i], &src[(j+i)*ld], ld, k8, u)
				for p := k8; p < k; p++ {
					for q := 0; q < 8; q++ {
						d[p*u+i+q] = src[(j+i+q)*ld+p]
					}
				}
			}
		}
		for ; i+4 <= cw; i += 4 {
			r := (j + i) * ld
			s0, s1, s2, s3 := src[r:r+k], src[r+ld:r+ld+k], src[r+2*ld:r+2*ld+k], src[r+3*ld:r+3*ld+k]
			q := unsafe.Pointer(&d[i])
			for p := 0; p < k; p++ {
				v := (*[4]float32)(q)
				v[0], v[1], v[2], v[3] = s0[p], s1[p], s2[p], s3[p]
				q = unsafe.Add(q, u*4)
			}
		}
		for ; i < cw; i++ {
			s := src[(j+i)*ld : (j+i)*ld+k]
			for p, v := range s {
				d[p*u+i] = v
			}
		}
	}
}

// Multiply computes C = op(A) op(B), or C += op(A) op(B) with accumulate, row-major; op(A) is m x k, op(B) is k x n.
// It uses up to runtime.GOMAXPROCS(0) goroutines; the result does not depend on their number.
func Multiply(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int) {
	Sgemm(runtime.GOMAXPROCS(0), transA, transB, m, n, k, a, lda, b, ldb, accumulate, c, ldc)
}

// MultiplySerial is Multiply on the calling goroutine alone, for callers that are themselves one of several.
func MultiplySerial(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int) {
	Sgemm(1, transA, transB, m, n, k, a, lda, b, ldb, accumulate, c, ldc)
}
