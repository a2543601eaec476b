package adapt

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
)

// tinyTeacher opens the corpora of tinyConfig.
func tinyTeacher(t *testing.T) (TeacherConfig, []*Corpus) {
	t.Helper()
	cfg := tinyConfig(t, t.TempDir())
	var corpora []*Corpus
	for _, k := range cfg.Corpora {
		c, err := OpenCorpus(k)
		if err != nil {
			t.Fatal(err)
		}
		corpora = append(corpora, c)
	}
	return cfg.Teacher, corpora
}

// A sample is the same in memory and in a file, in whatever order it is written and read, and leaves nothing behind.
func TestSample(t *testing.T) {
	const frames, bins = 6000, 3 // 72 KB: more than is read at once
	dir := filepath.Join(t.TempDir(), "teacher")
	for _, most := range []int{frames, frames - 1} {
		s, err := newSample(frames, bins, most, dir)
		if err != nil {
			t.Fatal(err)
		}
		if inFile := s.file != nil; inFile != (most < frames) {
			t.Errorf("%d of %d frames in memory: in a file: %v", most, frames, inFile)
		}
		for at := frames - 1000; at >= 0; at -= 1000 {
			rows := make([]float32, 1000*bins)
			for i := range rows {
				rows[i] = float32(at*bins+i) / 7
			}
			if err := s.write(rows, at); err != nil {
				t.Fatal(err)
			}
		}
		for _, part := range [][2]int{{0, frames}, {17, 5990}, {5999, 1}, {3, 0}} {
			got := make([]float32, part[1]*bins)
			if part[0]+part[1] > frames {
				got = got[:(frames-part[0])*bins]
			}
			if err := s.Read(got, part[0]); err != nil {
				t.Fatal(err)
			}
			for i, v := range got {
				if v != float32(part[0]*bins+i)/7 {
					t.Fatalf("%d frames in memory: value %d from frame %d is %v", most, i, part[0], v)
				}
			}
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the folder is left: %v", err)
		}
	}
}

// A teacher whose frames lie in a file has the statistics of one whose frames lie in memory, bit for bit, and codebooks as good; the file is
// gone in the end.
func TestTeacherFitsFromAFile(t *testing.T) {
	cfg, corpora := tinyTeacher(t)
	whole, err := FitTeacher(t.Context(), cfg, corpora)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Batch = 40
	batches, err := TeacherFor(t.Context(), cfg, corpora)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(whole.mean, batches.mean) || !slices.Equal(whole.dev, batches.dev) || whole.all != batches.all {
		t.Error("the statistics differ")
	}
	a, b := whole.codes.ResidualVariance()[1], batches.codes.ResidualVariance()[1]
	if a == b || b > 1.2*a+0.01 {
		t.Errorf("mini-batches leave %v of the variance, all frames at once %v: want another figure, and not a much larger one", b, a)
	}
	left, err := os.ReadDir(cfg.Path)
	if err != nil || len(left) != 2 {
		t.Errorf("%v is in the teacher's folder (%v), want teacher.json and teacher.safetensors", left, err)
	}
	read, err := OpenTeacher(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := checkpoint.Hash(batches.codes.Source())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := checkpoint.Hash(read.codes.Source()); err != nil || got != want || read.cfg.Batch != 40 {
		t.Errorf("read back: codebooks %v, want %v (%v); batch %d", got, want, err, read.cfg.Batch)
	}
}

func TestTeacherFitErrors(t *testing.T) {
	cfg, corpora := tinyTeacher(t)
	cfg.Batch = 40
	if _, err := FitTeacher(t.Context(), cfg, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "no audio") {
		t.Errorf("no corpora: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := TeacherFor(cancelled, cfg, corpora); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := os.Truncate(corpora[0].Recordings[2].Path, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := TeacherFor(t.Context(), cfg, corpora); !errors.Is(err, audio.ErrInvalid) || !strings.Contains(err.Error(), "truncated") {
		t.Errorf("a recording that was cut: %v", err)
	}
	if _, err := os.Stat(cfg.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a teacher's folder is left: %v", err)
	}
}

// Half an hour of audio, 173 MB as samples, is fitted in a few blocks' memory.
func TestTeacherFitMemoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "long.wav")
	if err := audio.WriteWAV(path, make([]float32, 1), false); err != nil {
		t.Fatal(err)
	}
	data := read(t, path)
	const bytes = 2 * 24000 * 1800 // of samples, which are a hole in the file
	binary.LittleEndian.PutUint32(data[4:], 36+bytes)
	binary.LittleEndian.PutUint32(data[40:], bytes)
	if err := errors.Join(os.WriteFile(path, data, 0o600), os.Truncate(path, 44+bytes)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "m.csv"), []byte("path,split\nlong.wav,train\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := OpenCorpus(CorpusConfig{Name: "long", Manifest: filepath.Join(dir, "m.csv")})
	if err != nil {
		t.Fatal(err)
	}
	cfg := tinyConfig(t, dir).Teacher
	cfg.CQT.MaxWindow, cfg.Frames, cfg.Batch = 256, 50000, 1000

	held := func() uint64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	before, peak := held(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				peak = max(peak, held())
			}
		}
	}()
	_, err = FitTeacher(t.Context(), cfg, []*Corpus{c})
	close(stop)
	<-done
	if err != nil {
		t.Fatal(err)
	}
	if grown := peak - min(peak, before); peak == 0 || grown > 32<<20 {
		t.Errorf("the heap grew by %d bytes, want at most 32 MiB", grown)
	}
}
