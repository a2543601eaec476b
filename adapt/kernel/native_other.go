//go:build !amd64 && !arm64

package kernel

// native returns no set: this architecture has no kernels of its own.
func native() []Set { return nil }
