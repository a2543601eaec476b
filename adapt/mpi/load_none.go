//go:build !mpi || !linux

package mpi

import (
	"fmt"
	"time"
)

// Built says whether this binary can load MPI.
const Built = false

func sleep(d time.Duration) { time.Sleep(d) }

func load() (*library, error) {
	return nil, fmt.Errorf("%w: build it on Linux with `CGO_ENABLED=0 go build -tags mpi ./cmd/syncretic`", ErrNotBuilt)
}
