package corpus

import "math"

// comma is one Holdrian comma in cents: the octave in 53 equal parts.
const comma = 1200.0 / 53

// mode is a scale with the habits that make it a mode: where melodies rest,
// which way they travel, which degrees sway.
type mode struct {
	name  string
	up    []float64 // cents of the degrees of one octave above the tonic, ascending, first 0
	down  []float64 // the same degrees as played in descent; nil means up
	tonic float64   // cents of the tonic above the culture's reference pitch

	dominant int   // degree of the second centre: guclu, vadi, jiva svara, fifth
	resting  []int // further degrees that melodies dwell on
	skip     []int // degrees left out in ascent
	sway     []int // degrees that carry the slow oscillation, nil = any
	path     path
	fifth    float64 // cents of the drone's second string; 0 where there is none
	chords   [][]int // progressions as degrees of the roots; nil where there is no harmony
}

// path is the overall direction of a melody (Turkish seyir).
type path int

const (
	rising  path = iota // begins at the tonic, climbs, comes home
	arching             // begins at the dominant, opens both ways, comes home
	falling             // begins at the octave, descends
)

// commas converts successive intervals in Holdrian commas into degrees in
// cents; the last interval, which closes the octave, is left out of the result.
func commas(steps ...int) []float64 {
	out, at := make([]float64, 0, len(steps)), 0
	for _, s := range steps {
		out = append(out, float64(at)*comma)
		at += s
	}
	return out
}

// semitones lists degrees of the equal-tempered scale in cents.
func semitones(degrees ...int) []float64 {
	out := make([]float64, len(degrees))
	for i, d := range degrees {
		out[i] = 100 * float64(d)
	}
	return out
}

// Cents of the just fifth 3/2 and fourth 4/3: the strings of a tanpura beside Sa.
const (
	panchama = 701.9550008653874
	madhyama = 498.0449991346126
)

// shruti gives the frequency ratio of an Indian svara written in one letter:
// capitals are the higher of two forms (r R g G m M d D n N), S and P have one.
//
// The values are the five-limit ones that later theory assigns to twelve of the
// 22 shrutis (Bhatkhande's twelve svaras with just ratios; critically discussed
// in N. A. Jairazbhoy, "The Rags of North Indian Music", 1971). It is a model:
// measured intonation varies around such values, and the renderer deviates from
// them a little at every note. Both Indian corpora use it.
func shruti(svara rune) float64 {
	switch svara {
	case 'S':
		return 1
	case 'r':
		return 16. / 15
	case 'R':
		return 9. / 8
	case 'g':
		return 6. / 5
	case 'G':
		return 5. / 4
	case 'm':
		return 4. / 3
	case 'M':
		return 45. / 32
	case 'P':
		return 3. / 2
	case 'd':
		return 8. / 5
	case 'D':
		return 5. / 3
	case 'n':
		return 9. / 5
	case 'N':
		return 15. / 8
	}
	panic("corpus: no svara " + string(svara))
}

// just lists the degrees of a raga spelled in svara letters in cents.
func just(svaras string) []float64 {
	var out []float64
	for _, s := range svaras {
		out = append(out, 1200*math.Log2(shruti(s)))
	}
	return out
}

// size is the number of degrees in an octave.
func (m *mode) size() int { return len(m.up) }

// fold splits a position, counted in degrees from the tonic and possibly
// negative, into the degree within the octave and the octave.
func (m *mode) fold(position int) (degree, octave int) {
	n := m.size()
	degree = ((position % n) + n) % n
	return degree, (position - degree) / n
}

// cents is the pitch of a position above the culture's reference, in cents.
func (m *mode) cents(position int, descending bool) float64 {
	table := m.up
	if descending && m.down != nil {
		table = m.down
	}
	degree, octave := m.fold(position)
	return m.tonic + table[degree] + 1200*float64(octave)
}

// weight says how much a melody likes to be on a position.
func (m *mode) weight(position int) float64 {
	degree, _ := m.fold(position)
	switch {
	case degree == 0:
		return 3
	case degree == m.dominant:
		return 3
	case contains(m.resting, degree):
		return 1.8
	}
	return 1
}

func contains(list []int, x int) bool {
	for _, v := range list {
		if v == x {
			return true
		}
	}
	return false
}
