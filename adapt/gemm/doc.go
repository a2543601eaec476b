// Package gemm multiplies float32 matrices in row-major order, as fast as the
// processor's vector units allow, without cgo.
package gemm
