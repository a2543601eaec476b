package adapt

import (
	"errors"
	"math"
	"slices"
	"testing"

	"syncretic/adapt/audio"
)

func corpora() []*Corpus {
	make := func(name string, replay bool, weight float64, seconds ...float64) *Corpus {
		c := &Corpus{Name: name, Replay: replay, weight: weight}
		for _, s := range seconds {
			c.Recordings = append(c.Recordings, Recording{Len: int(s * audio.SampleRate)})
		}
		return c
	}
	return []*Corpus{make("a", false, 1, 10, 30, 0.5), make("b", false, 3, 20), make("western", true, 5, 4, 4)}
}

func TestSamplerMix(t *testing.T) {
	cs := corpora()
	s, err := NewSampler(3, cs, 0.2, 1, 320)
	if err != nil {
		t.Fatal(err)
	}
	const draws = 20000
	byCorpus, byRecording := map[string]float64{}, map[int]float64{}
	for step := range draws / 10 {
		for _, c := range s.Draw(0, step, 0, 10) {
			r := c.Corpus.Recordings[c.Recording]
			if c.Start%320 != 0 || c.Start < 0 || c.Start+24000 > r.Len {
				t.Fatalf("crop at %d of a recording of %d samples", c.Start, r.Len)
			}
			byCorpus[c.Corpus.Name]++
			if c.Corpus.Name == "a" {
				byRecording[c.Recording]++
			}
		}
	}
	const tolerance = 0.015 // four standard deviations of a share at 20,000 draws
	for name, want := range map[string]float64{"western": 0.2, "a": 0.2, "b": 0.6} {
		if got := byCorpus[name] / draws; math.Abs(got-want) > tolerance {
			t.Errorf("%s: share %.3f, want %.3f", name, got, want)
		}
	}
	if byRecording[2] != 0 {
		t.Error("a recording shorter than a crop was drawn")
	}
	if got, want := byRecording[1]/byRecording[0], 29.0/9; math.Abs(got/want-1) > 0.15 {
		t.Errorf("recordings of 30 and 10 s: drawn at a ratio of %.2f, want %.2f", got, want)
	}
}

// A draw depends on its place alone: not on what was drawn before.
func TestSamplerIsPure(t *testing.T) {
	draw := func(seed uint64, warm bool) []Crop {
		s, err := NewSampler(seed, corpora(), 0.2, 1, 320)
		if err != nil {
			t.Fatal(err)
		}
		if warm {
			s.Draw(0, 1, 0, 50)
		}
		return s.Draw(1, 17, 0, 8)
	}
	places := func(cs []Crop) (p []int) {
		for _, c := range cs {
			p = append(p, c.Recording, c.Start)
		}
		return p
	}
	if !slices.Equal(places(draw(1, false)), places(draw(1, true))) {
		t.Error("the same place gave other crops after earlier draws")
	}
	if slices.Equal(places(draw(1, false)), places(draw(2, false))) {
		t.Error("another seed gave the same crops")
	}
}

func TestSamplerRefusesCorpusWithoutLongEnoughRecordings(t *testing.T) {
	if _, err := NewSampler(1, corpora(), 0.2, 5, 320); !errors.Is(err, audio.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid: western has 4 s recordings only", err)
	}
}
