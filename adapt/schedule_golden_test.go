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
			Steps int
			LR    json.RawMessage
		}
		Rates []float64 // of the stages' steps in a row
	}
}

// TestScheduleGolden: every step of every stage has the rate that an independent scheduler gave a real optimiser.
func TestScheduleGolden(t *testing.T) {
	const tolerance = 1e-14 // of the peak: both compute in float64; the farthest is 4e-16, which fused multiply-adds may exceed
	data, err := os.ReadFile("testdata/schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden goldenSchedules
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) != 27 {
		t.Fatalf("testdata/schedules.json holds %d cases, want 27", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		t.Run(c.Name, func(t *testing.T) {
			var cfg Config
			for _, stage := range c.Stages {
				s := Stage{Steps: stage.Steps}
				if err := json.Unmarshal(stage.LR, &s.LR); err != nil {
					t.Fatal(err)
				}
				if err := s.LR.validate(); err != nil {
					t.Fatal(err)
				}
				cfg.Stages = append(cfg.Stages, s)
			}
			cfg, err := cfg.resolved()
			if err != nil {
				t.Fatal(err)
			}
			rates := c.Rates
			for i, s := range cfg.Stages {
				if len(rates) < s.Steps {
					t.Fatalf("stage %d: %d rates, want %d", i, len(rates), s.Steps)
				}
				for step, want := range rates[:s.Steps] {
					if got := s.LR.Rate(step, s.Steps); math.Abs(got-want) > tolerance*s.LR.Peak {
						t.Errorf("stage %d, step %d: got %.17g, %s has %.17g", i, step, got, c.Stages[i].Peer, want)
					}
				}
				rates = rates[s.Steps:]
			}
			if len(rates) > 0 {
				t.Errorf("%d rates are left over", len(rates))
			}
		})
	}
}
