package audio_test

import (
	"math"
	"path/filepath"
	"testing"

	"syncretic/adapt/audio"
)

// BenchmarkReadAt times crops of 5 s from a WAV file of a minute.
func BenchmarkReadAt(b *testing.B) {
	samples := make([]float32, 60*audio.SampleRate)
	for i := range samples {
		samples[i] = float32(0.5 * math.Sin(float64(i)*0.1))
	}
	path := filepath.Join(b.TempDir(), "x.wav")
	if err := audio.WriteWAV(path, samples, false); err != nil {
		b.Fatal(err)
	}
	f, err := audio.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	crop := make([]float32, 5*audio.SampleRate)
	b.SetBytes(int64(2 * len(crop)))
	for i := 0; b.Loop(); i++ {
		if err := f.ReadAt(crop, i*7919%(len(samples)-len(crop))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadFLAC times a whole file of 5,000 stereo samples.
func BenchmarkReadFLAC(b *testing.B) {
	b.SetBytes(2 * 2 * 5000)
	for b.Loop() {
		if _, err := audio.Read("testdata/flac16_stereo.flac"); err != nil {
			b.Fatal(err)
		}
	}
}
