package mpi

import (
	"errors"
	"fmt"
	"os"
	"strconv"
)

var (
	// ErrNotBuilt is Join's error in a binary without MPI.
	ErrNotBuilt = errors.New("this binary was built without MPI")
	// ErrLibrary marks an MPI library that is missing or that is not what this package can talk to.
	ErrLibrary = errors.New("no usable MPI library")
	// ErrLaunch marks processes that do not know of each other.
	ErrLaunch = errors.New("the processes are not one MPI job")
)

// Processes is how many processes the environment says that Open MPI's mpirun started, 1 where it did not. It looks at the
// environment alone, in any build.
func Processes(getenv func(string) string) int { return number(getenv("OMPI_COMM_WORLD_SIZE")) }

// launched is how many processes were started together by mpirun or, with or without MPI, by a step of Slurm's srun.
func launched(getenv func(string) string) int {
	return max(Processes(getenv), number(getenv("SLURM_STEP_NUM_TASKS")))
}

// number is a positive count in the environment; 1 where there is none.
func number(text string) int {
	if n, err := strconv.Atoi(text); err == nil && n > 1 {
		return n
	}
	return 1
}

// Join initialises MPI and returns the group of all processes of the job. It may be called once in a process. Errors wrap
// ErrNotBuilt, ErrLibrary or ErrLaunch; those of the library itself have its text. A process that was started alone is a
// group of one.
func Join() (*Group, error) { return join(load, os.Getenv) }

func join(load func() (*library, error), getenv func(string) string) (*Group, error) {
	lib, err := load()
	if err != nil {
		return nil, err
	}
	if n := launched(getenv); n > 1 && getenv("PMIX_RANK") == "" && getenv("PMI_RANK") == "" { // Open MPI would end the process
		return nil, fmt.Errorf("%w: %d were started without a way to find each other: start them with mpirun, or with srun --mpi=pmix", ErrLaunch, n)
	}
	g := &Group{lib: lib, calls: make(chan func())}
	go g.serve()
	if err := g.do(g.initialise); err != nil {
		close(g.calls)
		return nil, err
	}
	if n := launched(getenv); n > 1 && g.size == 1 {
		return nil, errors.Join(fmt.Errorf("%w: %d were started, and each finds itself alone: start them with the mpirun or the PMIx of this library, %s",
			ErrLaunch, n, lib.version), g.Close())
	}
	return g, nil
}
