package corpus

// rhythm is one cycle of a metre as its drum plays it.
type rhythm struct {
	name     string
	units    int        // length of the cycle in its smallest counted unit
	groups   []int      // the units' grouping; sums to units. Group heads are accented
	strokes  []stroke   // in order of time
	low, up  float64    // tempo range, units a second
	fill     string     // the light stroke that ornaments empty units; "" = none
	fillRate float64    // chance that an empty unit gets one
	comp     []compBeat // where chords are struck; nil where no chords are played
}

// stroke is one drum stroke: at in units from the head of the cycle. A sound
// with a plus sign is two hands at once.
type stroke struct {
	at    float64
	sound string
	gain  float64
}

// compBeat is one chord or bass stroke of the accompaniment.
type compBeat struct {
	at   float64
	bass bool
	gain float64
}

// pattern spells a cycle from durations and sounds of equal count, the way an
// usul or a theka is written down: the sound is struck, then lasts that many units.
// A sound "-" is silent. Group heads are struck harder than the rest.
func pattern(groups, durations []int, sounds ...string) []stroke {
	heads := map[int]bool{}
	at := 0
	for _, g := range groups {
		heads[at] = true
		at += g
	}
	var out []stroke
	at = 0
	for i, d := range durations {
		if sounds[i] != "-" {
			gain := .7
			if at == 0 {
				gain = 1
			} else if heads[at] {
				gain = .85
			}
			out = append(out, stroke{at: float64(at), sound: sounds[i], gain: gain})
		}
		at += d
	}
	return out
}

// even is a pattern of one stroke a unit.
func even(groups []int, sounds ...string) []stroke {
	ones := make([]int, len(sounds))
	for i := range ones {
		ones[i] = 1
	}
	return pattern(groups, ones, sounds...)
}

// accent is 1 on the head of the cycle, .75 on a group's head, .4 elsewhere.
func (r *rhythm) accent(unit int) float64 {
	unit %= r.units
	if unit == 0 {
		return 1
	}
	at := 0
	for _, g := range r.groups {
		if at == unit {
			return .75
		}
		at += g
	}
	return .4
}
