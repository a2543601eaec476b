package adapt

import (
	"errors"
	"fmt"
	"math"
	"strings"
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

// stagesOf is a recipe with the given schedules, each over ten steps.
func stagesOf(schedules ...string) []byte {
	doc := "base: mert\nteacher: {path: teacher}\ncorpora: [{name: makam, manifest: makam.csv}]\nstages:\n"
	for i, s := range schedules {
		doc += fmt.Sprintf("  - {name: stage-%d, steps: 10, lr: {%s}}\n", i, s)
	}
	return []byte(doc)
}

// Re-warming from the last rate: the values are worked out by hand, the warm-ups taking equal steps to the peak.
func TestRewarmingFromTheLastRate(t *testing.T) {
	for _, test := range []struct {
		name      string
		schedules []string
		stage     int
		want      []float64 // of the stage's first steps
	}{
		{"after a decay", []string{"peak: 1e-3, final: 1e-4", "peak: 5e-4, warmup: 4, from: last"}, 1, []float64{2e-4, 3e-4, 4e-4, 5e-4, 5e-4 * 5 / 6}},
		{"after a decay to nothing", []string{"peak: 1e-3", "peak: 4e-4, warmup: 4, from: last"}, 1, []float64{1e-4, 2e-4, 3e-4, 4e-4}},
		{"after a constant rate, down", []string{"peak: 1e-3, shape: constant", "peak: 6e-4, warmup: 0.2, from: last, shape: constant"}, 1, []float64{8e-4, 6e-4, 6e-4}},
		{"after a warm-up that was cut short", []string{"peak: 1e-3, warmup: 20", "peak: 1e-3, warmup: 5, from: last"}, 1, []float64{6e-4, 7e-4, 8e-4, 9e-4, 1e-3, 8e-4}},
		{"twice", []string{"peak: 1e-3, warmup: 20", "peak: 1e-3, warmup: 20, from: last", "peak: 1e-3, warmup: 5, from: last"}, 2, []float64{8e-4, 8.5e-4, 9e-4, 9.5e-4, 1e-3}},
		{"cosine", []string{"peak: 1e-3, final: 2e-4, shape: cosine", "peak: 4e-4, warmup: 2, from: last"}, 1, []float64{3e-4, 4e-4}},
		{"wsd", []string{"peak: 1e-3, final: 2e-4, shape: wsd", "peak: 4e-4, warmup: 2, from: last"}, 1, []float64{3e-4, 4e-4}},
		{"from zero", []string{"peak: 1e-3, final: 2e-4", "peak: 4e-4, warmup: 2, from: zero"}, 1, []float64{2e-4, 4e-4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := ParseConfig(stagesOf(test.schedules...))
			if err != nil {
				t.Fatal(err)
			}
			for step, want := range test.want {
				if got := cfg.Stages[test.stage].LR.Rate(step, 10); math.Abs(got-want) > 1e-15 {
					t.Errorf("step %d: got %v, want %v", step, got, want)
				}
			}
			doc, err := cfg.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := ParseConfig(doc); err != nil || again.Stages[test.stage].LR != cfg.Stages[test.stage].LR {
				t.Errorf("read back: %+v, %v; want %+v", again.Stages, err, cfg.Stages)
			}
		})
	}
}

func TestRewarmingErrors(t *testing.T) {
	for _, test := range []struct {
		name      string
		schedules []string
		want      string
	}{
		{"in the first stage", []string{"peak: 1, warmup: 2, from: last"}, "stages[0] (stage-0): lr.from: last needs a stage before"},
		{"without a warm-up", []string{"peak: 1", "peak: 1, from: last"}, "this stage has none"},
		{"from elsewhere", []string{"peak: 1", "peak: 1, warmup: 2, from: first"}, `lr.from: got "first", want zero or last`},
		{"from zero and a start", []string{"peak: 1, start: 0.5, from: zero"}, "lr.start: got 0.5 beside from: zero"},
		{"from the last and another start", []string{"peak: 1, final: 0.25", "peak: 1, warmup: 2, from: last, start: 0.5"}, "lr.start: got 0.5, but from: last starts at 0.25"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ParseConfig(stagesOf(test.schedules...)); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want ErrConfig with %q", err, test.want)
			}
		})
	}
}

// A recipe made in Go is resolved when it is opened, and stays the caller's.
func TestOpenResolvesSchedules(t *testing.T) {
	cfg := tinyConfig(t, t.TempDir())
	cfg.Stages[0].LR.Final = 2e-4
	cfg.Stages[1].LR = Schedule{Peak: 1e-3, Warmup: 2, From: "last"}
	run := open(t, cfg)
	if got := run.cfg.Stages[1].LR.Rate(0, 3); math.Abs(got-6e-4) > 1e-15 || cfg.Stages[1].LR.Start != 0 {
		t.Errorf("the second stage begins with %v, want 6e-4; the caller's start is %v, want 0", got, cfg.Stages[1].LR.Start)
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
