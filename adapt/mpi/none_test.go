//go:build !mpi || !linux

package mpi

import (
	"errors"
	"strings"
	"testing"
)

func TestJoinSaysHowToBuildIt(t *testing.T) {
	if _, err := Join(); !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "go build -tags mpi ./cmd/syncretic") || Built {
		t.Errorf("got %v, Built %v", err, Built)
	}
}
