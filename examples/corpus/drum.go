package corpus

import "math"

// drum is one stroke as a sum of dying modes and a puff of noise.
type drum struct {
	modes []partial
	noise float64 // beside the modes' summed gain
	hiss  float64 // centre of the noise, Hz
	puff  float64 // time constant of the noise, s
	bend  float64 // the modes start so many cents high (or low) and settle
	tuned bool    // frequencies are multiples of the culture's reference pitch
}

// partial is a mode: frequency in Hz or as a multiple of the reference, time
// constant in s, gain.
type partial struct{ freq, decay, gain float64 }

// Loaded skins (tabla, mridangam) have modes near whole multiples of a
// fundamental: C. V. Raman, "The Indian musical drums", Proc. Indian Acad. Sci.
// A1, 1934. Plain skins have the inharmonic modes of a circular membrane, 1,
// 1.59, 2.14, 2.30. Time constants are chosen by ear.

// tabla: na (rim), tin (open), te (dead), all on the right drum tuned to Sa,
// and ge, the left drum with its rise of pitch. dha = na+ge, dhin = tin+ge.
func tabla() map[string]drum {
	return map[string]drum{
		"na":  {modes: []partial{{1, .05, .3}, {2, .12, 1}, {3, .1, .8}, {4, .05, .3}}, noise: .3, hiss: 3500, puff: .008, tuned: true},
		"tin": {modes: []partial{{1, .25, 1}, {2, .18, .5}, {3, .06, .2}}, noise: .1, hiss: 2500, puff: .008, tuned: true},
		"te":  {modes: []partial{{1.6, .02, .4}, {2.9, .015, .3}}, noise: .8, hiss: 1500, puff: .015, tuned: true},
		"ge":  {modes: []partial{{92, .22, 1}, {187, .1, .3}}, noise: .08, hiss: 400, puff: .02, bend: -300},
	}
}

// mridangam: tha (dull, right), dhi (half open), nam (ringing), ki (dead) on the
// right head tuned to Sa; thom on the left.
func mridangam() map[string]drum {
	return map[string]drum{
		"tha":  {modes: []partial{{1, .03, .5}, {2, .03, .5}, {3.1, .02, .5}}, noise: .7, hiss: 2200, puff: .012, tuned: true},
		"dhi":  {modes: []partial{{1, .1, .5}, {2, .09, .9}, {3, .05, .3}}, noise: .25, hiss: 2500, puff: .01, tuned: true},
		"nam":  {modes: []partial{{1, .12, .3}, {2, .22, 1}, {3, .2, .7}, {4, .1, .3}}, noise: .2, hiss: 4000, puff: .006, tuned: true},
		"ki":   {modes: []partial{{1.5, .015, .4}, {2.6, .012, .4}}, noise: .8, hiss: 1300, puff: .012, tuned: true},
		"thom": {modes: []partial{{72, .14, 1}, {118, .07, .4}}, noise: .12, hiss: 300, puff: .02, bend: 120},
	}
}

// frameDrums: dum, tek and ka of bendir and kudum.
func frameDrums() map[string]drum {
	return map[string]drum{
		"dum": {modes: []partial{{98, .16, 1}, {156, .09, .5}, {210, .05, .3}}, noise: .2, hiss: 900, puff: .05},
		"tek": {modes: []partial{{390, .05, .5}, {620, .04, .5}, {835, .03, .4}}, noise: .8, hiss: 3800, puff: .035},
		"ka":  {modes: []partial{{350, .03, .3}, {560, .03, .3}}, noise: .7, hiss: 3000, puff: .025},
	}
}

// daouli: the two-headed drum of Greek bands, dum with the stick, tek with the switch.
func daouli() map[string]drum {
	return map[string]drum{
		"dum": {modes: []partial{{78, .2, 1}, {124, .1, .5}, {167, .06, .3}}, noise: .2, hiss: 600, puff: .03},
		"tek": {modes: []partial{{240, .04, .4}, {382, .03, .3}}, noise: 1, hiss: 2600, puff: .02},
	}
}

// kit is a drum kit.
func kit() map[string]drum {
	return map[string]drum{
		"kick":  {modes: []partial{{55, .12, 1}}, noise: .15, hiss: 2000, puff: .005, bend: 900},
		"snare": {modes: []partial{{185, .06, .7}, {330, .04, .4}}, noise: 1.1, hiss: 2800, puff: .07},
		"brush": {noise: .7, hiss: 4500, puff: .09},
		"hat":   {noise: .5, hiss: 8500, puff: .025},
	}
}

// render writes one stroke from scratch, varied by scale (of pitch) and decay.
func (t drum) render(d *dice, reference, scale, decay float64) []float32 {
	longest := 5 * t.puff
	for _, m := range t.modes {
		longest = math.Max(longest, 5*m.decay*decay)
	}
	out := make([]float32, int(longest*rate)+block)
	for _, m := range t.modes {
		hz := m.freq * scale
		if t.tuned {
			hz = m.freq * reference
		}
		ring(out, hz, m.decay*decay, m.gain, t.bend)
	}
	hiss := newAir(t.hiss*d.between(.8, 1.25), d)
	gain, fall := t.noise*d.between(.7, 1.3), math.Exp(-16/(t.puff*rate))
	for at := 0; at+16 <= len(out) && gain > 1e-4; at += 16 {
		hiss.add(out[at:at+16], gain)
		gain *= fall
	}
	return out
}

// ring adds a dying sine. Its pitch starts bend cents off and settles with a
// time constant of 30 ms; the rotation is set anew every block.
func ring(out []float32, hz, decay, gain, bend float64) {
	re, im := 0.0, gain
	for at := 0; at < len(out) && math.Abs(re)+math.Abs(im) > 1e-4*gain; at += block {
		w := 2 * math.Pi / rate * hz * math.Exp2(bend/1200*math.Exp(-float64(at)/(.03*rate)))
		r := math.Exp(-1 / (decay * rate))
		c, s := r*math.Cos(w), r*math.Sin(w)
		for i := at; i < min(at+block, len(out)); i++ {
			out[i] += float32(re)
			re, im = re*c+im*s, im*c-re*s
		}
	}
}
