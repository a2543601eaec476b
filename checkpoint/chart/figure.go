package chart

import (
	"math"
	"strconv"
)

// Dash stands for a figure that does not exist.
const Dash = "–"

// Figure writes v with that many decimals, a true minus sign, and a dash for what is not finite.
func Figure(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Dash
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if text[0] != '-' {
		return text
	}
	if parsed, err := strconv.ParseFloat(text, 64); err == nil && parsed == 0 {
		return text[1:]
	}
	return "−" + text[1:]
}

// Signed is Figure with a plus sign where v is above 0 after rounding.
func Signed(v float64, decimals int) string {
	text := Figure(v, decimals)
	if parsed, err := strconv.ParseFloat(text, 64); err == nil && parsed > 0 {
		return "+" + text
	}
	return text
}

// Short writes v with at most three significant digits, a true minus sign, and a dash for what is not finite.
func Short(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Dash
	}
	text := strconv.FormatFloat(v, 'g', 3, 64)
	if text[0] == '-' {
		return "−" + text[1:]
	}
	return text
}

// px writes a length of a drawing with one decimal, which is all a screen shows.
func px(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10+0, 'f', -1, 64)
}
