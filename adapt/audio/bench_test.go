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

// BenchmarkRead times whole small files, opened, decoded and resampled to 24 kHz; it reports how many seconds of sound a second yields.
func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"flac16_stereo.flac", "stereo44.mp3", "music.opus", "speech.opus"} {
		b.Run(name, func(b *testing.B) {
			samples := 0
			for b.Loop() {
				x, err := audio.Read("testdata/" + name)
				if err != nil {
					b.Fatal(err)
				}
				samples += len(x)
			}
			b.ReportMetric(float64(samples)/audio.SampleRate/b.Elapsed().Seconds(), "x-realtime")
		})
	}
}
