package corpus

import "math"

// block is the number of samples between two looks at a note's pitch and
// loudness, 2.7 ms; both run in straight lines from one look to the next.
const block = 64

// play adds a note to out, which begins at the clip's start. reference is the
// pitch in Hz of 0 cents.
func (p *player) play(out []float32, n note, reference float64) {
	for c := range p.courses {
		apart := 0.0
		if p.courses > 1 {
			apart = p.coupling * (float64(c)/float64(p.courses-1) - .5)
		}
		p.course(out, n, reference*math.Exp2(apart/1200), n.gain/float64(p.courses))
	}
}

// course adds one string's or pipe's tone.
func (p *player) course(out []float32, n note, reference, gain float64) {
	home := reference * math.Exp2(n.cents/1200+float64(p.octave))
	w := p.wave(home, n.vowel)
	begin := int(math.Round(n.start * rate))
	length := n.length
	if ring := p.decay[0]; ring > 0 {
		length = min(length, 5*ring)
	}
	total := int((length + 3*p.release) * rate)
	e := p.envelope(length, gain)
	phase := uint32(p.d.Uint64())
	sway := p.d.Float64()
	hz := func(t float64) float64 {
		cents := n.bend.at(t)
		if p.waver > 0 {
			cents += p.waver * (.6*math.Sin(2*math.Pi*(p.drift[0]*t+sway)) + .4*math.Sin(2*math.Pi*(p.drift[1]*t+2*sway)))
		}
		return home * math.Exp2(cents/1200)
	}
	air := newAir(p.hiss, p.d)
	const turn = (1 << 32) / rate
	f, level := hz(0), e.next()
	for at := 0; at < total; at += block {
		f1, level1 := hz(float64(at+block)/rate), e.next()
		lo, hi := begin+at, begin+at+block
		if hi > 0 && lo < len(out) {
			from, to := max(lo, 0), min(hi, len(out))
			span := out[from:to]
			// a clip's edge may cut a block; the first sample then starts inside it
			skip := float32(from - lo)
			step, grow := uint32(f*turn), int32((f1-f)*turn/block)
			step += uint32(int32(skip) * grow)
			var a, da [bands]float32
			for b := range a {
				da[b] = float32(level1[b]-level[b]) / block
				a[b] = float32(level[b]) + skip*da[b]
			}
			phase = sound(span, w, phase, step, grow, a, da)
			if p.noise > 0 {
				air.add(span, p.noise*(level[0]+level1[0])/2)
			}
		}
		f, level = f1, level1
	}
}

// sound adds a stretch of wave table to dst: phase in 2^-32 turns, its step and
// the growth of the step a sample, amplitudes of the bands and theirs. It
// returns the phase after the last sample.
func sound(dst []float32, w *wave, phase, step uint32, grow int32, a, da [bands]float32) uint32 {
	const low = 32 - tableBits
	a0, a1, a2 := a[0], a[1], a[2]
	for i := range dst {
		at := phase >> low
		x := float32(phase&(1<<low-1)) * (1.0 / (1 << low))
		u, v := &w[at&(tableSize-1)], &w[at&(tableSize-1)+1]
		dst[i] += a0*(u[0]+x*(v[0]-u[0])) + a1*(u[1]+x*(v[1]-u[1])) + a2*(u[2]+x*(v[2]-u[2]))
		a0, a1, a2 = a0+da[0], a1+da[1], a2+da[2]
		phase += step
		step += uint32(grow)
	}
	return phase
}

// envelope yields the bands' amplitudes at every block edge.
type envelope struct {
	p           *player
	gain        float64
	t, end      float64
	fade, ratio [bands]float64
	swell, rate float64
}

func (p *player) envelope(length, gain float64) *envelope {
	e := &envelope{p: p, gain: gain, end: length, swell: p.d.between(0, .35), rate: 1 / math.Max(length, .15)}
	for b := range e.fade {
		e.fade[b], e.ratio[b] = 1, 1
		if p.decay[b] > 0 {
			e.ratio[b] = math.Exp(-block / (rate * p.decay[b]))
		}
	}
	return e
}

func (e *envelope) next() [bands]float64 {
	level := e.gain
	if e.t < e.p.attack {
		level *= e.t / e.p.attack
	}
	if e.t > e.end {
		x := (e.t - e.end) / e.p.release
		level *= math.Exp(-2*x) * math.Max(0, 1-x/3)
	}
	var out [bands]float64
	for b := range out {
		out[b] = level * e.fade[b]
		e.fade[b] *= e.ratio[b]
	}
	if e.p.decay[0] == 0 { // the player's effort: louder is brighter
		effort := 1 - e.swell*math.Abs(1-2*e.t*e.rate)
		out[0], out[1], out[2] = out[0]*effort, out[1]*effort*effort, out[2]*effort*effort*effort
	}
	if e.p.bloom > 0 {
		out[2] *= 1 - math.Exp(-e.t/e.p.bloom)
	}
	e.t += float64(block) / rate
	return out
}
