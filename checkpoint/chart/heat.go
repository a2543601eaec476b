package chart

import (
	"fmt"
	"math"
)

// heatSteps is the number of background classes h0..h9 in style.css.
const heatSteps = 10

// Heat is the class of a cell's background: h0 at low to h9 at high, none for what is not finite.
func Heat(v, low, high float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	if !(high > low) {
		return "h0"
	}
	step := int((v - low) / (high - low) * heatSteps)
	return fmt.Sprintf("h%d", max(0, min(heatSteps-1, step)))
}

// Diverging is the class of a cell's background where a figure lies to one side of a middle: h0 there, h9 a reach above it and more,
// hn9 as far below, none for what is not finite. Figures near the middle look alike on both sides of it.
func Diverging(v, middle, reach float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	step := int(math.Round((v - middle) / reach * (heatSteps - 1)))
	if step < 0 {
		return fmt.Sprintf("hn%d", min(heatSteps-1, -step))
	}
	return fmt.Sprintf("h%d", min(heatSteps-1, step))
}
