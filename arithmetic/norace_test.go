//go:build !race

package arithmetic

const raceEnabled = false
