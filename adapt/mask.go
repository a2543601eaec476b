package adapt

import "math/rand/v2"

// maskSpans draws MERT's static span mask for a batch (fairseq compute_mask_indices: overlap allowed): for each clip
// n = max(min, int(prob*frames/length + U[0,1))) distinct starts in [0, frames-length), each covering length frames.
// Every clip is then reduced to the smallest masked count of the batch by dropping random masked frames, so that all
// weigh alike. The result is [clips*frames]. A clip as short as a span has its first half masked.
func maskSpans(rng *rand.Rand, o Objective, clips, frames int) []bool {
	mask := make([]bool, clips*frames)
	counts := make([]int, clips)
	least := frames
	for c := range clips {
		row := mask[c*frames : (c+1)*frames]
		length := o.MaskLength
		if frames <= length {
			length = max(1, frames/2)
		}
		places := frames - length
		n := max(o.MinMasks, int(o.MaskProb*float64(frames)/float64(length)+rng.Float64()))
		for _, start := range distinct(rng, min(n, max(places, 1)), max(places, 1)) {
			for i := start; i < start+length; i++ {
				row[i] = true
			}
		}
		for _, m := range row {
			if m {
				counts[c]++
			}
		}
		least = min(least, counts[c])
	}
	for c := range clips {
		row := mask[c*frames : (c+1)*frames]
		var on []int
		for i, m := range row {
			if m {
				on = append(on, i)
			}
		}
		for _, i := range distinct(rng, counts[c]-least, len(on)) {
			row[on[i]] = false
		}
	}
	return mask
}

// distinct draws k different numbers of [0, n) in O(n).
func distinct(rng *rand.Rand, k, n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := range k {
		j := i + rng.IntN(n-i)
		p[i], p[j] = p[j], p[i]
	}
	return p[:k]
}

// masked lists the rows at which mask is true, in order.
func masked(mask []bool) []int {
	var rows []int
	for i, m := range mask {
		if m {
			rows = append(rows, i)
		}
	}
	return rows
}
