package main

import (
	"os"
	"strings"
	"testing"

	"syncretic/adapt/kernel"
)

// TestKernelVariable: a name that no kernels have, or none of this CPU, is refused before a verb does anything.
func TestKernelVariable(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	for _, set := range kernel.Usable() {
		t.Setenv(kernel.Variable, string(set))
		w.succeed("version")
	}
	t.Setenv(kernel.Variable, "")
	w.succeed("version")
	foreign := kernel.NEON // no CPU has both
	if kernel.Usable()[0] == kernel.NEON {
		foreign = kernel.AVX2
	}
	before := len(entries(t, "."))
	for value, want := range map[string]string{"fastest": "no such kernels", string(foreign): "this CPU cannot run these kernels"} {
		t.Setenv(kernel.Variable, value)
		want = kernel.Variable + `="` + value + `": ` + want + "; usable here: " + string(kernel.Usable()[0])
		w.refuse([]refusal{
			{value, "version", exitUsage, want, "version --help"},
			{value + ", before anything is written", "vector base tuned out.safetensors", exitUsage, want, "vector --help"},
		})
		if o := w.succeed("version --help"); !strings.Contains(o.stdout, "  "+kernel.Variable+"  avx512, avx2, neon or portable") {
			t.Errorf("the help does not explain the variable: %s", o.stdout)
		}
	}
	if after := len(entries(t, ".")); after != before {
		t.Errorf("%d entries in the folder, want %d as before", after, before)
	}
}

func entries(t *testing.T, dir string) []os.DirEntry {
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
