package corpus

// timbre is an instrument as a harmonic tone: how loud each harmonic starts, how
// fast groups of them die, the body it sounds through, its noise.
type timbre struct {
	octave  int         // the part sounds this many octaves above where it is written
	slope   float64     // harmonic k starts at k^-slope
	even    float64     // factor on even harmonics; 1 for strings, near 0 for a stopped cylinder
	pluck   float64     // plucking point as a share of the string, 0 = not plucked
	body    []resonance // nil = flat
	floor   float64     // the body's response away from its resonances
	attack  float64     // seconds
	release float64     // seconds after the note's end
	decay   [3]float64  // time constants in s of harmonics 1-2, 3-7 and 8 up; 0 = sustained
	bloom   float64     // seconds over which harmonics 8 up grow: the buzz of a curved bridge
	courses int         // strings a note, slightly apart in pitch
	noise   float64     // breath or bow noise beside the tone's amplitude of 1
	hiss    float64     // centre of that noise, Hz
	waver   float64     // slow unsteadiness of pitch, cents
}

// resonance is one formant: centre and half-power width in Hz, amplitude gain.
type resonance struct{ centre, width, gain float64 }

// vowels is the number of vowel colours of the voice.
const vowels = 5

// timbreOf looks an instrument up. These are sketches that keep apart what a
// listener tells apart first: plucked or sustained, which harmonics, where the
// body resonates, how noisy. They are made by ear and from general acoustics
// (N. H. Fletcher and T. D. Rossing, "The Physics of Musical Instruments"),
// not measured on recordings.
func timbreOf(name string) (timbre, bool) {
	t, ok := timbres()[name]
	return t, ok
}

func timbres() map[string]timbre {
	return map[string]timbre{
		// plucked and struck
		"guitar": {slope: 1.1, even: 1, pluck: .23, body: []resonance{{105, 40, 1.5}, {210, 80, 1.5}, {430, 200, .8}}, floor: .7,
			attack: .003, release: .12, decay: [3]float64{1.1, .6, .18}, courses: 1},
		"piano": {slope: 1.35, even: 1, pluck: .12, floor: 1,
			attack: .002, release: .18, decay: [3]float64{1.8, 1, .35}, courses: 2},
		"oud": {octave: -1, slope: 1.15, even: 1, pluck: .3, body: []resonance{{110, 50, 2}, {330, 150, 1.2}}, floor: .6,
			attack: .004, release: .08, decay: [3]float64{.5, .25, .08}, courses: 2},
		"kanun": {slope: .9, even: 1, pluck: .1, body: []resonance{{500, 300, .8}, {1800, 900, .6}}, floor: .7,
			attack: .002, release: .3, decay: [3]float64{.9, .5, .2}, courses: 3},
		"sitar": {slope: .75, even: 1, pluck: .08, body: []resonance{{350, 150, .8}, {1600, 900, .9}}, floor: .6,
			attack: .002, release: .25, decay: [3]float64{1, .9, .6}, bloom: .08, courses: 1},
		"veena": {slope: .95, even: 1, pluck: .14, body: []resonance{{200, 90, 1.2}, {700, 350, 1}}, floor: .6, octave: -1,
			attack: .004, release: .2, decay: [3]float64{1.4, 1, .45}, bloom: .05, courses: 1},
		"tanpura": {slope: .45, even: 1, pluck: .5, body: []resonance{{300, 200, .8}, {1200, 800, .6}}, floor: .6,
			attack: .02, release: .4, decay: [3]float64{1.6, 1.6, 1.1}, bloom: .35, courses: 1},
		"bouzouki": {slope: .8, even: 1, pluck: .13, body: []resonance{{250, 120, .7}, {900, 500, 1}, {2600, 1000, .5}}, floor: .6,
			attack: .001, release: .08, decay: [3]float64{.55, .4, .18}, courses: 2},
		"laouto": {slope: 1, even: 1, pluck: .2, body: []resonance{{130, 60, 1.4}, {400, 200, .8}}, floor: .7,
			attack: .003, release: .1, decay: [3]float64{.6, .35, .12}, courses: 2},
		// bowed
		"strings": {slope: 1.15, even: 1, body: []resonance{{280, 120, .9}, {460, 180, .9}, {2600, 1200, .6}}, floor: .5,
			attack: .07, release: .12, courses: 3, noise: .03, hiss: 3000, waver: 8},
		"kemence": {slope: .8, even: 1, body: []resonance{{520, 200, 1}, {1100, 350, 1.6}, {2900, 900, .8}}, floor: .35,
			attack: .04, release: .05, courses: 1, noise: .08, hiss: 3800, waver: 7},
		"sarangi": {slope: .7, even: 1, body: []resonance{{420, 150, 1}, {850, 250, 1.2}, {1700, 500, 1.2}}, floor: .35,
			attack: .06, release: .1, courses: 2, noise: .06, hiss: 2500, waver: 7},
		"violin": {slope: .95, even: 1, body: []resonance{{290, 80, 1}, {450, 150, 1.1}, {2500, 1000, 1}}, floor: .5,
			attack: .05, release: .07, courses: 1, noise: .05, hiss: 4200, waver: 5},
		"lyra": {slope: .7, even: 1, body: []resonance{{600, 200, 1.2}, {1500, 500, 1.1}, {3500, 1200, .7}}, floor: .35,
			attack: .03, release: .05, courses: 1, noise: .09, hiss: 4500, waver: 7},
		// blown
		"ney": {slope: 1.7, even: .7, body: []resonance{{900, 500, .7}}, floor: .8,
			attack: .06, release: .07, courses: 1, noise: .3, hiss: 2200, waver: 8},
		"bansuri": {slope: 2.1, even: .8, floor: 1,
			attack: .06, release: .08, courses: 1, noise: .14, hiss: 1600, waver: 6},
		"flute": {octave: 1, slope: 2, even: .9, floor: 1,
			attack: .05, release: .06, courses: 1, noise: .18, hiss: 3000, waver: 6},
		"clarinet": {slope: .9, even: .12, body: []resonance{{1500, 900, .6}}, floor: .8,
			attack: .03, release: .05, courses: 1, noise: .03, hiss: 2500, waver: 6},
		"organ": {slope: 1.3, even: .6, floor: 1, attack: .03, release: .1, courses: 1},
		// the voice's body is a vowel: see vowel
		"voice": {slope: 1.25, even: 1, floor: .04, attack: .05, release: .07, courses: 1, noise: .03, hiss: 3500, waver: 14},
	}
}

// vowel lists the formants of a, e, i, o, u: averages of men's American English
// vowels (G. E. Peterson and H. L. Barney, JASA 24, 1952), with a weak singer's
// formant added. scale moves them for other vocal tracts.
func vowel(v int, scale float64) []resonance {
	f := [vowels][3]float64{{730, 1090, 2440}, {530, 1840, 2480}, {270, 2290, 3010}, {570, 840, 2410}, {300, 870, 2240}}[v]
	return []resonance{
		{f[0] * scale, 90, 1}, {f[1] * scale, 110, .6}, {f[2] * scale, 170, .3}, {2900 * scale, 300, .25},
	}
}
