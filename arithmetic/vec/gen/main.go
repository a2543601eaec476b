// Command gen writes the AVX2 kernels of package vec: kernels_amd64.s and the declarations beside it. It is a module of its own,
// so that the toolkit does not depend on the assembler it is built with. Run it by `go generate` in vec.
//
// Every kernel works on a whole number of groups of elements; what is left over at the end is done by the portable code, whose
// results are the same bit for bit.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	elementwise()
	merges()
	magnitudes()
	ranks()
	sums()
	random()
	Generate()
}
