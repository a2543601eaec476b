package corpus

// carnatic is the art music of South India: a raga over a tambura drone with
// mridangam.
//
// Scales follow the melakarta scheme (number in brackets) of Venkatamakhin and
// Govindacharya, in the just ratios of [shruti]:
//
//	Hanumatodi (8)        S R1 G2 M1 P D1 N2
//	Mayamalavagowla (15)  S R1 G3 M1 P D1 N3
//	Kharaharapriya (22)   S R2 G2 M1 P D2 N2
//	Kalyani (65)          S R2 G3 M2 P D2 N3
//	Mohanam (of 28)       S R2 G3 P D2
//
// Kampita, the oscillation that carries many svaras, swings between a svara
// and its neighbour at 4 to 6 Hz; Sa and Pa are held plain. Which svaras sway
// and how is fixed by tradition for each raga; here a short list a raga stands
// for it.
//
// Talas: adi (8 aksharas, 4+2+2), rupaka (6: 2+4), misra chapu (7: 3+2+2),
// each written in half aksharas with simple sarvalaghu strokes of the
// mridangam (tha, dhi, thom, nam): time-keeping, not a real player's
// patterns. Sa is E, 329.6 Hz.
func carnatic() Culture {
	adi, rupaka, chapu := []int{8, 4, 4}, []int{4, 8}, []int{3, 2, 2}
	return Culture{
		Name: "carnatic", Title: "Carnatic",
		reference: 329.63,
		modes: []mode{
			{name: "Hanumatodi", up: just("SrgmPdn"), dominant: 2,
				resting: []int{5}, sway: []int{1, 2, 5, 6}, fifth: panchama, path: arching},
			{name: "Kalyani", up: just("SRGMPDN"), dominant: 2,
				resting: []int{6}, sway: []int{1, 2, 3, 5}, fifth: panchama, path: arching},
			{name: "Kharaharapriya", up: just("SRgmPDn"), dominant: 4,
				resting: []int{1, 2}, sway: []int{2, 6}, fifth: panchama, path: rising},
			{name: "Mayamalavagowla", up: just("SrGmPdN"), dominant: 4,
				resting: []int{2}, sway: []int{1, 5}, fifth: panchama, path: rising},
			{name: "Mohanam", up: just("SRGPD"), dominant: 2,
				resting: []int{3}, sway: []int{1, 4}, fifth: panchama, path: rising},
		},
		rhythms: []rhythm{
			{name: "adi", units: 16, groups: adi, low: 4.6, up: 6, fill: "ki", fillRate: .1,
				strokes: even(adi, "tha+thom", "ki", "dhi", "ki", "dhi", "ki", "tha", "ki", "tha+thom", "ki", "dhi", "tha", "tha+thom", "ki", "dhi", "nam")},
			{name: "misra-chapu", units: 7, groups: chapu, low: 3, up: 4.2, fill: "ki", fillRate: .15,
				strokes: pattern(chapu, []int{1, 2, 2, 2}, "nam", "dhi", "tha+thom", "tha+thom")},
			{name: "rupaka", units: 12, groups: rupaka, low: 4, up: 5.2, fill: "ki", fillRate: .15,
				strokes: pattern(rupaka, []int{2, 2, 2, 2, 2, 1, 1}, "tha+thom", "nam", "nam", "tha", "nam", "tha", "dhi")},
		},
		instruments: []string{"flute", "veena", "violin", "voice"},
		ornaments:   []ornament{{"jaru", slide, .45}, {"kampita", kampita, .6}, {"sphurita", grace, .35}},
		drums:       mridangam(),
		drumLevel:   .65,
		backing:     tanpura,
	}
}
