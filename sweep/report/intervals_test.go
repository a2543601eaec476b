package report

import (
	"math"
	"testing"
)

func TestSignificant(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		interval Interval
		want     bool
	}{
		{Interval{1, 0.5, 2}, true}, {Interval{-1, -2, -0.5}, true}, {Interval{1, -0.5, 2}, false},
		{Interval{1, 0, 2}, false}, {Interval{-1, -2, 0}, false}, {Interval{1, nan, nan}, false},
	} {
		if got := c.interval.Significant(); got != c.want {
			t.Errorf("%+v: %t, want %t", c.interval, got, c.want)
		}
	}
}

// TestEndsKeepTheirSide: an interval called significant is not printed as if it touched 0.
func TestEndsKeepTheirSide(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{{-0.0001, "−0.000"}, {0.0001, "+0.000"}, {0, "0.000"}, {-0.01, "−0.010"}, {0.01, "+0.010"}, {math.NaN(), "–"}} {
		if got := end(c.v, 3); got != c.want {
			t.Errorf("end(%v) = %q, want %q", c.v, got, c.want)
		}
	}
}

func TestAgainstUnigram(t *testing.T) {
	for _, c := range []struct {
		excess float64
		want   string
	}{{2.34, "2.3 above"}, {-1.96, "2.0 below"}, {0.04, "level"}, {-0.04, "level"}, {math.NaN(), ""}} {
		if got := againstUnigram(c.excess, 1); got != c.want {
			t.Errorf("%v: %q, want %q", c.excess, got, c.want)
		}
	}
}

func TestMeanPair(t *testing.T) {
	for _, c := range []struct {
		m    [][]float64
		want float64
	}{
		{[][]float64{{1, 0.5, 0.1}, {0.5, 1, 0.3}, {0.1, 0.3, 1}}, 0.3},
		{[][]float64{{1}}, math.NaN()},
		{nil, math.NaN()},
	} {
		const tolerance = 1e-15 // three roundings of numbers below 1
		if got := meanPair(c.m); !(math.Abs(got-c.want) <= tolerance) && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%v: %v, want %v", c.m, got, c.want)
		}
	}
}
