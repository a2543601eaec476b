package adapt

import (
	"slices"
	"time"
)

// pace estimates how long a run still takes. A step costs the median of the recent steps of its stage, so that neither one slow
// file nor the stage before shifts it; a measurement on held-out audio the median of those so far; and what else the run did
// between its steps, such as saving, is spread over them.
type pace struct {
	began    time.Time
	recent   []time.Duration // a ring of the last steps of the stage
	next     int
	held     []time.Duration // a ring of the last measurements, all corpora together
	nextHeld int
	steps    int           // since began
	known    time.Duration // that steps and measurements took, since began
}

// Sizes of the rings: a minute or so of small steps, and more measurements than differ.
const (
	recentSteps = 64
	recentHeld  = 8
)

func ring(r []time.Duration, next *int, size int, d time.Duration) []time.Duration {
	if len(r) < size {
		return append(r, d)
	}
	r[*next] = d
	*next = (*next + 1) % size
	return r
}

// step takes note of a step; the first of a stage forgets those before.
func (p *pace) step(d time.Duration, first bool) {
	if first {
		p.recent, p.next = p.recent[:0], 0
	}
	p.recent = ring(p.recent, &p.next, recentSteps, d)
	p.steps++
	p.known += d
}

// measured takes note of a measurement.
func (p *pace) measured(d time.Duration) {
	p.held = ring(p.held, &p.nextHeld, recentHeld, d)
	p.known += d
}

// left is the time for so many more steps and measurements.
func (p *pace) left(now time.Time, steps, measurements int) time.Duration {
	other := time.Duration(0)
	if p.steps > 0 {
		other = max(0, now.Sub(p.began)-p.known) / time.Duration(p.steps)
	}
	return time.Duration(steps)*(median(p.recent)+other) + time.Duration(measurements)*median(p.held)
}

// median of no durations is 0; of an even number, the lower of the two in the middle.
func median(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	return sorted[(len(sorted)-1)/2]
}
