package corpus

import "math"

// room is a small room: a few early reflections and a tail from four delay
// lines that feed each other through a Hadamard matrix.
type room struct {
	taps  []tap
	lines [4]line
	wet   float32
}

type tap struct {
	delay int
	gain  float32
}

// line is a delay with a gain and a one-pole low-pass in its loop.
type line struct {
	buffer     []float32
	at         int
	gain, damp float32
	state      float32
}

// newRoom draws a room with a reverberation time of 0.15 to 0.6 s.
func newRoom(d *dice) *room {
	r := &room{wet: float32(d.between(.04, .3))}
	size := d.between(.6, 1.4)
	for range 6 {
		delay := d.between(.003, .022) * size
		gain := math.Exp(-delay/.012) * d.between(.3, .7)
		if d.chance(.5) {
			gain = -gain
		}
		r.taps = append(r.taps, tap{int(delay * rate), float32(gain)})
	}
	t60, damp := d.between(.15, .6), d.between(.15, .6)
	for i, ms := range [4]float64{17.3, 21.1, 26.9, 31.7} {
		n := int(ms * size * d.between(.95, 1.05) * rate / 1000)
		r.lines[i] = line{buffer: make([]float32, n), damp: float32(damp),
			gain: float32(math.Pow(10, -3*float64(n)/(t60*rate)))}
	}
	return r
}

// apply returns dry with the room's sound added.
func (r *room) apply(dry []float32) []float32 {
	out := make([]float32, len(dry))
	copy(out, dry)
	for _, t := range r.taps {
		g := t.gain * r.wet * 2
		for i := t.delay; i < len(out); i++ {
			out[i] += g * dry[i-t.delay]
		}
	}
	l := &r.lines
	for i, x := range dry {
		a, b, c, d := l[0].read(), l[1].read(), l[2].read(), l[3].read()
		l[0].write(x + (a+b+c+d)*.5)
		l[1].write(x + (a-b+c-d)*.5)
		l[2].write(x + (a+b-c-d)*.5)
		l[3].write(x + (a-b-c+d)*.5)
		out[i] += r.wet * (a - b + c - d)
	}
	return out
}

func (l *line) read() float32 {
	l.state += (1 - l.damp) * (l.gain*l.buffer[l.at] - l.state)
	return l.state
}

func (l *line) write(x float32) {
	l.buffer[l.at] = x
	if l.at++; l.at == len(l.buffer) {
		l.at = 0
	}
}
