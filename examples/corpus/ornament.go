package corpus

import "math"

// shape is a way of bending a note.
type shape int

const (
	slide    shape = iota // glide into the note from the one before: meend, jaru
	grace                 // a short neighbouring note first: carpma, kan, sphurita
	vibrato               // 5 to 6.5 Hz, narrow
	andolan               // slow sway, 2 to 3.2 Hz, about a quarter tone to either side
	kampita               // swing between the note and its upper neighbour, 4 to 6 Hz
	trill                 // quick alternation with the upper neighbour, 8 to 11 Hz
	arpeggio              // chords broken upward; shapes the backing, not the melody
)

// bend is the pitch course of one note, as deviations from it in cents.
type bend struct {
	from, over  float64 // the note begins this far off and glides home in so many seconds
	grace, held float64 // the note begins with a neighbour this far off, held so many seconds
	depth, freq float64 // oscillation: depth*wave(2 pi freq t), once begun
	begin       float64 // seconds after the onset
	oneSided    bool    // the oscillation goes up from the note only
	square      bool    // alternation rather than sway
}

// at is the deviation in cents t seconds after the onset.
func (b *bend) at(t float64) float64 {
	cents := 0.0
	if t < b.over {
		cents = b.from * (.5 + .5*math.Cos(math.Pi*t/b.over))
	}
	if t < b.held {
		cents += b.grace
	}
	if t -= b.begin; b.depth != 0 && t > 0 {
		wave := math.Sin(2 * math.Pi * b.freq * t)
		if b.square {
			wave = math.Max(-1, math.Min(4*wave, 1))
		}
		if b.oneSided {
			wave = .5 - .5*math.Cos(2*math.Pi*b.freq*t)
			if b.square {
				wave = math.Max(0, math.Min(4*(wave-.5)+.5, 1))
			}
		}
		cents += b.depth * wave * math.Min(1, t/.06)
	}
	return cents
}

// shapeNote bends one melody note with the clip's ornaments. last is the pitch
// of the note before, NaN at the start.
func shapeNote(d *dice, ch choice, n note, position int, last float64) bend {
	var b bend
	degree, _ := ch.mode.fold(position)
	above := ch.mode.cents(position+1, false) - ch.mode.cents(position, false)
	swaying := ch.mode.sway == nil || contains(ch.mode.sway, degree)
	if gap := last - n.cents; ch.has(slide) && !math.IsNaN(gap) && d.chance(.8) {
		b.from = math.Max(-700, math.Min(gap, 700))
		b.over = math.Min(.65*n.length, d.between(.1, .28))
	}
	if ch.has(grace) && n.length > .16 && d.chance(.55) {
		b.grace, b.held = above, d.between(.035, .06)
	}
	switch {
	case ch.has(kampita) && degree != 0 && n.length > .2 && d.chance(either(swaying, .9, .35)):
		b.depth, b.freq, b.oneSided = above*d.between(.6, 1), d.between(4, 6), true
	case ch.has(andolan) && degree != 0 && n.length > .25 && d.chance(either(swaying, .95, .4)):
		b.depth, b.freq, b.begin = d.between(35, 60), d.between(2, 3.2), .05
	case ch.has(trill) && n.length > .18 && d.chance(.55):
		b.depth, b.freq, b.oneSided, b.square = above, d.between(8, 11), true, true
	case ch.has(vibrato) && n.length > .15:
		b.depth, b.freq, b.begin = d.between(18, 38), d.between(5, 6.5), .08
	}
	return b
}

func either(cond bool, yes, no float64) float64 {
	if cond {
		return yes
	}
	return no
}
