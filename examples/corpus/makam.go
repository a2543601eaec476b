package corpus

import "math"

// makam is Turkish makam music.
//
// Intervals are those of the Arel-Ezgi-Uzdilek system, in Holdrian commas of
// 1/53 octave: bakiye 4, kucuk mucenneb 5, buyuk mucenneb 8, tanini 9, artik
// ikili 12. Each makam is a tetrachord and a pentachord joined at its guclu:
//
//	Rast     rast 5 (9 8 5 9) + rast 4 (9 8 5); in descent acem replaces evic (9 4 9)
//	Ussak    ussak 4 (8 5 9) + buselik 5 (9 4 9 9)
//	Huseyni  huseyni 5 (8 5 9 9) + ussak 4 (8 5 9)
//	Hicaz    hicaz 4 (5 12 5) + rast 5 on neva (9 8 5 9)
//	Segah    segah 5 (5 9 8 9) + hicaz 4 on evic (5 12 5)
//
// Theory and practice differ: the second degree of Ussak and Huseyni is
// performed lower than 8 commas (Bozkurt et al., "Weighing diverse theoretical
// models on Turkish maqam music against pitch measurements", Journal of New
// Music Research 38(1), 2009). Here it is played one comma and a half lower in
// descending Ussak and half a comma lower in descending Huseyni, a
// simplification of that finding.
//
// One ahenk serves the corpus: neva is 440 Hz (bolahenk), so that rast lies
// 31 commas below, and each makam ends on its own perde: Rast on rast, Ussak,
// Huseyni and Hicaz on dugah (9 commas), Segah on segah (17).
//
// Usuls are the basic velveleless forms, durations in units: sofyan
// dum 2 te 1 ke 1; duyek dum 1 tek 2 tek 1 dum 2 tek 2; aksak dum 2 te 1 ke 1
// dum 2 tek 2 tek 1 (sofyan and Turk aksagi, 4 + 5).
func makam() Culture {
	const dugah, segah = 9 * comma, 17 * comma
	duyek, aksak, sofyan := []int{4, 4}, []int{4, 5}, []int{2, 2}
	return Culture{
		Name: "turkish-makam", Title: "Turkish makam",
		reference: 440 / math.Exp2(31.0/53),
		modes: []mode{
			{name: "Hicaz", up: commas(5, 12, 5, 9, 8, 5, 9), tonic: dugah, dominant: 3, resting: []int{1, 2}, path: arching},
			{name: "Huseyni", up: commas(8, 5, 9, 9, 8, 5, 9), down: lowered(commas(8, 5, 9, 9, 8, 5, 9), 1, .5), tonic: dugah,
				dominant: 4, resting: []int{2}, path: arching},
			{name: "Rast", up: commas(9, 8, 5, 9, 9, 8, 5), down: commas(9, 8, 5, 9, 9, 4, 9), dominant: 4, resting: []int{2}, path: rising},
			{name: "Segah", up: commas(5, 9, 8, 9, 5, 12, 5), tonic: segah, dominant: 2, resting: []int{4}, path: rising},
			{name: "Ussak", up: commas(8, 5, 9, 9, 4, 9, 9), down: lowered(commas(8, 5, 9, 9, 4, 9, 9), 1, 1.5), tonic: dugah,
				dominant: 3, resting: []int{1}, path: rising},
		},
		rhythms: []rhythm{
			{name: "aksak", units: 9, groups: aksak, low: 5, up: 6.8, fill: "ka", fillRate: .1,
				strokes: pattern(aksak, []int{2, 1, 1, 2, 2, 1}, "dum", "tek", "ka", "dum", "tek", "tek")},
			{name: "duyek", units: 8, groups: duyek, low: 3.2, up: 4.4, fill: "ka", fillRate: .1,
				strokes: pattern(duyek, []int{1, 2, 1, 2, 2}, "dum", "tek", "tek", "dum", "tek")},
			{name: "sofyan", units: 4, groups: sofyan, low: 2.2, up: 3.2, fill: "ka", fillRate: .1,
				strokes: pattern(sofyan, []int{2, 1, 1}, "dum", "tek", "ka")},
		},
		instruments: []string{"kemence", "ney", "oud", "voice"},
		ornaments:   []ornament{{"carpma", grace, .45}, {"glide", slide, .5}, {"vibrato", vibrato, .4}},
		drums:       frameDrums(),
		drumLevel:   .65,
		backing:     doubling,
	}
}

// lowered returns degrees with one of them lowered by so many commas.
func lowered(degrees []float64, degree int, by float64) []float64 {
	degrees[degree] -= by * comma
	return degrees
}
