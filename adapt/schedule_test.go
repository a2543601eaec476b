package adapt

import (
	"fmt"
	"math"
	"testing"
)

func TestScheduleRate(t *testing.T) {
	for _, test := range []struct {
		name     string
		schedule Schedule
		step     int
		want     float64
	}{
		{"first step of the warm-up", Schedule{Peak: 1, Warmup: 10}, 0, 0.1},
		{"warm-up ends on the peak", Schedule{Peak: 1, Warmup: 10}, 9, 1},
		{"warm-up as a share", Schedule{Peak: 1, Warmup: 0.1}, 4, 0.5},
		{"re-warming from a rate", Schedule{Peak: 1, Start: 0.5, Warmup: 10}, 0, 0.55},
		{"linear decay, half way", Schedule{Peak: 1, Warmup: 10}, 54, 0.5},
		{"linear decay ends on final", Schedule{Peak: 1, Final: 0.25, Warmup: 10}, 99, 0.25},
		{"cosine, half way", Schedule{Peak: 1, Warmup: 10, Shape: "cosine"}, 54, 0.5},
		{"cosine ends on final", Schedule{Peak: 1, Final: 0.1, Shape: "cosine"}, 99, 0.1},
		{"constant", Schedule{Peak: 1, Shape: "constant"}, 99, 1},
		{"wsd is stable", Schedule{Peak: 1, Warmup: 10, Shape: "wsd"}, 78, 1},
		{"wsd decays over the last fifth", Schedule{Peak: 1, Warmup: 10, Shape: "wsd"}, 89, 0.5},
		{"no warm-up decays from the first step", Schedule{Peak: 1}, 0, 0.99},
		{"all warm-up", Schedule{Peak: 1, Warmup: 100}, 99, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.schedule.Rate(test.step, 100); math.Abs(got-test.want) > 1e-12 {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// A stage's rate never leaves the range that its settings span.
func TestScheduleStaysInRange(t *testing.T) {
	for _, shape := range []string{"", "linear", "cosine", "constant", "wsd"} {
		for _, warmup := range []float64{0, 0.1, 1, 7, 50, 80} {
			s := Schedule{Peak: 2, Start: 0.5, Final: 0.25, Warmup: warmup, Shape: shape}
			for step := range 50 {
				if r := s.Rate(step, 50); r < 0.25-1e-12 || r > 2+1e-12 {
					t.Errorf("%q, warm-up %v, step %d: rate %v", shape, warmup, step, r)
				}
			}
		}
	}
}

func ExampleSchedule_Rate() {
	s := Schedule{Peak: 1e-3, Warmup: 2, Shape: "linear"}
	for step := range 6 {
		fmt.Printf("%.2g ", s.Rate(step, 6))
	}
	fmt.Println()
	// Output: 0.0005 0.001 0.00075 0.0005 0.00025 0
}
