//go:build !race

package encodec

const raceEnabled = false
