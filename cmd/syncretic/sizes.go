package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseBytes reads a size such as 5GB, 500MB, 1.5GiB or 5000000000. Units are of 1000, those with an i of 1024, in any case; a
// unit may lack its B. As in mergekit B alone is a billion: 5B is 5GB.
func parseBytes(text string) (int64, error) {
	digits := strings.TrimRight(text, "KMGTBIkmgtbi")
	scale, ok := unitOf(strings.ToLower(text[len(digits):]))
	if n, err := strconv.ParseInt(digits, 10, 64); ok && err == nil && n >= 0 && n <= math.MaxInt64/scale {
		return n * scale, nil
	}
	x, err := strconv.ParseFloat(digits, 64)
	x *= float64(scale)
	if !ok || err != nil || strings.ContainsAny(digits, "xXpP_") || !(x >= 0 && x < math.MaxInt64) {
		return 0, fmt.Errorf("%q is not a size: want one such as 5GB, 500MB or 2GiB", text)
	}
	return int64(x), nil
}

// unitOf is how many bytes a unit in lower case has.
func unitOf(unit string) (bytes int64, ok bool) {
	switch unit {
	case "":
		return 1, true
	case "b":
		return 1e9, true
	}
	base := int64(1000)
	letter, binary := strings.CutSuffix(unit, "ib")
	if binary {
		base = 1024
	} else {
		letter = strings.TrimSuffix(unit, "b")
	}
	power := strings.Index("kmgt", letter) + 1
	if len(letter) != 1 || power == 0 {
		return 0, false
	}
	for bytes = 1; power > 0; power-- {
		bytes *= base
	}
	return bytes, true
}

// showBytes is a size as people read it, in the largest decimal unit that leaves a number of 1 or more.
func showBytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d bytes", n)
	}
	x, unit := float64(n)/1000, 0
	for ; x >= 999.95 && unit < 3; unit++ {
		x /= 1000
	}
	return fmt.Sprintf("%.1f %s", x, []string{"kB", "MB", "GB", "TB"}[unit])
}
