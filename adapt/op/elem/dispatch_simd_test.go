//go:build (amd64 || arm64) && !purego

package elem

import (
	"testing"

	"syncretic/adapt/kernel"
)

func TestChoice(t *testing.T) {
	for set, want := range map[kernel.Set]bool{kernel.AVX512: true, kernel.AVX2: true, kernel.NEON: true, kernel.Portable: false} {
		if set == kernel.InUse() && useSIMD() != want {
			t.Errorf("with the %s kernels chosen, hand-written ones in use: %t, want %t", set, useSIMD(), want)
		}
	}
}
