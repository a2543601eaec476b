package tensorboard

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

// at is a Unix time that a float64 holds exactly.
func at(seconds float64) time.Time { return time.UnixMicro(int64(seconds * 1e6)) }

// The golden file was written by TensorBoard's own writer: testdata/make_golden.py.
func TestWriterIsTensorBoards(t *testing.T) {
	want, err := os.ReadFile("testdata/golden.tfevents")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	w, err := NewWriter(&got, at(1700000000.25))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []struct {
		step   int
		wall   float64
		values map[string]float64
	}{
		{0, 1700000001.5, map[string]float64{"heldout/turkish-makam/ce": 34.25}},
		{1, 1700000002.125, map[string]float64{"train/loss": 31.5, "train/lr": 1e-3, "train/ce/codebook_0": 6.9, "train/skipped": 0}},
		{300, 1700000003, map[string]float64{"train/grad_norm": math.NaN(), "heldout/türkü/ce": math.Inf(1), "train/skipped": math.Copysign(0, -1)}},
		{5000000000, 1700000004, map[string]float64{strings.Repeat("t", 200): 1}},
	} {
		if err := w.Scalars(e.step, at(e.wall), e.values); err != nil {
			t.Fatal(err)
		}
	}
	for i := range want {
		if i >= got.Len() || got.Bytes()[i] != want[i] {
			t.Fatalf("byte %d of %d differs from TensorBoard's %d", i, got.Len(), len(want))
		}
	}
	if got.Len() != len(want) {
		t.Errorf("%d bytes, want TensorBoard's %d", got.Len(), len(want))
	}
}

func TestFileNamesAreInOrder(t *testing.T) {
	begun := time.Unix(1700000000, 999)
	last := ""
	for _, later := range []time.Duration{0, 1, time.Millisecond, time.Second, 100 * time.Hour} {
		name := FileName(begun.Add(later))
		if !strings.Contains(name, "tfevents") || name <= last {
			t.Errorf("%q after %q", name, last)
		}
		last = name
	}
}

func TestWriterPassesErrorsOn(t *testing.T) {
	r, pipe := io.Pipe()
	gone := errors.New("gone")
	r.CloseWithError(gone)
	if _, err := NewWriter(pipe, time.Time{}); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	w := &Writer{w: pipe}
	if err := w.Scalars(1, time.Time{}, nil); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}
