package corpus

import (
	"math"
	"testing"
)

// The noise of breath and bow has an RMS near 1 and lies about its centre.
func TestAir(t *testing.T) {
	for _, hz := range []float64{300, 1500, 4000} {
		d := Cultures()[0].dice(1, "air", int(hz))
		x := make([]float32, 2*rate)
		newAir(hz, d).add(x, 1)
		if r := rms(x); r < .85 || r > 1.15 {
			t.Errorf("noise about %g Hz has an RMS of %.2f, want 1", hz, r)
		}
		if inside, outside := bandPower(x, hz), bandPower(x, hz*.25)+bandPower(x, hz*2.5); inside < 2*outside {
			t.Errorf("noise about %g Hz: power %.3g at the centre, %.3g well off it", hz, inside, outside)
		}
	}
}

// bandPower averages the spectrum of short pieces at a frequency.
func bandPower(x []float32, hz float64) float64 {
	sum := 0.
	for at := 0; at+512 <= len(x); at += 512 {
		sum += spectrumAt(x[at:at+512], 2*math.Pi*hz/rate)
	}
	return sum
}

func TestWhiteNoise(t *testing.T) {
	h := newHash(Cultures()[0].dice(1, "white", 0))
	const n = 1 << 16
	sum, squares, next := 0., 0., 0.
	last := 0.
	for range n {
		v := float64(h.next())
		if v < -1 || v >= 1 {
			t.Fatalf("%g is outside [-1, 1)", v)
		}
		sum, squares, next, last = sum+v, squares+v*v, next+v*last, v
	}
	if math.Abs(sum/n) > .01 || math.Abs(squares/n-1./3) > .01 || math.Abs(next/n) > .01 {
		t.Errorf("mean %.4f, variance %.4f, neighbours' product %.4f", sum/n, squares/n, next/n)
	}
}

// A mode of a drum rings at its frequency and falls by e in its time constant.
func TestRing(t *testing.T) {
	x := make([]float32, rate)
	ring(x, 300, .2, 1, 0)
	if off := centsBetween(peak(x[:rate/4], 303), 300); math.Abs(off) > 2 {
		t.Errorf("rings %.1f cents off", off)
	}
	early, late := rms(x[:2400]), rms(x[4800:7200])
	if got := math.Log(early / late); math.Abs(got-1) > .02 {
		t.Errorf("falls by e^%.3f in a time constant, want e", got)
	}
	bent := make([]float32, rate/2)
	ring(bent, 300, .4, 1, 120)
	if off := centsBetween(peak(bent[:rate/50], 310), 300); off < 20 {
		t.Errorf("a stroke bent by 120 cents starts %.1f cents high", off)
	}
}

func TestDrumsSound(t *testing.T) {
	for _, c := range Cultures() {
		for name, drum := range c.drums {
			x := drum.render(c.dice(1, name, 0), c.reference, 1, 1)
			start, end := rms(x[:rate/50]), rms(x[len(x)-block:])
			if start < .01 || start > 3 || end > .05*start {
				t.Errorf("%s: %s begins at %.3f and ends at %.4f", c.Name, name, start, end)
			}
		}
	}
}

// The room keeps the direct sound, adds a tail, and the tail dies.
func TestRoom(t *testing.T) {
	for seed := range 20 {
		r := newRoom(Cultures()[0].dice(uint64(seed), "room", 0))
		dry := make([]float32, 2*rate)
		dry[100] = 1
		wet := r.apply(dry)
		for i := range 100 {
			if wet[i] != 0 {
				t.Fatal("sound before its cause")
			}
		}
		if wet[100] != 1 {
			t.Errorf("direct sound of %g, want 1", wet[100])
		}
		early, late := rms(wet[101:rate/5]), rms(wet[rate:])
		if early == 0 || late > early/300 {
			t.Errorf("room %d: tail of %.2g after %.2g", seed, late, early)
		}
	}
}

