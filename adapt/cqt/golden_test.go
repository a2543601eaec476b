package cqt_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"syncretic/adapt/cqt"
)

// goldenTolerance is relative to the largest magnitude of a case: nnAudio holds its kernels and sums in float32, over
// windows of up to 50,460 samples.
const goldenTolerance = 1e-5

type golden struct {
	NNAudio string `json:"nnAudio"`
	Torch   string `json:"torch"`
	Cases   []struct {
		Name          string      `json:"name"`
		Seed          uint64      `json:"seed"`
		Samples       int         `json:"samples"`
		FMin          float64     `json:"fmin"`
		Bins          int         `json:"bins"`
		BinsPerOctave int         `json:"bins_per_octave"`
		Every         int         `json:"every"`
		Frames        int         `json:"frames"`
		Max           float64     `json:"max"`
		Magnitudes    [][]float32 `json:"magnitudes"`
	} `json:"cases"`
}

// lcg repeats the clip of testdata/make_cqt.py.
func lcg(seed uint64, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		seed = seed*6364136223846793005 + 1442695040888963407
		out[i] = (float32(seed>>48) - 32768) / 65536
	}
	return out
}

func TestMagnitudesEqualNNAudio(t *testing.T) {
	data, err := os.ReadFile("testdata/cqt.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if g.NNAudio == "" || g.Torch == "" || len(g.Cases) < 3 {
		t.Fatalf("fixture by nnAudio %q, torch %q with %d cases, want both versions and at least 3", g.NNAudio, g.Torch, len(g.Cases))
	}
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			cfg := cqt.Config{SampleRate: 24000, Hop: 320, FMin: c.FMin, Bins: c.Bins, BinsPerOctave: c.BinsPerOctave}
			if c.Bins == 336 && cfg != cqt.MERT() {
				t.Fatalf("MERT() = %+v, the fixture has %+v", cqt.MERT(), cfg)
			}
			tr, err := cqt.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if f := tr.Frames(c.Samples); f != c.Frames || len(c.Magnitudes) != f {
				t.Fatalf("Frames(%d) = %d, nnAudio has %d, the fixture %d", c.Samples, f, c.Frames, len(c.Magnitudes))
			}
			got := tr.Magnitudes(lcg(c.Seed, c.Samples))
			if len(got) != c.Frames*c.Bins {
				t.Fatalf("%d values, want %d", len(got), c.Frames*c.Bins)
			}
			var worst float64
			for f, row := range c.Magnitudes {
				for i, want := range row {
					worst = math.Max(worst, math.Abs(float64(got[f*c.Bins+i*c.Every]-want)))
				}
			}
			if worst > goldenTolerance*c.Max {
				t.Errorf("largest difference %g, want at most %g of the largest magnitude %g", worst, goldenTolerance, c.Max)
			}
			var max float64
			for _, v := range got {
				max = math.Max(max, float64(v))
			}
			if math.Abs(max-c.Max) > goldenTolerance*c.Max {
				t.Errorf("largest magnitude %g, nnAudio has %g", max, c.Max)
			}
		})
	}
}

// direct is the definition in the package comment, summed in float64 sample by sample.
func direct(cfg cqt.Config, x []float32, frame, bin int) float64 {
	q := 1 / (math.Pow(2, 1/float64(cfg.BinsPerOctave)) - 1)
	f := cfg.FMin * math.Pow(2, float64(bin)/float64(cfg.BinsPerOctave))
	l := int(math.Ceil(q * float64(cfg.SampleRate) / f))
	if cfg.MaxWindow > 0 && l > cfg.MaxWindow {
		l = cfg.MaxWindow
	}
	first := -l / 2
	if l%2 == 1 {
		first = -(l + 1) / 2
	}
	var re, im, sum float64
	for j := range l {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(j)/float64(l))
		sum += w
		at := frame*cfg.Hop + first + j
		if at < 0 || at >= len(x) {
			continue
		}
		phase := 2 * math.Pi * f * float64(first+j) / float64(cfg.SampleRate)
		re += float64(x[at]) * w * math.Cos(phase)
		im -= float64(x[at]) * w * math.Sin(phase)
	}
	return math.Sqrt(float64(l)) * math.Hypot(re, im) / sum
}

func TestMagnitudesEqualDirectSum(t *testing.T) {
	tests := []struct {
		name string
		cfg  cqt.Config
	}{
		{"small profile", small()},
		{"odd cap", cqt.Config{SampleRate: 24000, Hop: 320, FMin: 65.4, Bins: 60, BinsPerOctave: 24, MaxWindow: 4097}},
		{"cap below every window", cqt.Config{SampleRate: 24000, Hop: 320, FMin: 65.4, Bins: 37, BinsPerOctave: 12, MaxWindow: 300}},
		{"cap above every window", cqt.Config{SampleRate: 24000, Hop: 320, FMin: 65.4, Bins: 37, BinsPerOctave: 12, MaxWindow: 1 << 20}},
		{"other rate and hop", cqt.Config{SampleRate: 16000, Hop: 100, FMin: 110, Bins: 20, BinsPerOctave: 7}},
		{"one bin", cqt.Config{SampleRate: 24000, Hop: 320, FMin: 440, Bins: 1, BinsPerOctave: 12}},
		{"bins to half the rate", cqt.Config{SampleRate: 24000, Hop: 320, FMin: 3000, Bins: 3, BinsPerOctave: 1}},
		{"hop longer than the windows", cqt.Config{SampleRate: 24000, Hop: 5000, FMin: 1000, Bins: 4, BinsPerOctave: 12}},
	}
	x := noise(9001, 7)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tr, err := cqt.New(test.cfg)
			if err != nil {
				t.Fatal(err)
			}
			got, frames := tr.Magnitudes(x), tr.Frames(len(x))
			var worst, max float64
			for f := 0; f < frames; f += max1(frames / 4) {
				for b := 0; b < test.cfg.Bins; b += max1(test.cfg.Bins / 10) {
					want := direct(test.cfg, x, f, b)
					worst = math.Max(worst, math.Abs(float64(got[f*test.cfg.Bins+b])-want))
					max = math.Max(max, want)
				}
			}
			if max == 0 || worst > goldenTolerance*max {
				t.Errorf("largest difference %g, want at most %g of %g", worst, goldenTolerance, max)
			}
		})
	}
}

func max1(n int) int { return max(1, n) }
