// Package gemm multiplies float32 matrices in row-major order, close to what the
// processor's vector units can do, without cgo.
//
// [Multiply] computes C = op(A)·op(B) or adds to C, on all cores; [MultiplySerial]
// does so on the calling goroutine. Shapes, strides and preconditions are
// described there. [Kernels] and [Named] give each instruction set's kernel, for
// tests and benchmarks.
//
// # Scheme
//
// The loops are those of BLIS (Van Zee and van de Geijn 2015), after Goto and van
// de Geijn (2008), around micro-kernels that keep a tile of C in registers:
//
//	      n in blocks of nc                      k in blocks of kc
//	    ┌────┬────┬────┬──┐                     ┌─────────┬────────┐
//	    │    │ B  │panel  │ kc rows         m   │ A block │        │ mc rows,
//	    └────┴────┴────┴──┘                  in ├─────────┼────────┤ in tiles of
//	       ↓ cols wide                   blocks │         │        │ up to `rows`
//	    ┌────┬────┬────┬──┐              of mc  └─────────┴────────┘
//	    │    │tile│    │  │ rows
//	    ├────┼────┼────┼──┤           for each nc columns of C           (L3)
//	C   │    │    │    │  │             for each kc of k                 (pack B)
//	    └────┴────┴────┴──┘               for each mc rows              (copy A, L2)
//	                                        for each panel of cols      (L1)
//	                                          for each tile of rows: the micro-kernel
//
//	kernel         rows x cols    kc    mc    nc    of
//	avx512-14x32     14 x 32     256   336  4096    28 of 32 ZMM registers for the tile
//	avx2-6x16         6 x 16     256   192  4096    12 of 16 YMM
//	neon-6x16         6 x 16     256   192  4096    24 of 32 V
//	portable          4 x 4      256   128  3072    two rows at a time: 8 of 16
//
// A panel, kc x cols, is read once a tile and should be found in L1 or just
// behind it; a block of A, mc x kc, takes a third of an L2 cache of 1 MiB; a block
// of B, kc x nc, 4 MiB of L3.
//
// Micro-kernels take operands with any strides, and exist for every height up to
// the largest. So a block of m rows is cut into tiles of almost equal heights, and
// nothing is copied that is not worth it:
//
//   - B is packed when transposed, and when more than eight tiles use a panel.
//     Packed, panel q begins at q·kc·cols and holds row p at p·cols.
//   - A is copied, as it lies, when more than six panels use it, or when rows that
//     are a multiple of 1 KiB apart would contend for the same cache sets. Rows of
//     the copy are an odd number of cache lines apart.
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
// A running goroutine holds up to 4.5 MiB of packed blocks, typically far less.
// They go back to a sync.Pool, which the garbage collector empties. No results
// depend on it.
//
// References: F. G. Van Zee and R. A. van de Geijn, BLIS: a framework for rapidly
// instantiating BLAS functionality, ACM TOMS 41(3), 2015. K. Goto and R. A. van de
// Geijn, Anatomy of high-performance matrix multiplication, ACM TOMS 34(3), 2008.
package gemm
