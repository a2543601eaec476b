package audio_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"syncretic/adapt/audio"
)

type fixture struct {
	File     string    `json:"file"`
	Channels int       `json:"channels"`
	Frames   int       `json:"frames"`
	First    []float64 `json:"first"`
	Sum      float64   `json:"sum"`
}

// fixtures reads testdata/audio.json and checks that it was made by a known libsndfile and that every file is there.
func fixtures(t *testing.T) []fixture {
	t.Helper()
	data, err := os.ReadFile("testdata/audio.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Libsndfile string    `json:"libsndfile"`
		Files      []fixture `json:"files"`
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if g.Libsndfile == "" || len(g.Files) != 14 {
		t.Fatalf("libsndfile %q, %d files, want a version and 14", g.Libsndfile, len(g.Files))
	}
	return g.Files
}

// sampleTolerance is one rounding to float32 of a sample of at most 1.
const sampleTolerance = 6e-8

func TestReadEqualsLibsndfile(t *testing.T) {
	for _, want := range fixtures(t) {
		t.Run(want.File, func(t *testing.T) {
			path := filepath.Join("testdata", want.File)
			f, err := audio.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Rate != audio.SampleRate || f.Channels != want.Channels || f.Frames != want.Frames {
				t.Errorf("rate %d, channels %d, frames %d, want %d %d %d", f.Rate, f.Channels, f.Frames, audio.SampleRate, want.Channels, want.Frames)
			}
			if s := f.Seconds(); s != float64(want.Frames)/24000 {
				t.Errorf("Seconds() = %g", s)
			}
			got, err := audio.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != want.Frames || len(want.First) < 99 {
				t.Fatalf("%d samples, want %d; fixture has %d", len(got), want.Frames, len(want.First))
			}
			for i, v := range want.First {
				if math.Abs(float64(got[i])-v) > sampleTolerance {
					t.Fatalf("sample %d: %v, want %v", i, got[i], v)
				}
			}
			var sum float64
			for i, v := range got {
				sum += float64(v) * float64(1+i%977)
			}
			if math.Abs(sum-want.Sum) > sampleTolerance*977*float64(len(got)) {
				t.Errorf("weighted sum %v, want %v", sum, want.Sum)
			}
		})
	}
}

func TestReadAtEqualsRead(t *testing.T) {
	for _, c := range fixtures(t) {
		t.Run(c.File, func(t *testing.T) {
			path := filepath.Join("testdata", c.File)
			all, err := audio.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := audio.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var wg sync.WaitGroup
			for w := range uint64(4) { // several goroutines on one file
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(w, 1))
					for range 20 {
						start := rng.IntN(len(all) + 1)
						dst := make([]float32, rng.IntN(len(all)-start+1))
						if err := f.ReadAt(dst, start); err != nil {
							t.Error(err)
							return
						}
						if !slices.Equal(dst, all[start:start+len(dst)]) {
							t.Errorf("samples [%d, %d) differ from the whole file's", start, start+len(dst))
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
