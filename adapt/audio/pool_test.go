package audio

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// Several readers of more files than the pool keeps read what the files hold, and the pool keeps no more than it may.
func TestPool(t *testing.T) {
	const files, most = 7, 3
	dir := t.TempDir()
	var paths []string
	for i := range files {
		samples := make([]float32, 2000)
		for j := range samples {
			samples[j] = float32(i*2000+j) / 32768
		}
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("%d.wav", i)))
		if err := WriteWAV(paths[i], samples, false); err != nil {
			t.Fatal(err)
		}
	}
	p := NewPool(Options{}, most)
	var wg sync.WaitGroup
	for w := range uint64(8) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(w, 2))
			for range 200 {
				i, start := rng.IntN(files), rng.IntN(1900)
				got := make([]float32, 100)
				if err := p.ReadAt(paths[i], got, start); err != nil || got[0] != float32(i*2000+start)/32768 || got[99] != float32(i*2000+start+99)/32768 {
					t.Errorf("file %d, sample %d: %v, %v", i, start, got[0], err)
					return
				}
			}
		})
	}
	wg.Wait()
	if len(p.files) != most {
		t.Errorf("%d files are open, want %d", len(p.files), most)
	}
	held := slices.Clone(p.files)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, e := range held {
		if err := e.f.ReadAt(make([]float32, 1), 0); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s is still open: %v", e.path, err)
		}
	}
}

// A file that was not there is read once it is.
func TestPoolTriesAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.wav")
	p := NewPool(Options{}, 1)
	defer p.Close()
	if err := p.ReadAt(path, make([]float32, 1), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := WriteWAV(path, []float32{0.5}, false); err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 1)
	if err := p.ReadAt(path, got, 0); err != nil || got[0] != 0.5 {
		t.Errorf("there now: %v, %v", got, err)
	}
}
