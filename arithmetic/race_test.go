//go:build race

package arithmetic

// raceEnabled: the race detector drops pooled buffers at random, so allocations cannot be counted under it.
const raceEnabled = true
