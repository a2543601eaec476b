package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// numbered sends n windows, each with its number as its only sample.
func numbered(n int) <-chan window {
	ch := make(chan window)
	go func() {
		defer close(ch)
		for i := range n {
			ch <- window{samples: []float32{float32(i)}}
		}
	}()
	return ch
}

// Results come in the order of the windows, whichever is done first, and no more are under way than there are slots.
func TestInOrder(t *testing.T) {
	slots := make(chan struct{}, 3)
	rng := rand.New(rand.NewPCG(1, 2))
	delays := make([]time.Duration, 50)
	for i := range delays {
		delays[i] = time.Duration(rng.IntN(500)) * time.Microsecond
	}
	next := 0
	for r := range inOrder(t.Context(), numbered(len(delays)), slots, func(samples []float32) ([][]float32, error) {
		time.Sleep(delays[int(samples[0])])
		if len(slots) > cap(slots) {
			return nil, errors.New("more under way than slots")
		}
		return [][]float32{samples}, nil
	}) {
		if r.err != nil || r.states[0][0] != float32(next) {
			t.Fatalf("result %d: %v, %v", next, r.states, r.err)
		}
		next++
	}
	if next != len(delays) || len(slots) != 0 {
		t.Errorf("%d results, want %d; %d slots are still held", next, len(delays), len(slots))
	}
}

// After an error nothing is under way any more when the loop has ended, and all slots are free.
func TestInOrderStops(t *testing.T) {
	slots := make(chan struct{}, 2)
	windows, running := numbered(20), 0
	for r := range inOrder(t.Context(), windows, slots, func(samples []float32) ([][]float32, error) {
		if samples[0] == 3 {
			return nil, fmt.Errorf("window %g", samples[0])
		}
		return [][]float32{samples}, nil
	}) {
		if r.err != nil {
			break
		}
		running++
	}
	if running != 3 || len(slots) != 0 {
		t.Errorf("the error came after %d windows, want 3; %d slots are held", running, len(slots))
	}
	for range windows { // what its sender still has
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	windows = numbered(3)
	for r := range inOrder(ctx, windows, slots, func(samples []float32) ([][]float32, error) { return nil, nil }) {
		last = r.err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("after an interruption: %v, want %v", last, context.Canceled)
	}
	for range windows {
	}
}
