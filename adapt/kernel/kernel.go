// Package kernel chooses the set of hand-written kernels that adapt/gemm,
// adapt/op/elem and adapt/optim compute with: the best that this CPU has, or the
// one that the environment variable SYNCRETIC_KERNEL names. (The optimiser's are
// AVX2 or Go.)
//
//	set        CPU                    adapt/gemm      adapt/op/elem
//	avx512     amd64 with AVX-512F    avx512-14x32    the AVX2 kernels
//	avx2       amd64 with AVX2, FMA   avx2-6x16       AVX2
//	neon       arm64                  neon-6x16       NEON
//	portable   any                    portable        Go
//
// [InUse] is the set of this process, for reports; [Allowed] is what packages of
// kernels ask; [Choose] is for programs, which refuse a wrong name before they
// compute anything. All but the portable set give the same bits.
package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// Variable is the environment variable that names the set to use.
const Variable = "SYNCRETIC_KERNEL"

// Set names the kernels for one extension of a processor's instructions.
type Set string

// The sets there are.
const (
	AVX512   Set = "avx512"
	AVX2     Set = "avx2"
	NEON     Set = "neon"
	Portable Set = "portable"
)

// Usable returns the sets that this CPU can run, best first; the last is Portable.
func Usable() []Set { return append(native(), Portable) }

// Choose returns the set with that name, or the best for "". It is an error if no
// set has the name, or if this CPU cannot run it: the text names [Variable] and
// the sets that are usable.
func Choose(name string) (Set, error) { return choose(name, Usable()) }

func choose(name string, usable []Set) (Set, error) {
	if name == "" {
		return usable[0], nil
	}
	if set := Set(name); slices.Contains(usable, set) {
		return set, nil
	}
	what := "no such kernels"
	if slices.Contains([]Set{AVX512, AVX2, NEON, Portable}, Set(name)) {
		what = "this CPU cannot run these kernels"
	}
	names := make([]string, len(usable))
	for i, set := range usable {
		names[i] = string(set)
	}
	return "", fmt.Errorf("%s=%q: %s; usable here: %s", Variable, name, what, strings.Join(names, ", "))
}

// InUse returns the set that this process computes with: the one that [Variable]
// names when InUse or Allowed is first called, whatever happens to it later.
// Where Choose has an error for it, that is the best set: a library has nobody to
// tell.
func InUse() Set { return inUse() }

var inUse = sync.OnceValue(func() Set {
	set, err := Choose(os.Getenv(Variable))
	if err != nil {
		return Usable()[0]
	}
	return set
})

// Allowed reports whether this process may run kernels of that set: the one in
// use, and what the same CPU has below it, which serve where the set in use has no
// kernel of its own.
func Allowed(set Set) bool { return allowed(set, InUse(), Usable()) }

func allowed(set, inUse Set, usable []Set) bool {
	i := slices.Index(usable, set)
	return i >= slices.Index(usable, inUse) && i >= 0
}
