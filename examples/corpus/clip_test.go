package corpus

import (
	"math"
	"slices"
	"sort"
	"testing"
)

func TestClipsAreSound(t *testing.T) {
	for _, c := range Cultures() {
		for i := range 24 {
			x, tags := c.Clip(11, i, 2)
			if len(x) != 2*rate {
				t.Fatalf("%s clip %d: %d samples, want %d", c.Name, i, len(x), 2*rate)
			}
			peak := 0.
			for j, v := range x {
				a := math.Abs(float64(v))
				if !(a <= .9001) { // NaN too
					t.Fatalf("%s clip %d: sample %d is %g", c.Name, i, j, v)
				}
				peak = math.Max(peak, a)
			}
			db := 20 * math.Log10(rms(x))
			if db < -34 || db > -13.9 {
				t.Errorf("%s clip %d %v: level %.1f dB, peak %.2f", c.Name, i, tags, db, peak)
			}
			mean := 0.
			for _, v := range x {
				mean += float64(v)
			}
			if mean /= float64(len(x)); math.Abs(mean) > .1*rms(x) {
				t.Errorf("%s clip %d: offset %g beside an RMS of %g", c.Name, i, mean, rms(x))
			}
		}
	}
}

func TestClipLengths(t *testing.T) {
	for _, seconds := range []float64{.01, .1, 1. / 3, 1} {
		x, _ := Cultures()[2].Clip(1, 5, seconds)
		if want := int(math.Round(seconds * rate)); len(x) != want {
			t.Errorf("%g s: %d samples, want %d", seconds, len(x), want)
		}
	}
}

func TestClipRepeats(t *testing.T) {
	for _, c := range Cultures() {
		a, tagsA := c.Clip(7, 13, 1)
		b, tagsB := c.Clip(7, 13, 1)
		if !slices.Equal(a, b) || !slices.Equal(tagsA, tagsB) {
			t.Errorf("%s: a clip is not the same twice", c.Name)
		}
	}
}

// A clip's tags are those of its score, and ornaments bend notes only where tagged.
func TestOrnamentsAreAudible(t *testing.T) {
	for _, c := range Cultures() {
		for i := range 40 {
			ch := c.assign(5, i)
			s := c.compose(c.dice(5, "clip", i), ch, 4)
			var glides, graces, swings int
			for _, n := range s.parts[0].notes {
				if n.bend.over > 0 && n.bend.from != 0 {
					glides++
				}
				if n.bend.held > 0 {
					graces++
				}
				if n.bend.depth != 0 {
					swings++
				}
			}
			if glides > 0 && !ch.has(slide) || graces > 0 && !ch.has(grace) {
				t.Errorf("%s clip %d: %d glides, %d grace notes, ornaments %v", c.Name, i, glides, graces, ch.ornaments)
			}
			waves := ch.has(vibrato) || ch.has(andolan) || ch.has(kampita) || ch.has(trill)
			if swings > 0 && !waves {
				t.Errorf("%s clip %d: %d swinging notes, ornaments %v", c.Name, i, swings, ch.ornaments)
			}
		}
	}
}

// Indian clips carry a drone and others do not: the power in a band about the low
// Sa stays close to its mean in every quarter second, against that of a melody.
func TestDrone(t *testing.T) {
	for _, c := range Cultures() {
		var steadiness []float64
		for i := range 12 {
			s := c.compose(c.dice(6, "clip", i), c.assign(6, i), 4)
			drone := false
			for _, p := range s.parts {
				drone = drone || p.instrument == "tanpura"
			}
			if want := c.Name == "hindustani" || c.Name == "carnatic"; drone != want {
				t.Errorf("%s clip %d: drone %v, want %v", c.Name, i, drone, want)
			}
			s.hits = nil
			x := s.perform(c.dice(6, "play", i))
			w := 2 * math.Pi * s.reference / rate
			least, most := math.Inf(1), 0.
			for at := rate / 2; at+rate/4 <= len(x); at += rate / 4 {
				total := rms(x) * rms(x)
				p := spectrumAt(x[at:at+rate/4], w) / total
				least, most = math.Min(least, p), math.Max(most, p)
			}
			steadiness = append(steadiness, 10*math.Log10(least/most))
		}
		sort.Float64s(steadiness)
		median := steadiness[len(steadiness)/2]
		if drone := c.Name == "hindustani" || c.Name == "carnatic"; drone != (median > -23) {
			t.Errorf("%s: power about Sa falls by %.1f dB within a clip", c.Name, -median)
		} else {
			t.Logf("%s: power about Sa falls by %.1f dB within a clip", c.Name, -median)
		}
	}
}

// Tuning stays within 0.3 semitone of the culture's reference and uses that room.
func TestTuning(t *testing.T) {
	for _, c := range Cultures() {
		low, high := math.Inf(1), math.Inf(-1)
		for i := range 100 {
			cents := centsBetween(c.compose(c.dice(8, "clip", i), c.assign(8, i), 1).reference, c.reference)
			low, high = math.Min(low, cents), math.Max(high, cents)
		}
		if low < -spread || high > spread || low > -.8*spread || high < .8*spread {
			t.Errorf("%s: tuned from %.1f to %.1f cents, want most of +-%d", c.Name, low, high, spread)
		}
	}
}

func BenchmarkClip(b *testing.B) {
	for _, c := range Cultures() {
		b.Run(c.Name, func(b *testing.B) {
			b.SetBytes(4 * rate * 2)
			for i := range b.N {
				c.Clip(1, i, 4)
			}
		})
	}
}
