package adapt

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// goldenSchedules is testdata/schedules.json, which testdata/make_schedules.py took from the schedulers of transformers and torch.
type goldenSchedules struct {
	Cases []struct {
		Name   string
		Stages []struct {
			Peer  string
			Ahead int
			Steps int
			LR    json.RawMessage
		}
		Rates []float64 // of the stages' steps in a row
	}
}

// TestScheduleGolden: every step of every stage has the rate that an independent scheduler gave a real optimiser.
func TestScheduleGolden(t *testing.T) {
	const tolerance = 1e-14 // of the peak: both compute in float64; torch's recursive schedulers are the farthest, at 2e-15
	data, err := os.ReadFile("testdata/schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden goldenSchedules
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) != 26 {
		t.Fatalf("testdata/schedules.json holds %d cases, want 26", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		t.Run(c.Name, func(t *testing.T) {
			rates := c.Rates
			for i, stage := range c.Stages {
				var s Schedule
				if err := json.Unmarshal(stage.LR, &s); err != nil {
					t.Fatal(err)
				}
				if err := s.validate(); err != nil {
					t.Fatal(err)
				}
				if len(rates) < stage.Steps {
					t.Fatalf("stage %d: %d rates, want %d", i, len(rates), stage.Steps)
				}
				for step := range stage.Steps {
					if got, want := s.Rate(step, stage.Steps), rates[step]; math.Abs(got-want) > tolerance*s.Peak {
						t.Errorf("stage %d, step %d: got %.17g, %s has %.17g", i, step, got, stage.Peer, want)
					}
				}
				rates = rates[stage.Steps:]
			}
			if len(rates) > 0 {
				t.Errorf("%d rates are left over", len(rates))
			}
		})
	}
}
