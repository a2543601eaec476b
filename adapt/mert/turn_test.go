package mert

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nlpodyssey/spago/ag"

	"syncretic/adapt/op"
	"syncretic/adapt/optim"
)

// turnFlag is set by examples/bench/encoder.py: CLIPS,RUNS,TRAIN.
var turnFlag = flag.String("turn", "1,1,false", "for TestTurn: clips of 5 s, runs, and whether to train")

// TestTurn prints what runs over 5 s clips take, for examples/bench/encoder.py. As a test it shows that they run, on a small encoder.
func TestTurn(t *testing.T) {
	var clips, runs int
	var train bool
	if _, err := fmt.Sscanf(strings.ReplaceAll(*turnFlag, ",", " "), "%d %d %t", &clips, &runs, &train); err != nil {
		t.Fatal(err)
	}
	cfg, length := tiny(), 2000
	if set(t, "turn") {
		cfg, length = Base95M(), 5*24000
		cfg.LayerDrop = 0
		debug.SetGCPercent(10) // as the commands do
	}
	e, err := New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	run := e.inferenceTurn(noise(clips*length, 1), clips)
	if train {
		run = e.trainingTurn(noise(clips*length, 1), clips)
	}
	var seconds []float64
	for range runs + 1 {
		start := time.Now()
		if err := run(); err != nil {
			t.Fatal(err)
		}
		seconds = append(seconds, time.Since(start).Seconds())
	}
	out, err := json.Marshal(map[string]any{"seconds": seconds[1:], "memory": peakMiB(t)})
	if err != nil {
		t.Fatal(err)
	}
	if set(t, "turn") {
		fmt.Println(string(out))
	}
}

// set reports whether a flag was given.
func set(t *testing.T, name string) bool {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// inferenceTurn encodes all clips, two at a time, as embed does.
func (e *Encoder) inferenceTurn(samples []float32, clips int) func() error {
	length := len(samples) / clips
	return func() error {
		slots := make(chan struct{}, 2)
		errs := make([]error, clips)
		var wg sync.WaitGroup
		for i := range clips {
			slots <- struct{}{}
			wg.Go(func() {
				_, errs[i] = e.HiddenStates(samples[i*length : (i+1)*length])
				<-slots
			})
		}
		wg.Wait()
		return first(errs)
	}
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// trainingTurn takes an optimiser step over all clips.
func (e *Encoder) trainingTurn(samples []float32, clips int) func() error {
	params := e.Params()
	adam := optim.NewAdamW(optim.AdamWConfig{WeightDecay: 0.01}, params)
	return func() error {
		out, err := e.Forward(Input{Samples: samples, Clips: clips})
		if err != nil {
			return err
		}
		if err := ag.Backward(op.MeanSquare(out.Hidden[len(out.Hidden)-1])); err != nil {
			return err
		}
		adam.ClipStep(1e-5, 0) // leaves the gradients zero
		return nil
	}
}

// peakMiB is the most memory that the process ever held, where the system says so.
func peakMiB(t *testing.T) float64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kib float64
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				t.Fatal(err)
			}
		}
	}
	return kib / 1024
}
