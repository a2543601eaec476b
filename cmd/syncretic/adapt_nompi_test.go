//go:build !mpi || !linux

package main

import "testing"

func TestAdaptWithoutMPI(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.refuse([]refusal{{"a build without MPI", "adapt tiny.yml out --mpi", exitUsage, "this binary was built without MPI: build it on Linux with", "without --mpi one process trains alone"}})
	if w.result("version")["mpi"] != false {
		t.Error("version says that MPI is built in")
	}
}