// A wave holds power 1/2 in all, each harmonic in its band.
func TestWave(t *testing.T) {
	for name := range timbres() {
		p := newPlayer(Cultures()[0].dice(1, name, 0), name, sineTable())
		for _, hz := range []float64{110, 440, 1760} {
			w := p.wave(hz, 2)
			power := 0.
			for _, at := range w[:tableSize] {
				sum := float64(at[0] + at[1] + at[2])
				power += sum * sum / tableSize
			}
			if math.Abs(power-.5) > .01 || w[tableSize] != w[0] {
				t.Errorf("%s at %g Hz: power %.3f, want .5", name, hz, power)
			}
			if p.wave(hz, 2) != w {
				t.Errorf("%s at %g Hz: made twice", name, hz)
			}
		}
	}
}

// The vowels of one voice differ.
func TestVowels(t *testing.T) {
	p := newPlayer(Cultures()[0].dice(1, "voice", 0), "voice", sineTable())
	for v := 1; v < vowels; v++ {
		if *p.wave(220, v) == *p.wave(220, 0) {
			t.Errorf("vowel %d is vowel 0", v)
		}
	}
}

// A note that began before the clip goes on as loud as if it had been heard from its
// start. (Only its phase differs, which is random anyhow.)
func TestNoteBeforeTheClip(t *testing.T) {
	c := Cultures()[0]
	play := func(shift float64) []float32 {
		p := newPlayer(c.dice(3, "shift", 0), "guitar", sineTable())
		out := make([]float32, rate)
		p.play(out, note{start: .5 - shift, length: 1, cents: 100, gain: 1}, c.reference)
		return out
	}
	whole, cut := play(0), play(.75)
	const shift = 3 * rate / 4
	const frame = rate / 20
	for at := 0; at+frame <= rate-shift; at += frame {
		got, want := rms(cut[at:at+frame]), rms(whole[at+shift:at+shift+frame])
		if math.Abs(got-want) > .1*want {
			t.Errorf("sample %d: RMS %g, want %g", at, got, want)
		}
	}
}

func TestBend(t *testing.T) {
	glide := bend{from: -300, over: .2}
	if glide.at(0) != -300 || math.Abs(glide.at(.1)+150) > 1e-9 || glide.at(.2) != 0 {
		t.Errorf("a glide from -300 is at %g, %g, %g", glide.at(0), glide.at(.1), glide.at(.2))
	}
	short := bend{grace: 200, held: .05}
	if short.at(.04) != 200 || short.at(.05) != 0 {
		t.Errorf("a grace note is at %g, then %g", short.at(.04), short.at(.05))
	}
	for name, test := range map[string]struct {
		bend      bend
		low, high float64
	}{
		"kampita": {bend{depth: 200, freq: 5, oneSided: true}, 0, 200},
		"andolan": {bend{depth: 50, freq: 2.5}, -50, 50},
		"trill":   {bend{depth: 100, freq: 9, oneSided: true, square: true}, 0, 100},
	} {
		low, high := 0., 0.
		for i := range 2000 {
			v := test.bend.at(float64(i) / 1000)
			low, high = math.Min(low, v), math.Max(high, v)
		}
		if math.Abs(low-test.low) > 1 || math.Abs(high-test.high) > 1 {
			t.Errorf("%s moves from %.1f to %.1f cents, want %.0f to %.0f", name, low, high, test.low, test.high)
		}
	}
}

func TestLevel(t *testing.T) {
	x := []float32{.001, -.001, .001, -.001}
	level(x, -20)
	if got := rms(x); math.Abs(got-.1) > 1e-6 {
		t.Errorf("RMS %g, want .1", got)
	}
	spike := make([]float32, 1000)
	spike[7] = -2
	level(spike, -14)
	if spike[7] != -.9 {
		t.Errorf("peak %g, want -.9", spike[7])
	}
	silent := make([]float32, 3)
	level(silent, -14)
	if rms(silent) != 0 {
		t.Error("silence became something")
	}
}
