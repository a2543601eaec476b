package audio

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWriteWAVReadsBack(t *testing.T) {
	// Every 16-bit code, then values between and at the ends.
	var samples, want []float32
	for code := -32768; code < 32768; code++ {
		samples = append(samples, float32(code)/32768)
	}
	want = slices.Clone(samples)
	samples = append(samples, 1, -1, 0.4/32768, -0.4/32768, 0.5/32768, 1.5/32768, float32(math.Copysign(0, -1)))
	want = append(want, 32767./32768, -1, 0, 0, 0, 2./32768, 0)
	path := filepath.Join(t.TempDir(), "x.wav")
	if err := WriteWAV(path, samples, false); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Error("samples read back differ")
	}
	// What was read writes to the same bytes.
	again := filepath.Join(t.TempDir(), "y.wav")
	if err := WriteWAV(again, got, false); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(path)
	b, _ := os.ReadFile(again)
	if len(a) != 44+2*len(samples) || !bytes.Equal(a, b) {
		t.Errorf("%d and %d bytes, want equal files of %d", len(a), len(b), 44+2*len(samples))
	}
}

// libsndfile's 16-bit mono file has the header that WriteWAV writes.
func TestWriteWAVEqualsLibsndfile(t *testing.T) {
	want, err := os.ReadFile("testdata/pcm16_mono.wav")
	if err != nil {
		t.Fatal(err)
	}
	samples, err := Read("testdata/pcm16_mono.wav")
	if err != nil {
		t.Fatal(err)
	}
	if got := encodeWAV(samples); !bytes.Equal(got, want) {
		t.Errorf("bytes differ: header % x, want % x", got[:44], want[:44])
	}
}

func TestWriteWAVRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	tests := []struct {
		name    string
		samples []float32
		want    string
	}{
		{"nothing", nil, "no samples"},
		{"above full scale", []float32{0, 1.5, -2, 1}, "2 of 4 samples are outside [-1, 1], the first at 1, peak 2"},
		{"just above", []float32{math.Nextafter32(1, 2)}, "1 of 1 samples"},
		{"NaN", []float32{0, 0, nan, 3}, "2 of 4 samples are outside [-1, 1], the first at 2, peak NaN"},
		{"infinite", []float32{inf}, "peak +Inf"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.wav")
			err := WriteWAV(path, test.samples, false)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want ErrInvalid with %q", err, test.want)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file was left: %v", err)
			}
		})
	}
}

func TestWriteWAVKeepsExisting(t *testing.T) {
	path := temp(t, "x.wav", []byte("old"))
	if err := WriteWAV(path, []float32{0}, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want fs.ErrExist", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("the old file now holds %d bytes", len(data))
	}
	if err := WriteWAV(path, []float32{0.25}, true); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(path); err != nil || !slices.Equal(got, []float32{0.25}) {
		t.Errorf("after force: %v, %v", got, err)
	}
	if list, _ := os.ReadDir(filepath.Dir(path)); len(list) != 1 {
		t.Errorf("%d files left in the folder, want 1", len(list))
	}
}
