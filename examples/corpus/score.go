package corpus

import "math"

// rate is the sample rate of every clip in Hz, the encoder's.
const rate = 24000

// spread is how far, in cents, a recording's tuning may lie from its culture's
// reference: 0.3 semitone, so that modes stay learnable from absolute pitch.
const spread = 30

// score is a clip as an ensemble reads it, before any sound.
type score struct {
	seconds   float64
	reference float64 // Hz, after this recording's tuning
	unit      float64 // seconds a rhythmic unit
	origin    float64 // when the first cycle head falls, at or before 0
	rhythm    *rhythm
	mode      *mode
	parts     []part
	hits      []hit
	drums     map[string]drum
	drumLevel float64
}

// part is the notes of one instrument. level is its loudness in the mix.
type part struct {
	instrument string
	level      float64
	notes      []note
}

// note is one tone: cents above the score's reference, gain 0 to 1.
type note struct {
	start, length float64 // seconds; start may be negative (begun before the clip)
	cents, gain   float64
	bend          bend
	vowel         int
}

// hit is one drum sound.
type hit struct {
	at    float64 // seconds
	sound string
	gain  float64
}

// compose writes the score of one clip: tempo, drum part, melody, backing.
func (c Culture) compose(d *dice, ch choice, seconds float64) *score {
	r := ch.rhythm
	s := &score{
		seconds:   seconds,
		reference: c.reference * math.Exp2(d.between(-spread, spread)/1200),
		unit:      1 / d.between(r.low, r.up),
		rhythm:    r, mode: ch.mode,
		drums: c.drums, drumLevel: c.drumLevel * d.between(.65, 1.4),
	}
	s.origin = -d.Float64() * float64(r.units) * s.unit
	s.beat(d)
	s.lead(d, ch)
	c.backing(s, d, ch)
	return s
}

// beat writes the drum part: the cycle's strokes, a few left out, light fills
// between, each a few milliseconds off and unequally loud.
func (s *score) beat(d *dice) {
	r := s.rhythm
	for head := s.origin; head < s.seconds; head += float64(r.units) * s.unit {
		struck := make([]bool, r.units)
		for _, st := range r.strokes {
			struck[int(st.at)] = true
			if st.at != 0 && d.chance(.06) {
				continue
			}
			s.strike(d, head+st.at*s.unit, st.sound, st.gain*d.between(.75, 1.1))
		}
		for u := range struck {
			if !struck[u] && r.fill != "" && d.chance(r.fillRate) {
				s.strike(d, head+float64(u)*s.unit, r.fill, d.between(.3, .5))
			}
		}
	}
}

// strike adds the sounds of one stroke, split at plus signs.
func (s *score) strike(d *dice, at float64, sound string, gain float64) {
	at += .004 * d.NormFloat64()
	for begin, i := 0, 0; i <= len(sound); i++ {
		if i == len(sound) || sound[i] == '+' {
			s.hits = append(s.hits, hit{at: at, sound: sound[begin:i], gain: gain})
			begin = i + 1
		}
	}
}
