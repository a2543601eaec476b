package corpus

import (
	"math"
	"testing"
)

// peak finds the frequency within 40 cents of near at which the windowed
// spectrum of x is largest, in Hz. It searches in steps of one cent and then fits a
// parabola, which is good to about 0.1 cent on a steady tone.
func peak(x []float32, near float64) float64 {
	const reach = 40
	var power [2*reach + 1]float64
	for i := range power {
		w := 2 * math.Pi * near * math.Exp2(float64(i-reach)/1200) / rate
		power[i] = spectrumAt(x, w)
	}
	best := 1
	for i := 1; i < len(power)-1; i++ {
		if power[i] > power[best] {
			best = i
		}
	}
	a, b, c := power[best-1], power[best], power[best+1]
	at := float64(best-reach) + .5*(a-c)/(a-2*b+c)
	return near * math.Exp2(at/1200)
}

// spectrumAt is the squared magnitude at w radians a sample under a Hann window.
func spectrumAt(x []float32, w float64) float64 {
	c, s := math.Cos(w), math.Sin(w)
	hc, hs := math.Cos(2*math.Pi/float64(len(x))), math.Sin(2*math.Pi/float64(len(x)))
	re, im, zr, zi, wr, wi := 0., 0., 1., 0., 1., 0.
	for _, v := range x {
		y := float64(v) * (1 - wr)
		re += y * zr
		im += y * zi
		zr, zi = zr*c-zi*s, zr*s+zi*c
		wr, wi = wr*hc-wi*hs, wr*hs+wi*hc
	}
	return re*re + im*im
}

// tone plays one plain note of a second on an instrument that does not waver.
func tone(c Culture, instrument string, cents float64) []float32 {
	d := c.dice(5, "tone", 0)
	p := newPlayer(d, instrument, sineTable())
	p.waver, p.noise, p.octave, p.coupling = 0, 0, 0, 0
	out := make([]float32, rate)
	p.play(out, note{length: 1.1, cents: cents, gain: 1}, c.reference)
	return out
}

func centsBetween(f, g float64) float64 { return 1200 * math.Log2(f/g) }

// Scales as they sound: each degree is played and its pitch measured. Steps are
// those of the theories named in the package, written here once more as fractions
// of the octave in 53 or 12 parts, or as the product of just ratios.
func TestScalesAsTheySound(t *testing.T) {
	const holdrian = 22.641509433962263 // cents: 1200/53
	just := func(num, den float64) float64 { return 1200 * math.Log2(num/den) }
	T, lemma := just(10, 9), just(16, 15) // small tone, diatonic semitone
	M, aug := just(9, 8), just(75, 64)    // great tone, augmented second
	for _, test := range []struct {
		culture    int
		mode       string
		unit       float64
		steps      []float64 // in units, up to the octave
		descending bool
	}{
		{1, "Hicaz", holdrian, []float64{5, 12, 5, 9, 8, 5, 9}, false},
		{1, "Rast", holdrian, []float64{9, 8, 5, 9, 9, 8, 5}, false},
		{1, "Rast", holdrian, []float64{9, 8, 5, 9, 9, 4, 9}, true},
		{1, "Ussak", holdrian, []float64{8, 5, 9, 9, 4, 9, 9}, false},
		{1, "Ussak", holdrian, []float64{6.5, 6.5, 9, 9, 4, 9, 9}, true},
		{1, "Segah", holdrian, []float64{5, 9, 8, 9, 5, 12, 5}, false},
		{2, "Bhairav", 1, []float64{lemma, aug, lemma, M, lemma, aug, lemma}, false},
		{2, "Malkauns", 1, []float64{just(6, 5), T, just(6, 5), M, T}, false},
		{3, "Mohanam", 1, []float64{M, T, just(6, 5), T, just(6, 5)}, false},
		{3, "Kalyani", 1, []float64{M, T, M, lemma, T, M, lemma}, false},
		{4, "Hitzaz", 100, []float64{1, 3, 1, 2, 1, 2, 2}, false},
		{4, "Niavent", 100, []float64{2, 1, 3, 1, 1, 3, 1}, false},
		{0, "lydian", 100, []float64{2, 2, 2, 1, 2, 2, 1}, false},
	} {
		c := Cultures()[test.culture]
		m := modeNamed(t, c, test.mode)
		if m.size() != len(test.steps) {
			t.Fatalf("%s: %d degrees, want %d", m.name, m.size(), len(test.steps))
		}
		at := 0.
		tonic := peak(tone(c, "organ", m.cents(0, test.descending)), c.reference*math.Exp2(m.tonic/1200))
		for k, step := range test.steps {
			at += step * test.unit
			hz := peak(tone(c, "organ", m.cents(k+1, test.descending)), tonic*math.Exp2(at/1200))
			const tolerance = .5 // cents; the scan alone is good to .1
			if got := centsBetween(hz, tonic); math.Abs(got-at) > tolerance {
				t.Errorf("%s degree %d: sounds at %.2f cents, want %.2f", m.name, k+1, got, at)
			}
		}
	}
}

