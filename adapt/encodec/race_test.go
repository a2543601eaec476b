//go:build race

package encodec

// raceEnabled: the race detector drops pooled buffers at random, so allocations cannot be counted under it.
const raceEnabled = true
