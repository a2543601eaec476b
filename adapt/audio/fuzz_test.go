package audio

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"testing"
)

// allocated is how many bytes the process has allocated so far, freed ones included.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// countedLate is room for small objects from before, which the runtime counts some time after they were allocated.
const countedLate = 8 << 20

// within runs f, which must allocate at most so many bytes in all. That it ends is the fuzzing engine's to see: it waits ten seconds.
func within(t *testing.T, bytes uint64, f func()) {
	t.Helper()
	before := allocated()
	f()
	if n := allocated() - before; n > bytes+countedLate {
		t.Fatalf("%d bytes allocated, want at most %d", n, bytes)
	}
}

// fuzzBlocks decodes a stream block by block to its end or first error. No block may take more memory than its format can ask for.
func fuzzBlocks(t *testing.T, r blockReader, bytes uint64) {
	t.Helper()
	if _, err := r.seek(0); err != nil {
		refused(t, err)
		return
	}
	for {
		var block []float32
		var err error
		within(t, bytes, func() { block, err = r.next() })
		if err != nil || len(block) == 0 {
			refused(t, err)
			return
		}
		for i, v := range block {
			if v-v != 0 {
				t.Fatalf("sample %d of a block is %g", i, v)
			}
		}
	}
}

// refused fails unless an error is one that readers of broken files get.
func refused(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, ErrInvalid) && !errors.Is(err, errForFFmpeg) {
		t.Fatalf("error %v does not wrap ErrInvalid", err)
	}
}

// fuzzStored reads all of a body that a fuzzed file opened to, and a part of it again.
func fuzzStored(t *testing.T, s stored, err error) {
	t.Helper()
	if err != nil {
		refused(t, err)
		return
	}
	if s.frames < 0 || s.frames > 1<<24 {
		return // long silence; opening it was the test
	}
	all := make([]float32, s.frames)
	if err := s.readAt(all, 0); err != nil {
		refused(t, err)
		return
	}
	part := make([]float32, s.frames/3)
	if err := s.readAt(part, s.frames/2); err != nil {
		t.Fatalf("samples read before do not read again: %v", err)
	}
	if !slices.Equal(part, all[s.frames/2:][:len(part)]) {
		t.Fatal("a part differs from the whole")
	}
}

// FuzzOpen opens any bytes by their kind and reads the first, the last and a middle second at a rate, which is resampled to.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"flac8_mono.flac", "mono24.mp3", "gain.opus", "other.m4a"} {
		data := readFixture(f, name)
		f.Add(data[:min(len(data), 6000)], uint32(16000))
	}
	f.Add(readFixture(f, "pcm8_mono.wav"), uint32(44100))
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x00fLaC"), uint32(0))
	f.Setenv("PATH", "")                    // ffmpeg is not what is tested
	path := filepath.Join(f.TempDir(), "x") // one file for all, since making files takes longer than reading them
	disk, err := os.Create(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { disk.Close() })
	f.Fuzz(func(t *testing.T, data []byte, rate uint32) {
		_, err := disk.WriteAt(data, 0)
		if err := errors.Join(err, disk.Truncate(int64(len(data)))); err != nil {
			t.Fatal(err)
		}
		o := Options{Rate: int(rate % (maxRate + 1)), Resampling: []Resampling{Kaiser, Torchaudio}[len(data)%2]}
		file, err := o.Open(path)
		if err != nil {
			refused(t, err)
			return
		}
		defer file.Close()
		second := make([]float32, min(file.Rate, file.Frames))
		for _, at := range []int{0, file.Frames - len(second), (file.Frames - len(second)) / 2} {
			if err := file.ReadAt(second, at); err != nil {
				refused(t, err)
				return
			}
			for i, v := range second {
				if math.IsNaN(float64(v)) {
					t.Fatalf("sample %d is no number", at+i)
				}
			}
		}
	})
}
