package encodec

import "testing"

// fiveSeconds is the length of the clips that MERT is trained on.
const fiveSeconds = 5 * 24000

func BenchmarkEncode5s(b *testing.B) {
	e, samples := caseEncoder(b, "24khz"), caseSamples("bench", fiveSeconds)
	b.SetBytes(4 * fiveSeconds)
	for b.Loop() {
		if _, err := e.Encode(b.Context(), samples, 8); err != nil {
			b.Fatal(err)
		}
	}
}
