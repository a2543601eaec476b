package adapt

import (
	"fmt"
	"math"
	"slices"
)

// Schedule is the learning rate of one stage as a pure function of the step (arXiv 2403.08763: re-warm, then re-decay).
//
//	peak        /\
//	           /  \__            warm-up is linear from start to peak,
//	start     /      \___ final  decay from peak to final has the given shape
//	          0  w        steps
//
// Re-warming begins at Start, which is 0 unless given, or with From: "last" at the rate of the last step of the stage before,
// which ParseConfig and Open fill in as Start.
type Schedule struct {
	Peak   float64 `yaml:"peak" json:"peak"`
	Start  float64 `yaml:"start,omitempty" json:"start,omitempty"`   // rate before the first step
	Final  float64 `yaml:"final,omitempty" json:"final,omitempty"`   // rate at the stage's end
	Warmup float64 `yaml:"warmup,omitempty" json:"warmup,omitempty"` // below 1 a share of the stage's steps, otherwise a number of steps
	Shape  string  `yaml:"shape,omitempty" json:"shape,omitempty"`   // "linear" (default), "cosine", "constant", or "wsd"
	Decay  float64 `yaml:"decay,omitempty" json:"decay,omitempty"`   // wsd only: the share of the stage that decays at its end; 0 means 0.2
	From   string  `yaml:"from,omitempty" json:"from,omitempty"`     // where the warm-up starts: "" is start, "zero" says that it is 0, "last" is the rate at which the stage before ended
}

func (s Schedule) validate() error {
	switch s.Shape {
	case "", "linear", "cosine", "constant", "wsd":
	default:
		return fmt.Errorf("lr.shape: got %q, want linear, cosine, constant or wsd", s.Shape)
	}
	if !(s.Peak > 0) || math.IsInf(s.Peak, 0) {
		return fmt.Errorf("lr.peak: got %g, want more than 0", s.Peak)
	}
	for key, v := range map[string]float64{"start": s.Start, "final": s.Final, "warmup": s.Warmup, "decay": s.Decay} {
		if !(v >= 0) || math.IsInf(v, 0) { // also NaN
			return fmt.Errorf("lr.%s: got %g, want 0 or more", key, v)
		}
	}
	if s.Decay > 1 || s.Shape == "wsd" && s.Warmup < 1 && s.Warmup+s.Decay > 1 {
		return fmt.Errorf("lr: warmup %g and decay %g are more than the whole stage", s.Warmup, s.Decay)
	}
	switch {
	case s.From != "" && s.From != "zero" && s.From != "last":
		return fmt.Errorf("lr.from: got %q, want zero or last", s.From)
	case s.From == "zero" && s.Start != 0:
		return fmt.Errorf("lr.start: got %g beside from: zero", s.Start)
	case s.From == "last" && s.Warmup == 0:
		return fmt.Errorf("lr.from: last is where a warm-up starts, and this stage has none")
	}
	return nil
}

// resolved is the recipe with every start that is the last rate of the stage before, so that Rate needs no other stage. A
// recipe that was resolved stays as it is.
func (c Config) resolved() (Config, error) {
	c.Stages = slices.Clone(c.Stages)
	for i := range c.Stages {
		lr := &c.Stages[i].LR
		if lr.From != "last" {
			continue
		}
		at := fmt.Sprintf("stages[%d] (%s)", i, c.Stages[i].Name)
		if i == 0 {
			return c, fmt.Errorf("%w: %s: lr.from: last needs a stage before", ErrConfig, at)
		}
		before := c.Stages[i-1]
		last := before.LR.Rate(before.Steps-1, before.Steps)
		if lr.Start != 0 && lr.Start != last {
			return c, fmt.Errorf("%w: %s: lr.start: got %g, but from: last starts at %g; leave one out", ErrConfig, at, lr.Start, last)
		}
		lr.Start = last
	}
	return c, nil
}

// Rate returns the learning rate of a step, counted from 0, in a stage of the given number of steps.
// The warm-up ends on the peak: with a warm-up of w steps, step w-1 has the peak rate; the last step has the final one.
//
// Unlike the schedulers of transformers and torch, which begin a warm-up with a step at the start rate (0: a step that changes
// nothing) and end one step short of the final rate, this counts the step itself as done, as fairseq and MERT do: Rate(s) is their
// f(s+1). Unlike there, a stage that is nothing but warm-up ends on the peak; and wsd decays linearly, which is not transformers'
// default. A share of the steps is rounded for a warm-up, half up, and not rounded for a decay.
func (s Schedule) Rate(step, steps int) float64 {
	warm := s.Warmup
	if warm < 1 {
		warm = math.Round(warm * float64(steps))
	}
	done := float64(step + 1)
	if done < warm {
		return s.Start + (s.Peak-s.Start)*done/warm
	}
	rest := float64(steps) - warm
	if rest <= 0 || s.Shape == "constant" {
		return s.Peak
	}
	t := min(1, (done-warm)/rest) // 0 at the peak, 1 after the last step
	switch s.Shape {
	case "cosine":
		return s.Final + (s.Peak-s.Final)*0.5*(1+math.Cos(math.Pi*t))
	case "wsd":
		share := s.Decay
		if share == 0 {
			share = 0.2
		}
		start := 1 - share*float64(steps)/rest
		if t <= start {
			return s.Peak
		}
		t = (t - start) / (1 - start)
	}
	return s.Peak + (s.Final-s.Peak)*t
}
