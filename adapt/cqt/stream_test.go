package cqt_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"syncretic/adapt/cqt"
)

// A stream's frames are those of the clip in memory, bit for bit, and no sample is read twice: for windows longer than a block, for
// windows shorter than a hop, for clips shorter than a window.
func TestStreamIsMagnitudes(t *testing.T) {
	short := cqt.Config{SampleRate: 24000, Hop: 320, FMin: 4000, Bins: 12, BinsPerOctave: 12, MaxWindow: 64}
	for name, cfg := range map[string]cqt.Config{"small": small(), "MERT": cqt.MERT(), "short": short} {
		tr := newTransform(t, cfg)
		for _, n := range []int{0, 1, 319, 30000, 400000} {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(i*7919%2001-1000) / 1000
			}
			var got []float32
			read, blocks, seam := 0, 0, 0
			err := tr.Stream(n, func(dst []float32, start int) error {
				if start < read || start+len(dst) > n {
					return fmt.Errorf("samples [%d, %d) of %d asked, after %d", start, start+len(dst), n, read)
				}
				read = start + copy(dst, x[start:])
				return nil
			}, func(first int, frames []float32) error {
				if first*cfg.Bins != len(got) {
					return fmt.Errorf("frame %d follows %d values", first, len(got))
				}
				got = append(got, frames...)
				if blocks++; blocks == 2 {
					seam = first
				}
				return nil
			})
			if err != nil {
				t.Fatalf("%s, %d samples: %v", name, n, err)
			}
			if !slices.Equal(got, tr.Magnitudes(x)) || len(got) != tr.Frames(n)*cfg.Bins {
				t.Errorf("%s, %d samples: other frames than those of the clip in memory", name, n)
			}
			if n < 400000 {
				continue
			}
			if blocks < 2 {
				t.Fatalf("%s: one block for %d samples", name, n)
			}
			const reach = 120 // frames: more than half of MERT's longest window
			around := tr.Magnitudes(x[(seam-reach)*cfg.Hop : (seam+reach)*cfg.Hop])
			for k, want := range around[reach*cfg.Bins : (reach+1)*cfg.Bins] {
				if d := got[seam*cfg.Bins+k] - want; d > 1e-3 || d < -1e-3 { // of magnitudes around 1
					t.Errorf("%s: bin %d of frame %d, the first of a block: %g, want %g", name, k, seam, got[seam*cfg.Bins+k], want)
				}
			}
		}
	}
}

func TestStreamErrors(t *testing.T) {
	tr := newTransform(t, small())
	lost, full := errors.New("lost"), errors.New("full")
	emitted := 0
	if err := tr.Stream(9000, func([]float32, int) error { return lost }, func(int, []float32) error { emitted++; return nil }); !errors.Is(err, lost) || emitted != 0 {
		t.Errorf("a read that fails: %v after %d blocks", err, emitted)
	}
	if err := tr.Stream(9000, func([]float32, int) error { return nil }, func(int, []float32) error { return full }); !errors.Is(err, full) {
		t.Errorf("an emit that fails: %v", err)
	}
}
