// Command amd64 writes the AVX-512 and AVX2 micro-kernels of package gemm,
// and the 8x8 transposition that packs B. Run it with "go generate" in the
// package's folder.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// vector is an instruction set's vector registers, and how one is moved, as number
// vec of a row, where only some lanes of the row may be touched.
type vector struct {
	bytes int
	regs  []Register
	load  func(src Mem, vec int, dst Register)
	store func(src Register, vec int, dst Mem)
	zero  func(r Register)
}

// ymm are the AVX2 registers.
var ymm = []Register{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

// zmm are the AVX-512 registers.
var zmm = []Register{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}

// clear256 and clear512 set a register to zero. VXORPS of ZMM registers would need AVX512DQ.
func clear256(r Register) { VXORPS(r, r, r) }
func clear512(r Register) { VPXORD(r, r, r) }

func main() {
	ConstraintExpr("amd64")
	for _, vecs := range []int{1, 2} {
		for rows := 1; rows <= 14; rows++ {
			tile512(rows, vecs)
		}
	}
	for rows := 1; rows <= 14; rows++ {
		packed(rows, "avx512", vector{bytes: 64, regs: zmm, zero: clear512})
	}
	lanes := laneMasks()
	for rows := 1; rows <= 6; rows++ {
		tile256(rows, 1, true, lanes)
		tile256(rows, 2, true, lanes)
		tile256(rows, 2, false, lanes)
		packed(rows, "avx2", vector{bytes: 32, regs: ymm, zero: clear256})
	}
	transpose8()
	for _, vecs := range []int{1, 2, 4} {
		copyPanels(vecs)
	}
	Generate()
}

// tile512 emits a tile of up to 14 rows and one or two ZMM vectors: at most 28
// accumulators, 2 registers of B and 2 of A. Masks K1 and K2 select the columns.
func tile512(rows, vecs int) {
	TEXT(fmt.Sprintf("tile%dx%davx512", rows, 16*vecs), NOSPLIT, signature)
	Doc(fmt.Sprintf("tile%dx%davx512 is a tile of %d rows and up to %d columns.", rows, 16*vecs, rows, 16*vecs))
	Pragma("noescape")
	masks := []Register{K1, K2}[:vecs]
	shift := RCX
	Load(Param("cols"), shift)
	mask := GP64()
	MOVQ(U32(1), mask)
	SHLQ(CL, mask)
	DECQ(mask)
	KMOVW(mask.As32(), masks[0])
	if vecs == 2 {
		SHRQ(U8(16), mask)
		KMOVW(mask.As32(), masks[1])
	}
	tile(rows, vecs, vector{
		bytes: 64,
		regs:  zmm,
		load:  func(src Mem, vec int, dst Register) { VMOVUPS_Z(src, masks[vec], dst) },
		store: func(src Register, vec int, dst Mem) { VMOVUPS(src, masks[vec], dst) },
		zero:  clear512,
	})
}

// tile256 emits a tile of up to 6 rows and one or two YMM vectors: at most 12
// accumulators, 2 registers of B and 2 of A. A masked tile takes up to its width
// of columns; its last vector is masked, and the mask is kept in memory, because
// all 16 registers are in use.
func tile256(rows, vecs int, masked bool, lanes Mem) {
	name := fmt.Sprintf("tile%dx%davx2", rows, 8*vecs)
	text := fmt.Sprintf(" is a tile of %d rows and exactly %d columns.", rows, 8*vecs)
	if masked {
		name += "masked"
		text = fmt.Sprintf(" is a tile of %d rows and %d to %d columns.", rows, 8*vecs-7, 8*vecs)
	}
	TEXT(name, NOSPLIT, signature)
	Doc(name + text)
	Pragma("noescape")
	set := vector{
		bytes: 32,
		regs:  ymm,
		load:  func(src Mem, vec int, dst Register) { VMOVUPS(src, dst) },
		store: func(src Register, vec int, dst Mem) { VMOVUPS(src, dst) },
		zero:  clear256,
	}
	if masked {
		address, cols := GP64(), GP64()
		LEAQ(lanes, address)
		Load(Param("cols"), cols)
		SHLQ(U8(2), cols)
		SUBQ(cols, address)
		mask := Mem{Base: address, Disp: 32 * vecs}
		set.load = func(src Mem, vec int, dst Register) {
			if vec < vecs-1 {
				VMOVUPS(src, dst)
				return
			}
			VMOVUPS(mask, dst)
			VMASKMOVPS(src, dst, dst)
		}
		set.store = func(src Register, vec int, dst Mem) {
			if vec < vecs-1 {
				VMOVUPS(src, dst)
				return
			}
			VMOVUPS(mask, Y3) // a register of A, free once the sums are complete
			VMASKMOVPS(src, Y3, dst)
		}
	}
	tile(rows, vecs, set)
}

const signature = "func(kc int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, ldc, cols, acc int)"

// tile emits the body that both instruction sets share:
//
//	for p := range kc { for i, j: sum[i][j] += a[i*aRow+p*aCol] * b[p*bRow+j] }
//	c[i*ldc+j] = sum[i][j], or += with acc
//
// Rows of A are addressed by threes, as base, base+aRow and base+2*aRow.
func tile(rows, vecs int, set vector) {
	bReg, aReg := set.regs[:2], set.regs[2:4]
	sum := func(i, v int) Register { return set.regs[4+i*vecs+v] }

	kc := Load(Param("kc"), GP64())
	aRow, aCol := Load(Param("aRow"), GP64()), Load(Param("aCol"), GP64())
	SHLQ(U8(2), aRow)
	SHLQ(U8(2), aCol)
	bases := []Register{Load(Param("a"), GP64())}
	for i := 3; i < rows; i += 3 {
		base := GP64()
		LEAQ(Mem{Base: bases[len(bases)-1], Index: aRow, Scale: 2}, base)
		ADDQ(aRow, base)
		bases = append(bases, base)
	}
	b, bRow := Load(Param("b"), GP64()), Load(Param("bRow"), GP64())
	SHLQ(U8(2), bRow)
	for i := range rows {
		for v := range vecs {
			set.zero(sum(i, v))
		}
	}
	prefetchRows(rows, vecs, set.bytes)

	Label("loop")
	for v := range vecs {
		set.load(Mem{Base: b, Disp: v * set.bytes}, v, bReg[v])
	}
	for i := range rows {
		x := aReg[i%2]
		at := Mem{Base: bases[i/3]}
		if i%3 > 0 {
			at.Index, at.Scale = aRow, uint8(i%3)
		}
		VBROADCASTSS(at, x)
		for v := range vecs {
			VFMADD231PS(bReg[v], x, sum(i, v))
		}
	}
	for v := 0; v < vecs; v += 64 / set.bytes { // eight rows ahead, a cache line each; beyond the end it does no harm
		PREFETCHT0(Mem{Base: b, Index: bRow, Scale: 8, Disp: v * set.bytes})
	}
	for _, base := range bases {
		ADDQ(aCol, base)
	}
	ADDQ(bRow, b)
	DECQ(kc)
	JNZ(LabelRef("loop"))

	c, ldc := Load(Param("c"), GP64()), Load(Param("ldc"), GP64())
	SHLQ(U8(2), ldc)
	acc := Load(Param("acc"), GP64())
	TESTQ(acc, acc)
	JZ(LabelRef("store"))
	row := GP64()
	MOVQ(c, row)
	for i := range rows {
		for v := range vecs {
			set.load(Mem{Base: row, Disp: v * set.bytes}, v, bReg[v])
			VADDPS(bReg[v], sum(i, v), sum(i, v))
		}
		if i < rows-1 {
			ADDQ(ldc, row)
		}
	}
	Label("store")
	for i := range rows {
		for v := range vecs {
			set.store(sum(i, v), v, Mem{Base: c, Disp: v * set.bytes})
		}
		if i < rows-1 {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
}

// packed emits a tile of as many rows as tile512 or tile256 and two whole vectors, over packed operands; of set it uses
// no load and no store. With fixed strides it takes four turns at a time, without an instruction for addresses. The sums
// are those of tile.
func packed(rows int, suffix string, set vector) {
	const turns, vecs = 4, 2
	width := vecs * set.bytes // of a row of B
	name := fmt.Sprintf("packed%dx%d%s", rows, width/4, suffix)
	TEXT(name, NOSPLIT, "func(kc int, a, b, c *float32, ldc, acc int)")
	Doc(fmt.Sprintf("%s is a tile of %d rows and %d columns of packed operands.", name, rows, width/4))
	Pragma("noescape")
	bReg, aReg := set.regs[:vecs], set.regs[2:4]
	sum := func(i, v int) Register { return set.regs[4+i*vecs+v] }
	kc, a, b := Load(Param("kc"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	for i := range rows {
		for v := range vecs {
			set.zero(sum(i, v))
		}
	}
	prefetchRows(rows, vecs, set.bytes)
	step := func(n int) {
		for u := range n {
			for v := range vecs {
				VMOVUPS(Mem{Base: b, Disp: width*u + set.bytes*v}, bReg[v])
			}
			for i := range rows {
				x := aReg[i%2]
				VBROADCASTSS(Mem{Base: a, Disp: 4 * (rows*u + i)}, x)
				for v := range vecs {
					VFMADD231PS(bReg[v], x, sum(i, v))
				}
			}
		}
		if bytes := 4 * rows * n; bytes < 128 { // an immediate of 8 bits is signed
			ADDQ(U8(bytes), a)
		} else {
			ADDQ(I32(bytes), a)
		}
		ADDQ(I32(width*n), b)
	}
	SUBQ(U8(turns), kc)
	JLT(LabelRef("rest"))
	Label("loop")
	step(turns)
	SUBQ(U8(turns), kc)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(U8(turns), kc)
	JZ(LabelRef("sums"))
	Label("single")
	step(1)
	DECQ(kc)
	JNZ(LabelRef("single"))

	Label("sums")
	c, ldc := Load(Param("c"), GP64()), Load(Param("ldc"), GP64())
	SHLQ(U8(2), ldc)
	acc := Load(Param("acc"), GP64())
	TESTQ(acc, acc)
	JZ(LabelRef("store"))
	row := GP64()
	MOVQ(c, row)
	for i := range rows {
		for v := range vecs {
			VADDPS(Mem{Base: row, Disp: set.bytes * v}, sum(i, v), sum(i, v))
		}
		if i < rows-1 {
			ADDQ(ldc, row)
		}
	}
	Label("store")
	for i := range rows {
		for v := range vecs {
			VMOVUPS(sum(i, v), Mem{Base: c, Disp: set.bytes * v})
		}
		if i < rows-1 {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
}

// prefetchRows fetches the tile of C while the sums run.
func prefetchRows(rows, vecs, bytes int) {
	row, stride := Load(Param("c"), GP64()), Load(Param("ldc"), GP64())
	SHLQ(U8(2), stride)
	for i := range rows {
		for v := range vecs {
			PREFETCHT0(Mem{Base: row, Disp: v * bytes})
		}
		if i < rows-1 {
			ADDQ(stride, row)
		}
	}
}

// laneMasks declares 8 words of ones and 8 of zeros: 32 bytes from word 8-n on
// are a mask of n lanes.
func laneMasks() Mem {
	table := GLOBL("lanemasks", RODATA|NOPTR)
	for i := range 16 {
		value := U32(0)
		if i < 8 {
			value = ^value
		}
		DATA(4*i, value)
	}
	return table
}

// transpose8 emits the inner loop of packing B: 8 rows of src become 8 columns
// of dst, 8 source columns a turn.
func transpose8() {
	TEXT("transpose8avx2", NOSPLIT, "func(dst *float32, dstRow int, src *float32, srcRow, turns int)")
	Doc("transpose8avx2 sets dst[p*dstRow+i] to src[i*srcRow+p], for i < 8 and p < 8*turns; turns > 0.")
	Pragma("noescape")
	dst, dstRow := Load(Param("dst"), GP64()), Load(Param("dstRow"), GP64())
	src, srcRow := Load(Param("src"), GP64()), Load(Param("srcRow"), GP64())
	turns := Load(Param("turns"), GP64())
	SHLQ(U8(2), dstRow)
	SHLQ(U8(2), srcRow)
	src3, dst3 := GP64(), GP64()
	LEAQ(Mem{Base: srcRow, Index: srcRow, Scale: 2}, src3)
	LEAQ(Mem{Base: dstRow, Index: dstRow, Scale: 2}, dst3)
	rowOf := func(base, stride, stride3 Register, i, disp int) Mem {
		switch i {
		case 0:
			return Mem{Base: base, Disp: disp}
		case 3:
			return Mem{Base: base, Index: stride3, Scale: 1, Disp: disp}
		}
		return Mem{Base: base, Index: stride, Scale: uint8(i), Disp: disp}
	}
	high := GP64()

	Label("loop")
	LEAQ(Mem{Base: src, Index: srcRow, Scale: 4}, high)
	for half := range 2 {
		in := []VecVirtual{YMM(), YMM(), YMM(), YMM()}
		for i, y := range in { // rows i and i+4, four columns each
			VMOVUPS(rowOf(src, srcRow, src3, i, 16*half), y.AsX())
			VINSERTF128(U8(1), rowOf(high, srcRow, src3, i, 16*half), y, y)
		}
		low01, high01, low23, high23 := YMM(), YMM(), YMM(), YMM()
		VUNPCKLPS(in[1], in[0], low01)
		VUNPCKHPS(in[1], in[0], high01)
		VUNPCKLPS(in[3], in[2], low23)
		VUNPCKHPS(in[3], in[2], high23)
		for i := range 4 {
			pair01, pair23, order := low01, low23, U8(0x44)
			if i >= 2 {
				pair01, pair23 = high01, high23
			}
			if i%2 == 1 {
				order = U8(0xEE)
			}
			out := YMM()
			VSHUFPS(order, pair23, pair01, out)
			VMOVUPS(out, rowOf(dst, dstRow, dst3, i, 0))
		}
		LEAQ(Mem{Base: dst, Index: dstRow, Scale: 4}, dst)
	}
	ADDQ(U8(32), src)
	DECQ(turns)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// copyPanels emits the inner loops of packing rows: row after row of src is dealt out to panels.
func copyPanels(vecs int) {
	name := fmt.Sprintf("copy%dpanels", 8*vecs)
	TEXT(name, NOSPLIT, "func(dst *float32, dstPanel, dstRow int, src *float32, srcPanel, srcRow, rows, panels int)")
	Doc(fmt.Sprintf("%s sets dst[q*dstPanel+p*dstRow+i] to src[q*srcPanel+p*srcRow+i], for i < %d, q < panels and p < rows, in the", name, 8*vecs),
		"order of p, then q, then i; rows and panels > 0.")
	Pragma("noescape")
	dst, dstPanel, dstRow := Load(Param("dst"), GP64()), Load(Param("dstPanel"), GP64()), Load(Param("dstRow"), GP64())
	src, srcPanel, srcRow := Load(Param("src"), GP64()), Load(Param("srcPanel"), GP64()), Load(Param("srcRow"), GP64())
	rows, panels := Load(Param("rows"), GP64()), Load(Param("panels"), GP64())
	for _, stride := range []Register{dstPanel, dstRow, srcPanel, srcRow} {
		SHLQ(U8(2), stride)
	}
	from, to, left := GP64(), GP64(), GP64()
	Label("row")
	MOVQ(src, from)
	MOVQ(dst, to)
	MOVQ(panels, left)
	Label("panel")
	for v := range vecs {
		VMOVUPS(Mem{Base: from, Disp: 32 * v}, ymm[v])
	}
	for v := range vecs {
		VMOVUPS(ymm[v], Mem{Base: to, Disp: 32 * v})
	}
	ADDQ(srcPanel, from)
	ADDQ(dstPanel, to)
	DECQ(left)
	JNZ(LabelRef("panel"))
	ADDQ(srcRow, src)
	ADDQ(dstRow, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}
