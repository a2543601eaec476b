package chart

import (
	"math"
	"slices"
	"strconv"
)

// A scale maps data in [Low, High] to pixels in [From, To].
type scale struct {
	Low, High float64
	From, To  float64
}

func (s scale) at(v float64) float64 {
	if s.High == s.Low {
		return (s.From + s.To) / 2
	}
	return s.From + (v-s.Low)/(s.High-s.Low)*(s.To-s.From)
}

// A tick is a labelled place on an axis.
type tick struct {
	At    float64 // pixels
	Label string
}

// ticks picks round numbers (1, 2, 2.5 or 5 times a power of ten) inside the scale, at most count of them.
func (s scale) ticks(count int) []tick {
	if !(s.High > s.Low) {
		return []tick{{s.at(s.Low), strconv.FormatFloat(s.Low, 'g', 4, 64)}}
	}
	step, decimals := roundStep((s.High - s.Low) / float64(count))
	var out []tick
	for i := math.Ceil(s.Low/step - 1e-9); i*step <= s.High+step*1e-9; i++ {
		out = append(out, tick{s.at(i * step), Figure(i*step, decimals)})
	}
	return out
}

// powers picks ticks of a scale whose numbers are logarithms to base 10: 1, 2 and 5 times powers of ten while there are at most
// count of them, otherwise powers of ten alone, otherwise its ends.
func (s scale) powers(count int) []tick {
	for _, digits := range [][]float64{{1, 2, 5}, {1}} {
		var out []tick
		for e := math.Floor(s.Low); e <= math.Ceil(s.High); e++ {
			for _, m := range digits {
				if v := e + math.Log10(m); v >= s.Low-1e-9 && v <= s.High+1e-9 {
					out = append(out, tick{s.at(v), Short(m * math.Pow(10, e))})
				}
			}
		}
		if len(out) > 1 && len(out) <= count {
			return out
		}
	}
	return []tick{{s.at(s.Low), Short(math.Pow(10, s.Low))}, {s.at(s.High), Short(math.Pow(10, s.High))}}
}

// roundStep is the smallest round step that is at least atLeast, and the decimals needed to write its multiples.
func roundStep(atLeast float64) (step float64, decimals int) {
	exponent := math.Floor(math.Log10(atLeast))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if step = m * math.Pow(10, exponent); step >= atLeast*(1-1e-9) {
			decimals = max(0, -int(exponent))
			switch m {
			case 2.5:
				decimals = max(0, 1-int(exponent))
			case 10:
				decimals = max(0, -int(exponent)-1)
			}
			return step, decimals
		}
	}
	return step, max(0, -int(exponent))
}

// Extent is the smallest interval that holds all finite values; ok is false when there are none.
func Extent(values ...[]float64) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, list := range values {
		for _, v := range list {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return low, high, low <= high
}

// spread moves places apart until neighbours are at least gap apart, in their order: places that collide become a block
// centred on the mean of what its members wanted, and blocks stay inside [top, bottom] while there is room.
func spread(wanted []float64, gap, top, bottom float64) []float64 {
	order := make([]int, len(wanted))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case wanted[a] < wanted[b]:
			return -1
		case wanted[a] > wanted[b]:
			return 1
		}
		return a - b
	})
	type block struct {
		members []int
		centre  float64
	}
	place := func(b *block) {
		var sum float64
		for _, i := range b.members {
			sum += wanted[i]
		}
		half := gap * float64(len(b.members)-1) / 2
		b.centre = max(top+half, min(bottom-half, sum/float64(len(b.members))))
	}
	var blocks []block
	for _, i := range order {
		blocks = append(blocks, block{members: []int{i}})
		place(&blocks[len(blocks)-1])
		for len(blocks) > 1 {
			last, before := &blocks[len(blocks)-1], &blocks[len(blocks)-2]
			room := gap * float64(len(last.members)+len(before.members)) / 2
			if last.centre-before.centre >= room-1e-9 {
				break
			}
			before.members = append(before.members, last.members...)
			place(before)
			blocks = blocks[:len(blocks)-1]
		}
	}
	out := make([]float64, len(wanted))
	for _, b := range blocks {
		for k, i := range b.members {
			out[i] = b.centre + gap*(float64(k)-float64(len(b.members)-1)/2)
		}
	}
	return out
}
