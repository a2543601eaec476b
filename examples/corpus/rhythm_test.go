package corpus

import (
	"math"
	"slices"
	"testing"
)

func rhythmNamed(t *testing.T, c Culture, name string) *rhythm {
	t.Helper()
	for i := range c.rhythms {
		if c.rhythms[i].name == name {
			return &c.rhythms[i]
		}
	}
	t.Fatalf("%s has no rhythm %s", c.Name, name)
	return nil
}

func TestRhythmsAreCycles(t *testing.T) {
	for _, c := range Cultures() {
		for _, r := range c.rhythms {
			sum := 0
			for _, g := range r.groups {
				sum += g
			}
			if sum != r.units {
				t.Errorf("%s %s: groups %v make %d units, want %d", c.Name, r.name, r.groups, sum, r.units)
			}
			if !(0 < r.low && r.low < r.up) {
				t.Errorf("%s %s: tempo from %g to %g", c.Name, r.name, r.low, r.up)
			}
			last := -1.
			for _, s := range r.strokes {
				if s.at <= last || s.at >= float64(r.units) || s.at != math.Trunc(s.at) || s.gain <= 0 || s.gain > 1 {
					t.Errorf("%s %s: stroke %+v after %g", c.Name, r.name, s, last)
				}
				last = s.at
			}
			if r.strokes[0].at != 0 || r.strokes[0].gain != 1 {
				t.Errorf("%s %s does not begin with its strongest stroke", c.Name, r.name)
			}
			for i, b := range r.comp {
				if b.at >= float64(r.units) || i > 0 && b.at <= r.comp[i-1].at {
					t.Errorf("%s %s: accompaniment beat %+v out of order", c.Name, r.name, b)
				}
			}
		}
	}
}

// Where the strokes of well-known patterns fall, in units from the head.
func TestStrokeGrids(t *testing.T) {
	for _, test := range []struct {
		culture int
		rhythm  string
		units   int
		grid    []float64
		first   string
	}{
		{1, "duyek", 8, []float64{0, 1, 3, 4, 6}, "dum"},
		{1, "aksak", 9, []float64{0, 2, 3, 4, 6, 8}, "dum"},
		{1, "sofyan", 4, []float64{0, 2, 3}, "dum"},
		{2, "jhaptal", 10, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "tin+ge"},
		{2, "rupak", 7, []float64{0, 1, 2, 3, 4, 5, 6}, "tin"},
		{3, "misra-chapu", 7, []float64{0, 1, 3, 5}, "nam"},
		{4, "kalamatianos", 7, []float64{0, 3, 5}, "dum"},
		{4, "karsilamas", 9, []float64{0, 2, 4, 6, 8}, "dum"},
		{4, "hasapiko", 4, []float64{0, 2}, "dum"},
	} {
		r := rhythmNamed(t, Cultures()[test.culture], test.rhythm)
		var grid []float64
		for _, s := range r.strokes {
			grid = append(grid, s.at)
		}
		if r.units != test.units || !slices.Equal(grid, test.grid) || r.strokes[0].sound != test.first {
			t.Errorf("%s: %d units, strokes at %v, first %q", r.name, r.units, grid, r.strokes[0].sound)
		}
	}
}

// In teental the bayan is silent on the khali: matras 10 to 13.
func TestTeentalKhali(t *testing.T) {
	r := rhythmNamed(t, Cultures()[2], "teental")
	for _, s := range r.strokes {
		open := s.at >= 9 && s.at <= 12
		withBayan := len(s.sound) > 3 && s.sound[len(s.sound)-2:] == "ge"
		if open == withBayan {
			t.Errorf("matra %g is %s", s.at+1, s.sound)
		}
	}
}

func TestAccent(t *testing.T) {
	r := rhythmNamed(t, Cultures()[4], "kalamatianos")
	for unit, want := range []float64{1, .4, .4, .75, .4, .75, .4, 1} {
		if got := r.accent(unit); got != want {
			t.Errorf("unit %d has accent %g, want %g", unit, got, want)
		}
	}
}

// Drums as they sound: rises of energy lie on the 7/8 grid 3+2+2, at 0, 3 and 5
// units from the head, within 25 ms.
func TestSevenEightAsItSounds(t *testing.T) {
	c := Cultures()[4]
	r := *rhythmNamed(t, c, "kalamatianos")
	r.fill = ""
	d := c.dice(4, "seven", 0)
	s := &score{seconds: 6, reference: c.reference, unit: .2, rhythm: &r, drums: c.drums}
	s.beat(d)
	out := make([]float32, int(s.seconds*rate))
	s.drumming(d, out)
	found := map[int]int{}
	for _, at := range rises(out) {
		units := at / s.unit
		phase := math.Mod(units+.5, 7) - .5
		near := math.Round(phase)
		if off := math.Abs(phase-near) * s.unit; off > .025 {
			t.Errorf("an onset at %.3f s, %.0f ms off the grid", at, 1000*off)
		}
		found[int(near)]++
	}
	for unit := range 7 {
		if want := unit == 0 || unit == 3 || unit == 5; want != (found[unit] >= 3) || !want && found[unit] > 0 {
			t.Errorf("%d onsets on unit %d: all %v", found[unit], unit, found)
		}
	}
}

// rises lists the times in s at which the power of 5 ms frames jumps eightfold.
func rises(x []float32) []float64 {
	const frame = rate / 200
	var out []float64
	before, last := 1e-4, -1.
	for at := 0; at+frame <= len(x); at += frame {
		power := rms(x[at:at+frame]) * rms(x[at:at+frame])
		t := float64(at) / rate
		if power > 8*before && power > 1e-3 && t-last > .08 {
			out = append(out, t)
			last = t
		}
		before = math.Max(power, 1e-4)
	}
	return out
}

// Every sound that a pattern names is in the culture's drums.
func TestStrokesHaveDrums(t *testing.T) {
	for _, c := range Cultures() {
		for i := range c.rhythms {
			r := &c.rhythms[i]
			s := &score{seconds: 30, unit: .2, rhythm: r}
			s.beat(c.dice(1, "strokes", i))
			if len(s.hits) == 0 {
				t.Errorf("%s %s is silent", c.Name, r.name)
			}
			for _, h := range s.hits {
				if _, ok := c.drums[h.sound]; !ok {
					t.Errorf("%s %s: no drum for %q", c.Name, r.name, h.sound)
				}
			}
		}
	}
}

// Melody notes begin on units or half units, in order, and reach past the end.
func TestOnsets(t *testing.T) {
	for _, c := range Cultures() {
		for i := range 20 {
			s := c.compose(c.dice(2, "onsets", i), c.assign(2, i), 4)
			list := s.onsets(c.dice(3, "onsets", i))
			last := math.Inf(-1)
			for _, at := range list {
				half := 2 * (at - s.origin) / s.unit
				if at <= last || at >= 4 || math.Abs(half-math.Round(half)) > 1e-6 {
					t.Fatalf("%s: onset %g after %g, unit %g", c.Name, at, last, s.unit)
				}
				last = at
			}
			if len(list) == 0 || list[0] > s.unit {
				t.Errorf("%s clip %d: onsets %v", c.Name, i, list)
			}
		}
	}
}
