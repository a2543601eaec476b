package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/adapt/gemm"
	"syncretic/adapt/kernel"
	"syncretic/adapt/mpi"
)

// release is the version of the source; the build's revision is added where it is known.
const release = "0.1.0"

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return release + "+" + s.Value[:12]
		}
	}
	return release
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version and what this machine can use",
		Example: "  syncretic version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version    string       `json:"version"`
				Go         string       `json:"go"`
				System     string       `json:"system"`
				KernelSet  kernel.Set   `json:"kernel_set"`  // in use
				KernelSets []kernel.Set `json:"kernel_sets"` // that SYNCRETIC_KERNEL can name here
				Kernels    []string     `json:"kernels"`     // of matrices, within the set in use
				MPI        bool         `json:"mpi"`         // can be loaded by this build
			}{version(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, kernel.InUse(), kernel.Usable(), gemm.Kernels(), mpi.Built}
			with := ""
			if v.MPI {
				with = "; with MPI"
			}
			return a.result(v, fmt.Sprintf("syncretic %s (%s, %s; kernels: %s; matrix kernels, best first: %s%s)\n",
				v.Version, v.Go, v.System, v.KernelSet, strings.Join(v.Kernels, ", "), with))
		},
	}
}