func modeNamed(t *testing.T, c Culture, name string) *mode {
	t.Helper()
	for i := range c.modes {
		if c.modes[i].name == name {
			return &c.modes[i]
		}
	}
	t.Fatalf("%s has no mode %s", c.Name, name)
	return nil
}

// The augmented second tells the traditions apart: 12 commas (271.7 cents) in Hicaz, 3
// semitones in the Greek Hitzaz, 75/64 (274.6 cents) in the Indian ragas.
func TestAugmentedSecond(t *testing.T) {
	for _, test := range []struct {
		culture    int
		mode       string
		instrument string
		want       float64
	}{
		{1, "Hicaz", "kanun", 12 * 1200. / 53},
		{4, "Hitzaz", "bouzouki", 300},
		{2, "Bhairav", "sitar", 1200 * math.Log2(75./64)},
		{3, "Mayamalavagowla", "veena", 1200 * math.Log2(75./64)},
	} {
		c := Cultures()[test.culture]
		m := modeNamed(t, c, test.mode)
		var hz [2]float64
		for i := range hz {
			cents := m.cents(1+i, false)
			hz[i] = peak(tone(c, test.instrument, cents), c.reference*math.Exp2(cents/1200))
		}
		if got := centsBetween(hz[1], hz[0]); math.Abs(got-test.want) > 1 {
			t.Errorf("%s on %s: augmented second of %.2f cents, want %.2f", test.mode, test.instrument, got, test.want)
		}
	}
}

// Neva is 440 Hz, rast a fifth below, segah 17 commas above rast.
func TestPerdes(t *testing.T) {
	c := Cultures()[1]
	for _, test := range []struct {
		mode     string
		position int
		perde    string
		hz       float64
	}{
		{"Rast", 0, "rast", 440 / math.Exp2(31./53)},
		{"Rast", 4, "neva", 440},
		{"Ussak", 3, "neva", 440},
		{"Hicaz", 3, "neva", 440},
		{"Huseyni", 4, "huseyni", 440 * math.Exp2(9./53)},
		{"Segah", 2, "neva", 440},
		{"Segah", 0, "segah", 440 / math.Exp2(14./53)},
	} {
		m := modeNamed(t, c, test.mode)
		if got := c.reference * math.Exp2(m.cents(test.position, false)/1200); math.Abs(centsBetween(got, test.hz)) > .01 {
			t.Errorf("%s: %s at %.3f Hz, want %.3f", test.mode, test.perde, got, test.hz)
		}
	}
}

// Every instrument plays the pitch it is given, its own unsteadiness aside.
func TestInstrumentsInTune(t *testing.T) {
	c := Cultures()[0]
	for name, timbre := range timbres() {
		d := c.dice(9, name, 0)
		p := newPlayer(d, name, sineTable())
		out := make([]float32, rate)
		p.play(out, note{length: 1.2, cents: 250, gain: 1}, c.reference)
		want := c.reference * math.Exp2(250./1200+float64(p.octave))
		tolerance := 1 + timbre.waver
		if timbre.courses > 1 {
			tolerance += 4
		}
		if got := centsBetween(peak(out, want), want); math.Abs(got) > tolerance {
			t.Errorf("%s is %.1f cents off, want within %.1f", name, got, tolerance)
		}
	}
}
