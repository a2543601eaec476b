//go:build !amd64 && !arm64

package gemm

// native returns no kernel: this architecture has none of its own.
func native() []*Kernel { return nil }
