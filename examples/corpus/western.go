package corpus

// western is tonal and modal music of the West in twelve equal semitones:
// chord progressions, bass, a melody of chord and passing tones, and a drum
// kit. Modes are the common diatonic ones on C (261.6 Hz); minor is natural
// minor. Progressions are a few stock ones for each mode, roots as degrees of
// the mode (0 = tonic), one chord a bar.
func western() Culture {
	four, three, six := []int{2, 2, 2, 2}, []int{2, 2, 2}, []int{3, 3}
	return Culture{
		Name: "western", Title: "Western", Western: true,
		reference: 261.63,
		modes: []mode{
			{name: "dorian", up: semitones(0, 2, 3, 5, 7, 9, 10), dominant: 4, resting: []int{2, 5}, path: arching, chords: [][]int{{0, 3, 0, 3}, {0, 6, 3, 0}}},
			{name: "lydian", up: semitones(0, 2, 4, 6, 7, 9, 11), dominant: 4, resting: []int{2, 3}, path: arching, chords: [][]int{{0, 1, 0, 1}, {0, 4, 1, 0}}},
			{name: "major", up: semitones(0, 2, 4, 5, 7, 9, 11), dominant: 4, resting: []int{2}, path: rising, chords: [][]int{{0, 4, 5, 3}, {0, 3, 4, 0}, {0, 5, 3, 4}}},
			{name: "minor", up: semitones(0, 2, 3, 5, 7, 8, 10), dominant: 4, resting: []int{2}, path: falling, chords: [][]int{{0, 5, 2, 6}, {0, 3, 4, 0}, {0, 6, 5, 6}}},
			{name: "mixolydian", up: semitones(0, 2, 4, 5, 7, 9, 10), dominant: 4, resting: []int{2, 6}, path: rising, chords: [][]int{{0, 6, 3, 0}, {0, 3, 6, 0}}},
		},
		rhythms: []rhythm{
			{name: "3/4", units: 6, groups: three, low: 3, up: 4.2, fill: "hat", fillRate: .25,
				strokes: pattern(three, []int{2, 2, 2}, "kick", "brush", "brush"),
				comp:    []compBeat{{0, true, 1}, {2, false, .7}, {4, false, .7}}},
			{name: "4/4", units: 8, groups: four, low: 3.2, up: 4.4, fill: "hat", fillRate: .3,
				strokes: even(four, "kick+hat", "hat", "snare+hat", "hat", "kick+hat", "hat", "snare+hat", "hat"),
				comp:    []compBeat{{0, true, 1}, {2, false, .7}, {4, true, .8}, {6, false, .7}}},
			{name: "6/8", units: 6, groups: six, low: 4.2, up: 5.6, fill: "hat", fillRate: .1,
				strokes: even(six, "kick", "hat", "hat", "snare", "hat", "hat"),
				comp:    []compBeat{{0, true, 1}, {2, false, .5}, {3, false, .8}, {5, false, .5}}},
		},
		instruments: []string{"guitar", "piano", "strings", "voice"},
		ornaments:   []ornament{{"arpeggio", arpeggio, .5}, {"trill", trill, .4}},
		drums:       kit(),
		drumLevel:   .6,
		backing:     harmony,
	}
}
