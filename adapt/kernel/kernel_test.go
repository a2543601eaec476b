package kernel

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The CPUs that the tests speak of.
var (
	server = []Set{AVX512, AVX2, Portable}
	laptop = []Set{AVX2, Portable}
	arm    = []Set{NEON, Portable}
	other  = []Set{Portable}
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name   string
		usable []Set
		want   Set
		err    string
	}{
		{"", server, AVX512, ""},
		{"", arm, NEON, ""},
		{"", other, Portable, ""},
		{"avx512", server, AVX512, ""},
		{"avx2", server, AVX2, ""},
		{"portable", server, Portable, ""},
		{"neon", arm, NEON, ""},
		{"portable", other, Portable, ""},
		{"avx512", laptop, "", `SYNCRETIC_KERNEL="avx512": this CPU cannot run these kernels; usable here: avx2, portable`},
		{"neon", laptop, "", `SYNCRETIC_KERNEL="neon": this CPU cannot run these kernels; usable here: avx2, portable`},
		{"avx2", other, "", `SYNCRETIC_KERNEL="avx2": this CPU cannot run these kernels; usable here: portable`},
		{"AVX2", laptop, "", `SYNCRETIC_KERNEL="AVX2": no such kernels; usable here: avx2, portable`},
		{" avx2\n", laptop, "", `SYNCRETIC_KERNEL=" avx2\n": no such kernels; usable here: avx2, portable`},
	} {
		got, err := choose(c.name, c.usable)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != c.want || text != c.err {
			t.Errorf("choose(%q, %v) = %q, %q; want %q, %q", c.name, c.usable, got, text, c.want, c.err)
		}
	}
}

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		inUse  Set
		usable []Set
		want   string
	}{
		{AVX512, server, "avx512 avx2 portable"},
		{AVX2, server, "avx2 portable"},
		{Portable, server, "portable"},
		{AVX2, laptop, "avx2 portable"},
		{NEON, arm, "neon portable"},
		{Portable, arm, "portable"},
		{Portable, other, "portable"},
	} {
		var got []string
		for _, set := range []Set{AVX512, AVX2, NEON, Portable} {
			if allowed(set, c.inUse, c.usable) {
				got = append(got, string(set))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("with %s of %v in use, %v are allowed, want %s", c.inUse, c.usable, got, c.want)
		}
	}
}

// TestThisProcess: the environment that the tests run in names a set that is
// there, and is what counts. Without this, a misspelt name would test the best
// set, again.
func TestThisProcess(t *testing.T) {
	want, err := Choose(os.Getenv(Variable))
	if err != nil {
		t.Fatal(err)
	}
	if got := InUse(); got != want || !Allowed(got) || !Allowed(Portable) {
		t.Errorf("in use is %s, want %s; it and the portable set are allowed: %t, %t", got, want, Allowed(got), Allowed(Portable))
	}
	sets := Usable()
	if sets[len(sets)-1] != Portable || !slices.Contains(sets, want) {
		t.Errorf("usable are %v, want %s among them and portable the last", sets, want)
	}
	t.Setenv(Variable, "portable")
	if got := InUse(); got != want {
		t.Errorf("the set changed from %s to %s with the environment", want, got)
	}
}
