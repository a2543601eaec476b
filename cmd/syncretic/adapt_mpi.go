package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"syncretic/adapt"
	"syncretic/adapt/mpi"
)

// together calls f in every process of an MPI job with --mpi, and with a nil group otherwise.
//
// What became of the job is process 0's to say. The others print nothing and exit with 0 once all have ended, whatever
// happened: mpirun kills the processes that are left when one exits with another code, and process 0 may still be writing.
// Only when the processes cannot talk any more does each speak for itself.
func (a *app) together(cmd *cobra.Command, on bool, f func(g adapt.Group) error) error {
	if !on {
		if n := mpi.Processes(os.Getenv); n > 1 {
			return usageError("mpirun started %d processes, and each of them would train by itself into one output; add --mpi to train together", n)
		}
		return f(nil)
	}
	g, err := mpi.Join()
	if err != nil {
		return err
	}
	stderr := a.stderr
	if g.Rank() > 0 {
		a.quiet, a.stdout, a.stderr = true, io.Discard, io.Discard
	}
	err = f(g)
	if lost := g.Err(); lost != nil {
		a.stderr = stderr
		a.complain(exitFailed, cmd, err)
		return errors.Join(err, g.Close()) // which ends all processes at once
	}
	if err := errors.Join(err, g.Close()); g.Rank() == 0 {
		return err
	}
	return nil
}
