// Package gemm multiplies float32 matrices in row-major order, close to what the
// processor's vector units can do, without cgo.
//
// [Multiply] computes C = op(A)·op(B) or adds to C, on all cores; [MultiplySerial]
// does so on the calling goroutine. Shapes, strides and preconditions are
// described there. [Pack] prepares a matrix that many products share, such as a
// layer's weights; products of a [Packed] matrix also take a bias and a function
// for what is to follow while sums are in the cache. [Kernels] and [Named] give
// each instruction set's kernel, for tests and benchmarks.
//
// # Scheme
//
// Products are cut as in BLIS (Van Zee and van de Geijn 2015), after Goto and van
// de Geijn (2008), around micro-kernels that keep a tile of C in registers, but
// with B packed whole before the rest, and shared:
//
//	    n in chunks of nc                 k in blocks of kc
//	  ┌────┬────┬────┬──┐                ┌─────────┬─────────┐
//	  │    │ B  │panel│ │ kc rows     m  │ strip   │         │ mc rows,
//	  └────┴────┴────┴──┘             in ├─────────┼─────────┤ in tiles of
//	     ↓ cols wide              strips │ of A    │         │ up to `rows`
//	  ┌────┬────┬────┬──┐             of └─────────┴─────────┘
//	  │    │tile│    │  │ rows        mc
//	  ├────┼────┼────┼──┤           pack B, unless it is packed
//	C │    │    │    │  │           for each strip, on all cores       (pack A)
//	  └────┴────┴────┴──┘             for each chunk of columns        (C in L2)
//	                                    for each block of k            (A in L2)
//	                                      for each panel of the chunk  (B in L1)
//	                                        for each tile: the micro-kernel
//	                                    what is to be done with the sums
//
//	kernel         rows x cols    kc    mc    nc    of
//	avx512-14x32     14 x 32     256   112   256    28 of 32 ZMM registers for the tile
//	avx2-6x16         6 x 16     256    96   256    12 of 16 YMM
//	neon-6x16         6 x 16     256    96   256    24 of 32 V
//	portable          4 x 4      256    64   256    two rows at a time: 8 of 16
//
// A panel, kc x cols, is read once a tile and should be found in L1 or just
// behind it. A block of a strip of A and a chunk's part of C are 96 KiB each, so
// that they stay in L2 even where two threads share it. Strips, chunks and panels
// are shared out as goroutines ask for them.
//
// Micro-kernels take operands with any strides, and exist for every height up to
// the largest. So a block of m rows is cut into tiles of almost equal heights, and
// nothing is copied that is not worth it:
//
//   - B is packed when transposed, and when more than eight tiles use a panel:
//     block of k after block of k, in each panel after panel, in each row after
//     row of cols elements.
//   - A is copied when more than six panels use it: block after block, in each
//     tile after tile, in each column after column. The kernels for packed operands
//     (AVX-512, AVX2) know all strides; the AVX2 one is up to a fifth faster than
//     the others, the AVX-512 one has not been timed.
//
// Columns at the right edge are masked (AVX-512, AVX2), copied to a whole panel
// (NEON) or looped over (portable). Narrow tiles of 16 (AVX-512) and 8 columns
// (AVX2) serve what a wide one would half waste.
//
// # Determinism
//
// An element of C is Σ over the blocks of k, in order; within a block one
// accumulator runs over k upwards from 0, and the old C is added to the first
// block's sum. The cuts of k depend on k alone. Hence results are the same bits
// whatever the number of goroutines, and whether a product is computed whole or
// in parts of m and n.
//
// The kernels with fused multiply-add (all but portable) agree bit for bit with
// one another. The portable kernel rounds each product, on every architecture,
// and differs from them in the last places.
//
// # Memory
//
// A product holds up to 16 MiB of packed B, and each of its goroutines a packed
// strip of A, mc·k elements of the part of k that B was packed for.
// They go back to a sync.Pool, which the garbage collector empties. No results
// depend on it.
//
// References: F. G. Van Zee and R. A. van de Geijn, BLIS: a framework for rapidly
// instantiating BLAS functionality, ACM TOMS 41(3), 2015. K. Goto and R. A. van de
// Geijn, Anatomy of high-performance matrix multiplication, ACM TOMS 34(3), 2008.
package gemm
