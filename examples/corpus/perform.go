package corpus

import "math"

// perform plays a score: parts and drums at their levels, the room, the
// recording's colour, background noise, and a level between -28 and -14 dB full
// scale RMS, lower where peaks would pass 0.9.
func (s *score) perform(d *dice) []float32 {
	n := int(math.Round(s.seconds * rate))
	mix := make([]float32, n)
	scratch := make([]float32, n)
	sine := sineTable()
	players := map[string]*player{}
	for _, p := range s.parts {
		clear(scratch)
		who := players[p.instrument]
		if who == nil {
			who = newPlayer(d, p.instrument, sine)
			players[p.instrument] = who
		}
		for _, note := range p.notes {
			who.play(scratch, note, s.reference)
		}
		blend(mix, scratch, p.level)
	}
	clear(scratch)
	s.drumming(d, scratch)
	blend(mix, scratch, s.drumLevel)
	out := newRoom(d).apply(mix)
	colour(out, d.between(-.5, .9), d.between(600, 2500))
	background(out, d, d.between(20, 42))
	level(out, d.between(-28, -14))
	return out
}

// drumming renders each sound twice, since no two strokes are the same, and
// places the strokes.
func (s *score) drumming(d *dice, out []float32) {
	scale, decay := d.between(.88, 1.14), d.between(.7, 1.4)
	bank := map[string][2][]float32{}
	for i, h := range s.hits {
		pair, ok := bank[h.sound]
		if !ok {
			for k := range pair {
				pair[k] = s.drums[h.sound].render(d, s.reference, scale*d.between(.98, 1.02), decay*d.between(.9, 1.1))
			}
			bank[h.sound] = pair
		}
		at := int(math.Round(h.at * rate))
		if at >= len(out) {
			continue
		}
		sound, gain := pair[i&1], float32(h.gain)
		if at < 0 {
			sound, at = sound[min(-at, len(sound)):], 0
		}
		sound = sound[:min(len(sound), len(out)-at)]
		for j, x := range sound {
			out[at+j] += gain * x
		}
	}
}

// rms is the root mean square.
func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(len(x), 1)))
}

// blend adds src to dst with its RMS brought to level; silence adds nothing.
func blend(dst, src []float32, level float64) {
	r := rms(src)
	if r == 0 {
		return
	}
	g := float32(level / r)
	for i, v := range src {
		dst[i] += g * v
	}
}

// colour tilts the spectrum: adds amount times what lies below hz.
func colour(x []float32, amount, hz float64) {
	a, g, low := float32(1-math.Exp(-2*math.Pi*hz/rate)), float32(amount), float32(0)
	for i, v := range x {
		low += a * (v - low)
		x[i] = v + g*low
	}
}

// background adds noise that falls toward high frequencies, snr dB below.
func background(x []float32, d *dice, snr float64) {
	noise := make([]float32, len(x))
	white, low, hum := newHash(d), float32(0), float32(d.between(.05, .3))
	for i := range noise {
		w := white.next()
		low += hum * (w - low)
		noise[i] = low + .15*w
	}
	blend(x, noise, rms(x)*math.Pow(10, -snr/20))
}

// level scales to an RMS in dB full scale, but keeps peaks within 0.9.
func level(x []float32, db float64) {
	peak := 0.0
	for _, v := range x {
		peak = math.Max(peak, math.Abs(float64(v)))
	}
	if peak == 0 {
		return
	}
	g := float32(math.Min(math.Pow(10, db/20)/rms(x), .9/peak))
	for i := range x {
		x[i] *= g
	}
}
