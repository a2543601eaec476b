// Package mpi joins the processes that mpirun or srun has started to an adapt.Group, for training one model on several
// machines.
//
//	group, err := mpi.Join()      // in every process; group.Rank() tells them apart
//	run, err := adapt.Opening{Group: group}.Open(ctx, cfg)
//	err = run.Train(ctx, out, adapt.Options{})
//	err = group.Close()           // waits for the others
//
// [Join] and [Processes] are the way in, [Group] what comes of it.
//
// The library is Open MPI's, loaded when [Join] is called and not linked, in builds with the tag mpi on Linux ([Built]):
//
//	CGO_ENABLED=0 go build -tags mpi ./cmd/syncretic
//
// Without the tag [Join] returns [ErrNotBuilt] and the binary is static; with it the dynamic loader of the C library is
// needed, whether or not Join is called. MPI itself is needed only where Join is called.
//
// All calls into the library come from one system thread, so MPI_THREAD_FUNNELED, which Open MPI always gives, is enough.
// Sums and broadcasts are begun without blocking and then asked for, in between with pauses, a sixteenth of the time waited
// so far each and a millisecond at most: a process that waits for another leaves its cores to whoever computes.
//
// What was run: Open MPI 4.1.4 of Debian 12 on amd64, two to four processes on one machine, started by mpirun and by Slurm
// 22.05's srun --mpi=pmix. Not run: several machines, arm64, Open MPI 5.
package mpi
