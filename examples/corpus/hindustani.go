package corpus

// hindustani is the art music of North India: a raga over a tanpura drone,
// with a tabla theka in tala.
//
//	Yaman      S R G M# P D N      vadi Ga; Pa (and Sa) slighted in ascent
//	Bhairav    S r G m P d N       vadi dha; andolan on re and dha
//	Malkauns   S g m d n           vadi ma; drone Ma-Sa
//	Todi       S r g M# P d N      (Miyan ki Todi) vadi dha; Pa weak in ascent
//	Bageshri   S (R) g m (P) D n   vadi ma; Re and Pa left out in ascent
//
// The thekas are the common ones: teental (16: 4+4+4+4) dha dhin dhin dha
// thrice varied, jhaptal (10: 2+3+2+3), rupak (7: 3+2+2, its first beat khali).
// Melodies are walks over the degrees with the stated emphases; pakads
// (catch phrases) are not modelled. Sa is C sharp, 277.2 Hz.
func hindustani() Culture {
	sixteen, ten, seven := []int{4, 4, 4, 4}, []int{2, 3, 2, 3}, []int{3, 2, 2}
	return Culture{
		Name: "hindustani", Title: "Hindustani",
		reference: 277.18,
		modes: []mode{
			{name: "Bageshri", up: just("SRgmPDn"), dominant: 3,
				resting: []int{5}, skip: []int{1, 4}, fifth: madhyama, path: arching},
			{name: "Bhairav", up: just("SrGmPdN"), dominant: 5,
				resting: []int{1, 3}, sway: []int{1, 5}, fifth: panchama, path: rising},
			{name: "Malkauns", up: just("Sgmdn"), dominant: 2,
				resting: []int{1}, sway: []int{1, 3}, fifth: madhyama, path: arching},
			{name: "Todi", up: just("SrgMPdN"), dominant: 5,
				resting: []int{2}, skip: []int{4}, sway: []int{1, 2}, fifth: panchama, path: arching},
			{name: "Yaman", up: just("SRGMPDN"), dominant: 2,
				resting: []int{6, 4}, skip: []int{4}, fifth: panchama, path: rising},
		},
		rhythms: []rhythm{
			{name: "jhaptal", units: 10, groups: ten, low: 2.3, up: 3.6, fill: "te", fillRate: .25,
				strokes: even(ten, "tin+ge", "na", "tin+ge", "tin+ge", "na", "tin", "na", "tin+ge", "tin+ge", "na")},
			{name: "rupak", units: 7, groups: seven, low: 1.9, up: 3.2, fill: "te", fillRate: .3,
				strokes: even(seven, "tin", "tin", "na", "tin+ge", "na", "tin+ge", "na")},
			{name: "teental", units: 16, groups: sixteen, low: 2.9, up: 4.6, fill: "te", fillRate: .15,
				strokes: even(sixteen, "na+ge", "tin+ge", "tin+ge", "na+ge", "na+ge", "tin+ge", "tin+ge", "na+ge",
					"na+ge", "tin", "tin", "na", "na", "tin+ge", "tin+ge", "na+ge")},
		},
		instruments: []string{"bansuri", "sarangi", "sitar", "voice"},
		ornaments:   []ornament{{"andolan", andolan, .45}, {"kan", grace, .4}, {"meend", slide, .55}},
		drums:       tabla(),
		drumLevel:   .6,
		backing:     tanpura,
	}
}
