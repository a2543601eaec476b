package corpus

// greek is Greek folk, rebetiko and laiko music: the corpus nearest to the
// western one, with tempered intervals, chords and strummed accompaniment.
//
// Dromoi ("roads") are the modes of the bouzouki repertory, which the fretted
// instrument plays in twelve equal semitones (R. P. Pennanen, "The development
// of chordal harmony in Greek rebetika and laika music, 1930s to 1960s",
// British Journal of Ethnomusicology 6, 1997). Degrees in semitones:
//
//	Hitzaz   0 1 4 5 7 8 10
//	Houzam   0 3 4 5 7 9 11
//	Niavent  0 2 3 6 7 8 11
//	Ousak    0 1 3 5 7 8 10
//	Rast     0 2 4 5 7 9 11, in descent 10 for 11
//
// Players differ on several of them (Houzam and Ousak above all); one form is
// taken of each. Rhythms: kalamatianos 7/8 (3+2+2), karsilamas 9/8 (2+2+2+3),
// hasapiko 2/4 counted in four eighths. Unlike the Turkish corpus all modes
// share one final, D (293.7 Hz), as most bouzouki players tune to it. Chords
// are drones of tonic and fifth or the triad that the mode holds on a degree.
func greek() Culture {
	seven, nine, two := []int{3, 2, 2}, []int{2, 2, 2, 3}, []int{2, 2}
	return Culture{
		Name: "greek", Title: "Greek",
		reference: 293.66,
		modes: []mode{
			{name: "Hitzaz", up: semitones(0, 1, 4, 5, 7, 8, 10), dominant: 3, resting: []int{1, 4}, path: arching, chords: [][]int{{0, 0, 6, 0}, {0, 3, 1, 0}}},
			{name: "Houzam", up: semitones(0, 3, 4, 5, 7, 9, 11), dominant: 2, resting: []int{1, 4}, path: rising, chords: [][]int{{0, 0, 0, 2}, {0, 3, 0, 0}}},
			{name: "Niavent", up: semitones(0, 2, 3, 6, 7, 8, 11), dominant: 4, resting: []int{2}, path: falling, chords: [][]int{{0, 0, 4, 0}, {0, 5, 4, 0}}},
			{name: "Ousak", up: semitones(0, 1, 3, 5, 7, 8, 10), dominant: 3, resting: []int{2}, path: rising, chords: [][]int{{0, 6, 0, 6}, {0, 3, 6, 0}}},
			{name: "Rast", up: semitones(0, 2, 4, 5, 7, 9, 11), down: semitones(0, 2, 4, 5, 7, 9, 10), dominant: 4, resting: []int{2}, path: rising,
				chords: [][]int{{0, 3, 4, 0}, {0, 0, 4, 0}}},
		},
		rhythms: []rhythm{
			{name: "hasapiko", units: 4, groups: two, low: 3.4, up: 4.4, fill: "tek", fillRate: .05,
				strokes: pattern(two, []int{2, 2}, "dum", "tek"),
				comp:    []compBeat{{0, true, 1}, {1, false, .7}, {2, true, .8}, {3, false, .7}}},
			{name: "kalamatianos", units: 7, groups: seven, low: 4.4, up: 5.6, fill: "tek", fillRate: .1,
				strokes: pattern(seven, []int{3, 2, 2}, "dum", "tek", "tek"),
				comp:    []compBeat{{0, true, 1}, {3, false, .7}, {5, false, .7}}},
			{name: "karsilamas", units: 9, groups: nine, low: 5.2, up: 6.8, fill: "tek", fillRate: .1,
				strokes: pattern(nine, []int{2, 2, 2, 2, 1}, "dum", "tek", "dum", "tek", "tek"),
				comp:    []compBeat{{0, true, 1}, {2, false, .7}, {4, true, .8}, {6, false, .7}, {7, false, .5}}},
		},
		instruments: []string{"bouzouki", "clarinet", "lyra", "voice"},
		ornaments:   []ornament{{"glide", slide, .4}, {"trill", trill, .45}},
		drums:       daouli(),
		drumLevel:   .6,
		backing:     strumming,
	}
}
