package corpus

import "math"

// tableSize is the length of a wave table, a power of two. Linear
// interpolation then leaves harmonic 20 with an error 54 dB below itself.
const (
	tableBits = 10
	tableSize = 1 << tableBits
)

// harmonics is the most that a tone has.
const harmonics = 28

// bands is the number of groups of harmonics that fade apart.
const bands = 3

// wave is one period of a tone, harmonics 1-2, 3-7 and 8 up side by side; the
// first entry is repeated at the end. The power of the whole is 1/2.
type wave [tableSize + 1][bands]float32

// player is one musician: a timbre as this instrument happens to have it.
type player struct {
	timbre
	d        *dice
	sing     bool
	tract    float64 // scale of the formants
	phases   [harmonics]float64
	sine     *[tableSize]float32
	waves    map[waveKey]*wave
	drift    [2]float64 // rates of the slow unsteadiness, Hz
	coupling float64    // cents between courses
}

type waveKey struct{ semitone, vowel int }

// newPlayer varies an instrument: brightness, resonances, decay, noise.
func newPlayer(d *dice, instrument string, sine *[tableSize]float32) *player {
	t, ok := timbreOf(instrument)
	if !ok {
		panic("corpus: no instrument " + instrument)
	}
	p := &player{timbre: t, d: d, sing: instrument == "voice", tract: d.between(.93, 1.08), sine: sine, waves: map[waveKey]*wave{}}
	p.slope += d.between(-.25, .25)
	p.body = make([]resonance, len(t.body))
	for i, r := range t.body {
		p.body[i] = resonance{r.centre * d.between(.85, 1.18), r.width * d.between(.75, 1.35), r.gain * d.between(.6, 1.4)}
	}
	length := d.between(.65, 1.5)
	for i := range p.decay {
		p.decay[i] *= length
	}
	p.pluck *= d.between(.75, 1.3)
	p.noise *= d.between(.5, 1.7)
	p.hiss *= d.between(.7, 1.4)
	p.attack *= d.between(.7, 1.5)
	p.drift = [2]float64{d.between(.7, 1.6), d.between(2, 3.6)}
	p.coupling = d.between(2, 9)
	if p.sing && d.chance(.5) { // a man's voice
		p.octave--
	} else if p.sing {
		p.tract *= 1.15
	}
	if !p.sing && d.chance(.1) { // another size of the instrument, another register
		p.octave += 1 - 2*d.IntN(2)
	}
	for k := range p.phases {
		p.phases[k] = d.Float64()
	}
	return p
}

// wave returns the table of a pitch, made once a semitone and vowel.
func (p *player) wave(hz float64, v int) *wave {
	key := waveKey{semitone: int(math.Round(12 * math.Log2(hz/440)))}
	if p.sing {
		key.vowel = v
	}
	if w := p.waves[key]; w != nil {
		return w
	}
	body := p.body
	if p.sing {
		body = vowel(v, p.tract)
	}
	hz = 440 * math.Exp2(float64(key.semitone)/12)
	var amplitude [harmonics]float64
	power, count := 0.0, 0
	for k := 1; k <= harmonics && float64(k)*hz < .42*rate; k++ {
		a := math.Pow(float64(k), -p.slope) * p.response(body, float64(k)*hz)
		if k%2 == 0 {
			a *= p.even
		}
		if p.pluck > 0 {
			a *= math.Abs(math.Sin(math.Pi*p.pluck*float64(k))) + .05
		}
		amplitude[k-1] = a
		power += a * a
		count = k
	}
	w := &wave{}
	for k := 1; k <= count; k++ {
		a := float32(amplitude[k-1] / math.Sqrt(power))
		b := bandOf(k)
		at, step := int(p.phases[k-1]*tableSize), k
		for i := range tableSize {
			w[i][b] += a * p.sine[at&(tableSize-1)]
			at += step
		}
	}
	w[tableSize] = w[0]
	p.waves[key] = w
	return w
}

// bandOf is the band of harmonic k, k from 1.
func bandOf(k int) int {
	switch {
	case k <= 2:
		return 0
	case k <= 7:
		return 1
	}
	return 2
}

// response is the amplitude gain of a body at a frequency.
func (p *player) response(body []resonance, hz float64) float64 {
	g := p.floor
	for _, r := range body {
		x := (hz - r.centre) / (r.width / 2)
		g += r.gain / (1 + x*x)
	}
	return g
}

// sineTable is one period of a sine, shared by a clip's players.
func sineTable() *[tableSize]float32 {
	var t [tableSize]float32
	for i := range t {
		t[i] = float32(math.Sin(2 * math.Pi * float64(i) / tableSize))
	}
	return &t
}
