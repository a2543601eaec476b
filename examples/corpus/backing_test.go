package corpus

import (
	"math"
	"testing"
)

// pitchClass is the degree of a mode that a pitch belongs to, and how far off it is
// in cents.
func pitchClass(m *mode, cents float64) (degree int, off float64) {
	off = math.Inf(1)
	for i, d := range m.up {
		x := math.Mod(cents-m.tonic-d+12600, 1200) - 600
		if math.Abs(x) < math.Abs(off) {
			degree, off = i, x
		}
	}
	return degree, off
}

// Chords and basses of the western and Greek corpora hold the mode's notes alone, between
// two octaves below the reference and the leading line's own register.
func TestChordsStayInTheMode(t *testing.T) {
	for _, k := range []int{0, 4} {
		c := Cultures()[k]
		for i := range cell {
			s := c.compose(c.dice(1, "clip", i), c.assign(1, i), 4)
			if len(s.parts) != 3 {
				t.Fatalf("%s clip %d: %d parts, want lead, bass and chords", c.Name, i, len(s.parts))
			}
			for _, p := range s.parts[1:] {
				if len(p.notes) == 0 {
					t.Errorf("%s clip %d: %s has nothing to play", c.Name, i, p.instrument)
				}
				for _, n := range p.notes {
					if _, off := pitchClass(s.mode, n.cents); math.Abs(off) > 1e-6 {
						t.Errorf("%s %s: %g cents is off the mode by %g", c.Name, s.mode.name, n.cents, off)
					}
					if n.cents < -2400 || n.cents > 1200 || n.length <= 0 || n.gain <= 0 {
						t.Errorf("%s %s: note %+v", c.Name, s.mode.name, n)
					}
				}
			}
		}
	}
}

// The tanpura plucks fifth, Sa, Sa, low Sa in turn; fourth for fifth where the raga asks it.
func TestTanpuraStrings(t *testing.T) {
	for _, test := range []struct {
		culture int
		mode    string
		first   float64
	}{{2, "Yaman", 701.955}, {2, "Malkauns", 498.045}, {2, "Bageshri", 498.045}, {3, "Kalyani", 701.955}} {
		c := Cultures()[test.culture]
		m := modeNamed(t, c, test.mode)
		s := &score{seconds: 8, mode: m}
		tanpura(s, c.dice(1, "tanpura", 0), choice{mode: m})
		notes := s.parts[0].notes
		at := 0
		for notes[at].cents > -300 || notes[at].cents < -900 {
			at++
		}
		for i, want := range []float64{test.first - 1200, 0, 0, -1200, test.first - 1200} {
			if got := notes[at+i].cents; math.Abs(got-want) > 12 {
				t.Errorf("%s: string %d at %.1f cents, want %.1f", test.mode, i, got, want)
			}
		}
		if notes[0].start > 0 {
			t.Errorf("%s: the drone begins at %g s, want before the clip", test.mode, notes[0].start)
		}
	}
}

// The kanun plays notes of the melody, an octave up or not.
func TestDoublingFollowsTheMelody(t *testing.T) {
	c := Cultures()[1]
	with := 0
	for i := range 40 {
		s := c.compose(c.dice(1, "clip", i), c.assign(1, i), 4)
		if len(s.parts) == 1 {
			continue
		}
		with++
		for _, n := range s.parts[1].notes {
			near := math.Inf(1)
			for _, lead := range s.parts[0].notes {
				if math.Abs(lead.start-n.start) < .1 {
					off := math.Abs(n.cents - lead.cents)
					near = math.Min(near, math.Min(off, math.Abs(off-1200)))
				}
			}
			if near > 25 {
				t.Errorf("clip %d: the kanun is %.0f cents from the melody", i, near)
			}
		}
	}
	if with < 15 || with > 38 {
		t.Errorf("a kanun in %d of 40 clips, want about 28", with)
	}
}
