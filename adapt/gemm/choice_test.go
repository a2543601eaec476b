package gemm

import (
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/kernel"
)

// TestChoice: Multiply runs a kernel of the set in use, and no better one is
// within reach.
func TestChoice(t *testing.T) {
	var got, want []string
	for _, name := range Kernels() {
		set, _, _ := strings.Cut(name, "-")
		got = append(got, set)
	}
	for _, set := range kernel.Usable() {
		if kernel.Allowed(set) {
			want = append(want, string(set))
		}
	}
	if !slices.Equal(got, want) || got[0] != string(kernel.InUse()) {
		t.Errorf("kernels of the sets %v, want %v, and %s the first", got, want, kernel.InUse())
	}
}
