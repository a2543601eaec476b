package audio_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"syncretic/adapt/audio"
)

// convert resamples a whole signal in blocks of a random size up to most.
func convert(t *testing.T, r audio.Resampling, from, to int, x []float32, most int) []float32 {
	t.Helper()
	s, err := audio.NewResampler(r, from, to)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(uint64(most), 1))
	var y []float32
	for len(x) > 0 {
		n := min(len(x), 1+rng.IntN(most))
		y = s.Append(y, x[:n])
		x = x[n:]
	}
	return s.Flush(y)
}

// burst is the signal of testdata/make_resample.py.
func burst(rate int, seconds float64, tones []float64) []float32 {
	x := make([]float32, int(math.Round(float64(rate)*seconds)))
	for i := range x {
		w := math.Sin(math.Pi * (float64(i) + 0.5) / float64(len(x)))
		var sum float64
		for k, f := range tones {
			sum += 0.2 * math.Sin(2*math.Pi*f*float64(i)/float64(rate)+float64(k))
		}
		x[i] = float32(w * w * sum)
	}
	return x
}

// Both peers are compared within 1e-6: a few roundings of a signal of at most 1.4 to float32.
func TestResamplersEqualPeers(t *testing.T) {
	const tolerance = 1e-6
	data, err := os.ReadFile("testdata/resample.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Soxr       string  `json:"soxr"`
		Torchaudio string  `json:"torchaudio"`
		Seconds    float64 `json:"seconds"`
		Cases      []struct {
			Rate       int       `json:"rate"`
			Tones      []float64 `json:"tones"`
			Beyond     []float64 `json:"beyond"`
			Soxr       string    `json:"soxr"`
			Torchaudio string    `json:"torchaudio"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if g.Soxr == "" || g.Torchaudio == "" || len(g.Cases) != 7 {
		t.Fatalf("soxr %q, torchaudio %q, %d cases, want versions and 7", g.Soxr, g.Torchaudio, len(g.Cases))
	}
	compare := func(r audio.Resampling, rate int, x []float32, packed string) {
		raw, err := base64.StdEncoding.DecodeString(packed)
		if err != nil {
			t.Fatal(err)
		}
		got := convert(t, r, rate, audio.SampleRate, x, len(x))
		if len(got) != len(raw)/4 {
			t.Fatalf("%s from %d Hz: %d samples, want %d", r, rate, len(got), len(raw)/4)
		}
		worst := 0.0
		for i, v := range got {
			worst = max(worst, math.Abs(float64(v)-float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))))
		}
		t.Logf("%s from %d Hz: largest difference %.2g", r, rate, worst)
		if !(worst <= tolerance) {
			t.Errorf("%s from %d Hz: largest difference %g, want at most %g", r, rate, worst, tolerance)
		}
	}
	soxr := 0
	for _, c := range g.Cases {
		if c.Soxr != "" {
			compare(audio.Kaiser, c.Rate, burst(c.Rate, g.Seconds, c.Tones), c.Soxr)
			soxr++
		}
		compare(audio.Torchaudio, c.Rate, burst(c.Rate, g.Seconds, c.Beyond), c.Torchaudio)
	}
	if soxr < 5 {
		t.Errorf("%d cases of soxr, want at least 5", soxr)
	}
}

// level is the power of a stationary tone of frequency f and amplitude 1 after resampling, in dB relative to its own, by the loudest
// sample of the middle.
func level(t *testing.T, r audio.Resampling, from, to int, f float64) float64 {
	x := make([]float32, from/4)
	for i := range x {
		x[i] = float32(math.Sin(2 * math.Pi * f * float64(i) / float64(from)))
	}
	y := convert(t, r, from, to, x, len(x))
	var sum float64
	middle := y[len(y)/4 : len(y)*3/4]
	for _, v := range middle {
		sum += float64(v) * float64(v)
	}
	return 10 * math.Log10(2*sum/float64(len(middle)))
}

// A sweep over the stop-band, where everything is alias, and one over the pass-band. What is promised is 100 dB; what is measured is more.
func TestKaiserRejectsAliases(t *testing.T) {
	for _, rates := range [][2]int{{44100, 24000}, {48000, 24000}, {96000, 24000}, {44056, 24000}, {24000, 16000}} {
		from, to := rates[0], rates[1]
		nyquist := float64(to) / 2
		worst, ripple := math.Inf(-1), 0.0
		for k := range 24 {
			f := nyquist * (1.0001 + (float64(from)/float64(to)-1.001)*float64(k)/23)
			worst = max(worst, level(t, audio.Kaiser, from, to, f))
			f = math.Round(nyquist*(0.02+(0.91-0.02)*float64(k)/23)/8) * 8 // whole periods in the middle's 1/8 s
			ripple = max(ripple, math.Abs(level(t, audio.Kaiser, from, to, f)))
		}
		t.Logf("%d to %d Hz: aliases at most %.1f dB, ripple %.2g dB", from, to, worst, ripple)
		if worst > -120 || ripple > 1e-4 {
			t.Errorf("%d to %d Hz: aliases at %.1f dB, ripple %.2g dB, want at most -120 and 1e-4", from, to, worst, ripple)
		}
	}
}

// Upsampling makes no images: a tone in the pass-band comes out as that tone alone.
func TestKaiserMakesNoImages(t *testing.T) {
	const from, to = 16000, 24000
	worst := 0.0
	for k := range 20 {
		f := 100 + 7180*float64(k)/19
		tone := func(rate int) []float32 {
			x := make([]float32, rate/4)
			for i := range x {
				x[i] = float32(math.Sin(2 * math.Pi * f * float64(i) / float64(rate)))
			}
			return x
		}
		got, want := convert(t, audio.Kaiser, from, to, tone(from), 999), tone(to)
		for i := len(got) / 4; i < len(got)*3/4; i++ {
			worst = max(worst, math.Abs(float64(got[i]-want[i])))
		}
	}
	t.Logf("largest error %.2g", worst)
	if worst > 2e-6 {
		t.Errorf("largest error %g, want at most 2e-6", worst)
	}
}

// The blocks that a stream comes in do not matter, nor does the way a file is read.
func TestResamplerBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	x := make([]float32, 20000)
	for i := range x {
		x[i] = rng.Float32() - 0.5
	}
	for _, rates := range [][2]int{{44100, 24000}, {48000, 24000}, {8000, 24000}, {44101, 24000}, {24000, 44100}, {768000, 24000}, {1000, 24000}, {24000, 24000}} {
		for _, r := range []audio.Resampling{audio.Kaiser, audio.Torchaudio} {
			in := x[:min(len(x), max(500, rates[0]/10))]
			whole := convert(t, r, rates[0], rates[1], in, len(in))
			if want := (len(in)*rates[1] + rates[0] - 1) / rates[0]; len(whole) != want {
				t.Errorf("%s, %v Hz: %d samples, want %d", r, rates, len(whole), want)
			}
			for _, most := range []int{1, 7, 500} {
				if !slices.Equal(convert(t, r, rates[0], rates[1], in, most), whole) {
					t.Errorf("%s, %v Hz: blocks of up to %d change the result", r, rates, most)
				}
			}
		}
	}
}

// Short inputs, down to none at all, have their length, and a constant stays one.
func TestResamplerEdges(t *testing.T) {
	for n := range 5 {
		if got := convert(t, audio.Kaiser, 48000, 24000, make([]float32, n), 1); len(got) != (n+1)/2 {
			t.Errorf("%d samples become %d", n, len(got))
		}
	}
	x := make([]float32, 4000)
	for i := range x {
		x[i] = 1
	}
	y := convert(t, audio.Kaiser, 44100, 24000, x, 100)
	for i, v := range y[500:1500] {
		if math.Abs(float64(v)-1) > 2e-6 {
			t.Fatalf("sample %d of a constant is %v", 500+i, v)
		}
	}
}

func TestResamplerRefuses(t *testing.T) {
	for _, rates := range [][2]int{{0, 24000}, {24000, -1}, {999, 24000}, {24000, 768001}, {math.MaxInt, 24000}} {
		if _, err := audio.NewResampler(audio.Kaiser, rates[0], rates[1]); !errors.Is(err, audio.ErrInvalid) {
			t.Errorf("%v Hz: error %v, want ErrInvalid", rates, err)
		}
	}
	for name, want := range map[string]audio.Resampling{"": audio.Kaiser, "kaiser": audio.Kaiser, "torchaudio": audio.Torchaudio} {
		if got, err := audio.ParseResampling(name); got != want || err != nil {
			t.Errorf("%q: %v, %v, want %v", name, got, err, want)
		}
	}
	if _, err := audio.ParseResampling("soxr"); err == nil {
		t.Error("soxr is taken for a resampler")
	}
}

func BenchmarkResampler(b *testing.B) {
	for _, r := range []audio.Resampling{audio.Kaiser, audio.Torchaudio} {
		for _, from := range []int{44100, 48000, 44101} {
			b.Run(string(r)+"/"+map[int]string{44100: "44100", 48000: "48000", 44101: "44101"}[from], func(b *testing.B) {
				x, y := make([]float32, from), make([]float32, 0, 2*audio.SampleRate)
				s, err := audio.NewResampler(r, from, audio.SampleRate)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					y = s.Append(y[:0], x)
				}
				b.ReportMetric(float64(b.N)*float64(audio.SampleRate)/b.Elapsed().Seconds()/1e6, "Msamples/s")
			})
		}
	}
}
