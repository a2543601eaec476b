// Command gen writes the AVX2 kernels of package elem: kernels_amd64.s and the
// declarations beside it. It is a module of its own, so that the toolkit does not
// depend on the assembler it is built with. Run it by `go generate` in elem, and
// after it gen/neon, which has the same kernels for arm64.
package main

import (
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("!purego")
	maps()
	reductions()
	normal()
	softmax()
	columns()
	filters()
	recurrent()
	drop()
	Generate()
}
