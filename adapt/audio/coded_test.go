package audio_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"syncretic/adapt/audio"
)

// coded is a lossy recording as mpg123 or libopus decodes it.
type coded struct {
	File     string    `json:"file"`
	Rate     int       `json:"rate"`
	Channels int       `json:"channels"`
	Frames   int       `json:"frames"`
	Every    int       `json:"every"`
	Samples  []float64 `json:"samples"` // every so many, mono
}

// codedFixtures reads testdata/coded.json and checks that it was made by known peers and that every file is there.
func codedFixtures(t *testing.T, ext string) []coded {
	t.Helper()
	data, err := os.ReadFile("testdata/coded.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		FFmpeg     string  `json:"ffmpeg"`
		Libsndfile string  `json:"libsndfile"`
		Files      []coded `json:"files"`
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if g.FFmpeg == "" || g.Libsndfile == "" || len(g.Files) != 10 {
		t.Fatalf("ffmpeg %q, %d files, want a version and 10", g.FFmpeg, len(g.Files))
	}
	return slices.DeleteFunc(g.Files, func(c coded) bool { return filepath.Ext(c.File) != ext })
}

// path is where the recording lies.
func (c coded) path() string { return filepath.Join("testdata", c.File) }

// native opens the recording at its own rate.
func (c coded) native(t *testing.T) *audio.File {
	t.Helper()
	f, err := audio.Options{Rate: c.Rate}.Open(c.path())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// compare checks length, rate and samples against the peer's: the root mean square of the difference, and the largest.
func (c coded) compare(t *testing.T, rms, largest float64) {
	t.Helper()
	f := c.native(t)
	if f.SourceRate != c.Rate || f.Channels != c.Channels || f.Frames != c.Frames {
		t.Fatalf("rate %d, channels %d, frames %d, want %d %d %d", f.SourceRate, f.Channels, f.Frames, c.Rate, c.Channels, c.Frames)
	}
	got := make([]float32, f.Frames)
	if err := f.ReadAt(got, 0); err != nil {
		t.Fatal(err)
	}
	var sum, worst, power float64
	for i, want := range c.Samples {
		d := math.Abs(float64(got[i*c.Every]) - want)
		sum, worst, power = sum+d*d, max(worst, d), power+want*want
	}
	sum, power = math.Sqrt(sum/float64(len(c.Samples))), math.Sqrt(power/float64(len(c.Samples)))
	t.Logf("rms %.2g, largest %.2g, the signal's rms %.2g", sum, worst, power)
	if len(c.Samples) < 400 || power < 0.01 || sum > rms || worst > largest {
		t.Errorf("%d samples of rms %.3g: difference of rms %.3g, largest %.3g, want at most %.3g, %.3g", len(c.Samples), power, sum, worst, rms, largest)
	}
}

// The decoder of MP3 gives 16 bits, truncated: one unit at most, a uniform error of rms 1/(√3·32767).
func TestMP3EqualsMpg123(t *testing.T) {
	for _, c := range codedFixtures(t, ".mp3") {
		t.Run(c.File, func(t *testing.T) { c.compare(t, 2e-5, 1.1/32767) })
	}
}

// Of CELT, which codes music, the decoder makes what libopus makes: 6 digits in the fixture and float32 in both. Its SILK, which codes
// speech at low rates, is in float where libopus has fixed point, and is 38 to 45 dB from it.
func TestOpusEqualsLibopus(t *testing.T) {
	for _, c := range codedFixtures(t, ".opus") {
		rms, largest := 1e-6, 5e-6
		if c.File == "speech.opus" || c.File == "hybrid.opus" {
			rms, largest = 2e-3, 1e-2
		}
		t.Run(c.File, func(t *testing.T) { c.compare(t, rms, largest) })
	}
}

// Any part, in any order, at the file's own rate and at others, is that of the whole, bit for bit.
func TestPartsEqualTheWhole(t *testing.T) {
	files := append(codedFixtures(t, ".mp3"), codedFixtures(t, ".opus")...)
	for _, name := range []string{"flac16_stereo.flac", "flac24_stereo.flac", "pcm24_three.wav"} {
		files = append(files, coded{File: name, Rate: 24000})
	}
	for _, c := range files {
		for _, o := range []audio.Options{{Rate: c.Rate}, {}, {Resampling: audio.Torchaudio}, {Rate: 11025}} {
			all, err := o.Read(c.path())
			if err != nil {
				t.Fatal(err)
			}
			f, err := o.Open(c.path())
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(3, 4))
			for k := range 12 {
				start := rng.IntN(len(all))
				part := make([]float32, rng.IntN(min(len(all)-start, 9000)+1))
				if k > 8 { // on from there
					start = min(start, len(all)-2*len(part))
					if start < 0 {
						continue
					}
				}
				if err := f.ReadAt(part, start); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(part, all[start:start+len(part)]) {
					t.Fatalf("%s at %d Hz: samples [%d, %d) differ from the whole file's", c.File, f.Rate, start, start+len(part))
				}
				if k > 8 {
					if err := f.ReadAt(part, start+len(part)); err != nil || !slices.Equal(part, all[start+len(part):][:len(part)]) {
						t.Fatalf("%s at %d Hz: samples from %d on differ: %v", c.File, f.Rate, start+len(part), err)
					}
				}
			}
			f.Close()
		}
	}
}
