package corpus

import "math"

// lead writes the melody: onsets where the metre is strong, pitches by a walk
// over the mode's degrees that follows its path, notes shaped by the clip's
// ornaments.
func (s *score) lead(d *dice, ch choice) {
	onsets := s.onsets(d)
	w := walk{mode: ch.mode, d: d, position: ch.mode.outset()}
	from, to := d.between(0, .35), d.between(.7, 1.1)
	tune := &part{instrument: ch.instrument, level: d.between(.8, 1.2)}
	last := math.NaN()
	for i, at := range onsets {
		end := s.seconds + .3
		if i+1 < len(onsets) {
			end = onsets[i+1]
		}
		progress := from + (to-from)*at/s.seconds
		previous := w.position
		w.step(ch.mode.target(progress))
		down := w.position < previous
		n := note{
			start: at + .008*d.NormFloat64(), length: end - at,
			cents: ch.mode.cents(w.position, down) + 7*d.NormFloat64(),
			gain:  d.between(.6, 1), vowel: d.IntN(vowels),
		}
		n.bend = shapeNote(d, ch, n, w.position, last)
		last = n.cents
		if d.chance(.07) {
			n.length *= .6 // a breath
		}
		tune.notes = append(tune.notes, n)
	}
	s.parts = append(s.parts, *tune)
}

// onsets chooses when melody notes begin: the more accented a unit the likelier,
// sometimes with a second note in the middle of a unit.
func (s *score) onsets(d *dice) []float64 {
	density, halves := d.between(.5, 1.1), d.between(0, .35)
	var out []float64
	first := int(math.Floor(-s.origin / s.unit))
	for u := first; ; u++ {
		at := s.origin + float64(u)*s.unit
		if at >= s.seconds {
			return out
		}
		if len(out) == 0 || d.chance(density*(.35+.65*s.rhythm.accent(u))) {
			out = append(out, at)
			if d.chance(halves) && s.unit > .2 && at+s.unit/2 < s.seconds {
				out = append(out, at+s.unit/2)
			}
		}
	}
}

// outset is the position a melody begins on.
func (m *mode) outset() int {
	switch m.path {
	case rising:
		return 0
	case falling:
		return m.size()
	}
	return m.dominant
}

// target is the height, in degrees, about which the melody moves when so much
// of its course (0 to 1) is over.
func (m *mode) target(progress float64) float64 {
	n, g := float64(m.size()), float64(m.dominant)
	var bends [5]float64
	switch m.path {
	case rising:
		bends = [5]float64{0, g, (g + n) / 2, g, 0}
	case falling:
		bends = [5]float64{n, n - 1, g, g / 2, 0}
	default:
		bends = [5]float64{g, n - 1, g, g / 2, 0}
	}
	x := 4 * math.Max(0, math.Min(progress, 1))
	i := min(int(x), 3)
	return bends[i] + (x-float64(i))*(bends[i+1]-bends[i])
}

// walk is a melody's place in its mode.
type walk struct {
	mode     *mode
	d        *dice
	position int
}

// step moves on: mostly to a neighbour, toward the target, onto degrees that the
// mode rests on, not upward through degrees that it leaves out in ascent.
func (w *walk) step(target float64) {
	near := [4]float64{.12, 1, .4, .15}
	var weights [7]float64
	for i := range weights {
		p := w.position + i - 3
		away := (float64(p) - target) / 2.2
		size := i - 3
		if size < 0 {
			size = -size
		}
		weights[i] = near[size] * w.mode.weight(p) * math.Exp(-away*away/2)
		degree, _ := w.mode.fold(p)
		if p > w.position && contains(w.mode.skip, degree) {
			weights[i] *= .1
		}
	}
	w.position += w.d.pick(weights[:]) - 3
}
