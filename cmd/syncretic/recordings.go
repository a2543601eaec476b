package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"

	"syncretic/adapt/audio"
	"syncretic/adapt/op"
)

// recording is a file that can be opened.
type recording struct {
	path   string
	frames int // samples, at the rate that was asked for
}

// checkAudio finds files that cannot be opened, and files named twice, before any work is done. With skip it leaves out and names those
// whose header or index is broken.
func checkAudio(paths []string, o audio.Options, skip bool) (good []recording, skipped []audio.Skipped, err error) {
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[path] {
			return nil, nil, usageError("%s is given twice", path)
		}
		seen[path] = true
		f, err := o.Open(path)
		if skip && errors.Is(err, audio.ErrInvalid) {
			skipped = append(skipped, audio.Skipped{Path: path, Reason: err.Error()})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if err := f.Close(); err != nil {
			return nil, nil, err
		}
		good = append(good, recording{path, f.Frames})
	}
	if len(good) == 0 {
		return nil, nil, noneReadable(skipped)
	}
	return good, skipped, nil
}

// noneReadable says that all recordings were left out.
func noneReadable(skipped []audio.Skipped) error {
	return fmt.Errorf("%w: none of %d files can be read; the first: %s", audio.ErrInvalid, len(skipped), skipped[0].Reason)
}

// inParallel calls f for 0 to n−1, several at once. After an error no call is begun, and the context of those under way ends; of several
// errors the first that came counts.
func inParallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				if err := f(work, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && work.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wg.Wait()
	return context.Cause(work)
}

// window is a part of a recording, or why it cannot be read.
type window struct {
	samples []float32
	err     error
}

// readWindows cuts a recording into windows of a length in samples, and decodes and resamples one while the caller works on the one
// before. A last window shorter than a second is dropped unless it is the only one. After stop nobody reads the file any more.
func readWindows(f *audio.File, length int) (next <-chan window, stop func()) {
	out, quit := make(chan window), make(chan struct{})
	go pprof.Do(context.Background(), pprof.Labels(op.ProfileOperator, "decode"), func(context.Context) {
		defer close(out)
		for at := 0; at < f.Frames; at += length {
			n := min(length, f.Frames-at)
			if at > 0 && n < audio.SampleRate {
				return
			}
			w := window{samples: make([]float32, n)}
			w.err = f.ReadAt(w.samples, at)
			select {
			case out <- w:
			case <-quit:
				return
			}
			if w.err != nil {
				return
			}
		}
	})
	return out, func() {
		close(quit)
		for range out { // until the reader has gone
		}
	}
}

// encoded is what became of a window.
type encoded struct {
	states [][]float32
	err    error
}

// inOrder encodes windows as they come, each while it holds one of the slots, and yields the results in the order of the windows.
// The loop over them has to hear the first error as the end.
func inOrder(ctx context.Context, windows <-chan window, slots chan struct{}, encode func(samples []float32) ([][]float32, error)) iter.Seq[encoded] {
	return func(yield func(encoded) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		queue := make(chan chan encoded, cap(slots))
		wg.Go(func() {
			defer close(queue)
			for w := range windows {
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return
				}
				result := make(chan encoded, 1)
				wg.Go(func() {
					defer func() { <-slots }()
					if w.err != nil {
						result <- encoded{err: w.err}
						return
					}
					states, err := encode(w.samples)
					result <- encoded{states, err}
				})
				select {
				case queue <- result:
				case <-ctx.Done():
					return
				}
			}
		})
		for result := range queue {
			if !yield(<-result) {
				return
			}
		}
		if ctx.Err() != nil {
			yield(encoded{err: ctx.Err()})
		}
	}
}

// skippedJSON is the list of what was left out, never null.
func skippedJSON(s []audio.Skipped) []audio.Skipped {
	if s == nil {
		return []audio.Skipped{}
	}
	return s
}

// skippedLines names what was left out, one a line, under its count.
func skippedLines(s []audio.Skipped) string {
	if len(s) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d recordings left out, which cannot be read:\n", len(s))
	for _, r := range s {
		fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(r.Reason, "\n", "; "))
	}
	return b.String()
}
