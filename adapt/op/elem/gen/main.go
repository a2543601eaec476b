// Command gen writes the AVX2 kernels of package elem: elem_amd64.s and the
// declarations beside it. It is a module of its own, so that the toolkit does not
// depend on the assembler it is built with. Run it by `go generate` in elem.
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
	Generate()
}
