package chart

import (
	"math"
	"testing"
)

func TestFigure(t *testing.T) {
	for _, c := range []struct {
		v        float64
		decimals int
		want     string
		signed   string
	}{
		{0.12345, 3, "0.123", "+0.123"}, {-0.5, 1, "−0.5", "−0.5"}, {-0.0001, 3, "0.000", "0.000"}, {0.0001, 3, "0.000", "0.000"},
		{math.NaN(), 3, "–", "–"}, {math.Inf(-1), 3, "–", "–"}, {12, 0, "12", "+12"}, {0, 2, "0.00", "0.00"},
	} {
		if got := Figure(c.v, c.decimals); got != c.want {
			t.Errorf("figure(%v, %d) = %q, want %q", c.v, c.decimals, got, c.want)
		}
		if got := Signed(c.v, c.decimals); got != c.signed {
			t.Errorf("Signed(%v, %d) = %q, want %q", c.v, c.decimals, got, c.signed)
		}
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0.12345: "0.123", -0.5: "−0.5", 0: "0", 1e-5: "1e-05", 12345: "1.23e+04", math.Inf(1): "–"} {
		if got := Short(v); got != want {
			t.Errorf("Short(%v) = %q, want %q", v, got, want)
		}
	}
}
