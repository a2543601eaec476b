package adapt

import "math/rand/v2"

// Lengths of the pieces that MERT adds as noise, in samples at 24 kHz (0.5 to 1 s).
const (
	shortestPiece = 12000
	longestPiece  = 24000
)

// mixNoise returns the clips with pieces of other clips added: with probability prob a clip gets 1 to 3 pieces of 0.5 to 1 s,
// each from a random place of the batch's other clean clips, at full level. Targets stay those of the clean clip. A piece is
// never longer than half a clip, so that short crops stay recognisable; a batch of one clip is left as it is.
//
// Unlike MERT's code, a piece never runs over the seam between two clips.
func mixNoise(rng *rand.Rand, prob float64, samples []float32, clips int) []float32 {
	if clips < 2 || prob == 0 {
		return samples
	}
	n := len(samples) / clips
	out := append([]float32(nil), samples...)
	for c := range clips {
		if rng.Float64() >= prob {
			continue
		}
		for range 1 + rng.IntN(3) {
			length := min(shortestPiece+rng.IntN(longestPiece-shortestPiece+1), n/2)
			other := rng.IntN(clips - 1)
			if other >= c {
				other++
			}
			from := samples[other*n+rng.IntN(n-length+1):][:length]
			to := out[c*n+rng.IntN(n-length+1):][:length]
			for i, v := range from {
				to[i] += v
			}
		}
	}
	return out
}
