package main

import "testing"

// What mpirun sets, and a build without the tag.
func TestAdaptMPIRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	t.Setenv("OMPI_COMM_WORLD_SIZE", "1")
	w.succeed("adapt tiny.yml alone --quiet")
	t.Setenv("OMPI_COMM_WORLD_SIZE", "4")
	w.refuse([]refusal{{"processes without --mpi", "adapt tiny.yml out", exitUsage, "mpirun started 4 processes", "`syncretic adapt --help`"}})
}
