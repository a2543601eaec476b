package corpus

import "math"

// tanpura adds the drone of both Indian corpora: four strings plucked in turn
// without end, the fifth (or fourth) below, the middle octave twice, the low
// octave. On the Carnatic side the instrument is called tambura and is the same.
func tanpura(s *score, d *dice, ch choice) {
	strings := [4]float64{ch.mode.fifth - 1200, 0, 0, -1200}
	gap := d.between(.55, .9)
	p := part{instrument: "tanpura", level: d.between(.35, .75)}
	i := d.IntN(4)
	for at := -3*gap - d.Float64()*gap; at < s.seconds; at += gap {
		p.notes = append(p.notes, note{start: at, length: 4 * gap, cents: strings[i%4] + 2*d.NormFloat64(), gain: d.between(.8, 1)})
		i++
	}
	s.parts = append(s.parts, p)
}

// doubling adds the heterophony of a makam ensemble: a kanun that plays the
// melody's main notes, an octave off or not, in its own time and intonation.
// Some clips are for one melody instrument alone.
func doubling(s *score, d *dice, ch choice) {
	if d.chance(.3) {
		return
	}
	p := part{instrument: "kanun", level: d.between(.2, .5)}
	shift := 1200 * float64(d.IntN(2))
	for _, n := range s.parts[0].notes {
		if n.length < .12 || d.chance(.2) {
			continue
		}
		p.notes = append(p.notes, note{start: n.start + .015*d.NormFloat64(), length: n.length,
			cents: n.cents + shift + 4*d.NormFloat64(), gain: n.gain * d.between(.7, 1)})
	}
	s.parts = append(s.parts, p)
}

// strumming adds the laouto or guitar of a Greek band: bass and chord on the
// rhythm's beats, one chord a cycle. Half the players leave the thirds out.
func strumming(s *score, d *dice, ch choice) {
	triad := []int{0, 2, 4}
	if d.chance(.5) {
		triad = []int{0, 4}
	}
	s.chords(d, ch, "laouto", d.between(.15, .45), .012, triad)
}

// harmony adds western chords and bass, on the leading instrument where it can
// play both, else on an organ behind it.
func harmony(s *score, d *dice, ch choice) {
	instrument := ch.instrument
	if instrument == "voice" {
		instrument = "organ"
	}
	gap := .004
	if ch.has(arpeggio) {
		gap = s.unit * .48
	}
	s.chords(d, ch, instrument, d.between(.2, .55), gap, []int{0, 2, 4})
}

// chords adds a progression: at each beat of the rhythm a bass note or a triad
// of the mode (degrees above its root), whose notes follow each other by gap
// seconds.
func (s *score) chords(d *dice, ch choice, instrument string, level, gap float64, triad []int) {
	m := ch.mode
	progression := m.chords[d.IntN(len(m.chords))]
	upper := part{instrument: instrument, level: level}
	lower := part{instrument: instrument, level: level * 1.1}
	bar := d.IntN(len(progression))
	for head := s.origin; head < s.seconds; head += float64(s.rhythm.units) * s.unit {
		root := progression[bar%len(progression)]
		bar++
		for i, b := range s.rhythm.comp {
			at := head + b.at*s.unit
			next := float64(s.rhythm.units)
			if i+1 < len(s.rhythm.comp) {
				next = s.rhythm.comp[i+1].at
			}
			length := (next - b.at) * s.unit
			if at+length < 0 || at > s.seconds {
				continue
			}
			gain := b.gain * d.between(.8, 1.1)
			if b.bass {
				lower.notes = append(lower.notes, note{start: at, length: length, cents: m.cents(root, false) - 2400, gain: gain})
				if gap < .1 {
					continue
				}
			}
			for k, third := range triad {
				delay := gap * float64(k)
				if delay > length*.8 {
					break
				}
				cents := m.cents(root+third, false) - 1200
				if cents > m.tonic-200 {
					cents -= 1200 * math.Floor((cents-m.tonic+1000)/1200)
				}
				upper.notes = append(upper.notes, note{start: at + delay, length: length - delay, cents: cents, gain: .55 * gain})
			}
		}
	}
	s.parts = append(s.parts, lower, upper)
}
