package corpus

import (
	"math"
	"testing"
)

func TestModesAreScales(t *testing.T) {
	for _, c := range Cultures() {
		for _, m := range c.modes {
			for _, table := range [][]float64{m.up, m.down} {
				for i := range table {
					if i == 0 && table[i] != 0 || i > 0 && table[i] <= table[i-1] || table[i] >= 1200 {
						t.Errorf("%s %s: degrees %v do not ascend from 0 within an octave", c.Name, m.name, table)
						break
					}
				}
			}
			if m.down != nil && len(m.down) != len(m.up) {
				t.Errorf("%s %s: %d degrees up, %d down", c.Name, m.name, len(m.up), len(m.down))
			}
			for _, list := range [][]int{m.resting, m.skip, m.sway, {m.dominant}} {
				for _, degree := range list {
					if degree < 0 || degree >= m.size() {
						t.Errorf("%s %s names degree %d of %d", c.Name, m.name, degree, m.size())
					}
				}
			}
			for _, progression := range m.chords {
				for _, root := range progression {
					if root < 0 || root >= m.size() {
						t.Errorf("%s %s: chord on degree %d", c.Name, m.name, root)
					}
				}
			}
		}
	}
}

// Steps of a makam close the octave: 53 commas.
func TestCommasCloseTheOctave(t *testing.T) {
	got := commas(5, 12, 5, 9, 8, 5, 9)
	if len(got) != 7 || math.Abs(got[6]+9*comma-1200) > 1e-9 {
		t.Errorf("commas give %v", got)
	}
}

func TestFold(t *testing.T) {
	m := &mode{up: semitones(0, 2, 4, 7, 9)}
	for _, test := range []struct{ position, degree, octave int }{
		{0, 0, 0}, {4, 4, 0}, {5, 0, 1}, {12, 2, 2}, {-1, 4, -1}, {-5, 0, -1}, {-6, 4, -2},
	} {
		degree, octave := m.fold(test.position)
		if degree != test.degree || octave != test.octave {
			t.Errorf("fold(%d) is %d, %d, want %d, %d", test.position, degree, octave, test.degree, test.octave)
		}
	}
	if got := m.cents(-1, false); got != -300 {
		t.Errorf("the degree below the tonic is at %g cents, want -300", got)
	}
}

// Just fifths and fourths among the svaras, and the two drones' strings.
func TestShrutis(t *testing.T) {
	for _, test := range []struct {
		low, high rune
		num, den  float64
	}{
		{'S', 'P', 3, 2}, {'S', 'm', 4, 3}, {'r', 'd', 3, 2}, {'g', 'n', 3, 2}, {'G', 'N', 3, 2},
		{'m', 'D', 5, 4}, {'P', 'N', 5, 4}, {'R', 'M', 5, 4}, {'R', 'P', 4, 3},
	} {
		if got := shruti(test.high) / shruti(test.low); math.Abs(got-test.num/test.den) > 1e-12 {
			t.Errorf("%c to %c is %g, want %g/%g", test.low, test.high, got, test.num, test.den)
		}
	}
	if math.Abs(1200*math.Log2(1.5)-panchama) > 1e-9 || math.Abs(1200*math.Log2(4./3)-madhyama) > 1e-9 {
		t.Error("panchama and madhyama are not 3/2 and 4/3")
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown svara is accepted")
		}
	}()
	shruti('x')
}

// Paths begin and end where they say, and stay within two octaves.
func TestPaths(t *testing.T) {
	for _, c := range Cultures() {
		for i := range c.modes {
			m := &c.modes[i]
			if got := m.target(1); got != 0 {
				t.Errorf("%s ends on degree %g, want 0", m.name, got)
			}
			if got, want := m.target(0), float64(m.outset()); got != want {
				t.Errorf("%s begins on degree %g, want %g", m.name, got, want)
			}
			if m.target(-3) != m.target(0) || m.target(7) != m.target(1) {
				t.Errorf("%s: the path goes on beyond its ends", m.name)
			}
		}
	}
}

// A melody follows its path, dwells on centres, and avoids what is left out going up.
func TestWalk(t *testing.T) {
	m := modeNamed(t, Cultures()[2], "Bageshri")
	d := Cultures()[2].dice(1, "walk", 0)
	w := walk{mode: m, d: d}
	visits, upOnSkipped, ups := make([]int, m.size()), 0, 0
	for range 5000 {
		before := w.position
		w.step(3)
		degree, _ := m.fold(w.position)
		visits[degree]++
		if w.position > before {
			ups++
			if contains(m.skip, degree) {
				upOnSkipped++
			}
		}
		if w.position < -8 || w.position > 14 {
			t.Fatalf("the melody strays to %d, its path is at 3", w.position)
		}
	}
	if visits[3] < visits[4] || visits[3] < visits[2] {
		t.Errorf("visits %v: the vadi, degree 3, is not the centre", visits)
	}
	if share := float64(upOnSkipped) / float64(ups); share > .15 {
		t.Errorf("%.2f of upward steps reach degrees left out in ascent", share)
	}
}
