package search

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrSpace marks a space, or a sampler's configuration, that cannot be searched.
var ErrSpace = errors.New("invalid search space")

// Param is one parameter: a number in [Low, High], or, where Choices are given, one of these words.
type Param struct {
	Name    string    `json:"name"`
	Low     float64   `json:"low,omitempty"`
	High    float64   `json:"high,omitempty"`
	Step    float64   `json:"step,omitempty"` // numbers are Low + k Step; 0 for any number. High is reached: a whole number of steps
	Log     bool      `json:"log,omitempty"`  // searched on a logarithmic scale: Low > 0 and no Step
	Integer bool      `json:"integer,omitempty"`
	Choices []string  `json:"choices,omitempty"`
	Grid    []float64 `json:"grid,omitempty"` // the values that a grid takes, in its order; nil for every choice, or every step
	When    string    `json:"when,omitempty"` // the parameter exists only where the categorical parameter When, which stands before it,
	Is      []string  `json:"is,omitempty"`   // has one of these choices
}

// Space lists parameters, in the order in which they are decided.
type Space []Param

// Point has a value for every parameter that exists at it: the number, or the index of the choice.
type Point map[string]float64

// Categorical reports whether the parameter is one of several words.
func (p Param) Categorical() bool { return len(p.Choices) > 0 }

// Active reports whether the parameter exists, given the values of those before it.
func (s Space) Active(p Param, point Point) bool {
	if p.When == "" {
		return true
	}
	parent, ok := s.Param(p.When)
	v, decided := point[p.When]
	return ok && decided && parent.has(v) && parent.Categorical() && slices.Contains(p.Is, parent.Choices[int(v)])
}

// Param looks a parameter up by its name.
func (s Space) Param(name string) (Param, bool) {
	i := slices.IndexFunc(s, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return Param{}, false
	}
	return s[i], true
}

// Contains reports whether a point has exactly the parameters that exist at it, each within its range. Steps are not asked
// for: another program may have chosen a number between them.
func (s Space) Contains(point Point) bool {
	n := 0
	for _, p := range s {
		v, ok := point[p.Name]
		if ok != s.Active(p, point) {
			return false
		}
		if !ok {
			continue
		}
		n++
		if !p.has(v) {
			return false
		}
	}
	return n == len(point)
}

// has reports whether v is the index of a choice, or within the range.
func (p Param) has(v float64) bool {
	if p.Categorical() {
		return v == math.Trunc(v) && v >= 0 && v < float64(len(p.Choices))
	}
	return v >= p.Low && v <= p.High
}

// Check returns an error that wraps [ErrSpace] and names the parameter that cannot be searched.
func (s Space) Check() error {
	if len(s) == 0 {
		return fmt.Errorf("%w: no parameters", ErrSpace)
	}
	for i, p := range s {
		if err := s[:i].checkNext(p); err != nil {
			return fmt.Errorf("%w: parameter %q: %w", ErrSpace, p.Name, err)
		}
	}
	return nil
}

// checkNext checks a parameter that follows those of s.
func (s Space) checkNext(p Param) error {
	if _, taken := s.Param(p.Name); taken || p.Name == "" {
		return fmt.Errorf("its name is empty or taken")
	}
	if p.When != "" || len(p.Is) > 0 {
		parent, ok := s.Param(p.When)
		if !ok || !parent.Categorical() || len(p.Is) == 0 {
			return fmt.Errorf("it exists when %q is one of %q: want a categorical parameter before it and some of its choices", p.When, p.Is)
		}
		for _, choice := range p.Is {
			if !slices.Contains(parent.Choices, choice) {
				return fmt.Errorf("%q is no choice of %q, which has %q", choice, p.When, parent.Choices)
			}
		}
	}
	if p.Categorical() {
		return p.checkChoices()
	}
	return p.checkRange()
}

func (p Param) checkChoices() error {
	if p.Low != 0 || p.High != 0 || p.Step != 0 || p.Log || p.Integer {
		return fmt.Errorf("it has both choices and a range")
	}
	for i, choice := range p.Choices {
		if slices.Contains(p.Choices[:i], choice) {
			return fmt.Errorf("choice %q is listed twice", choice)
		}
	}
	for i, v := range p.Grid {
		if !p.has(v) || slices.Contains(p.Grid[:i], v) {
			return fmt.Errorf("grid value %v is no index of a choice, of which there are %d, or listed twice", v, len(p.Choices))
		}
	}
	return nil
}

func (p Param) checkRange() error {
	width := p.High - p.Low
	switch {
	case !(width >= 0) || math.IsInf(width, 0):
		return fmt.Errorf("range [%v, %v], want finite numbers, low first", p.Low, p.High)
	case p.Log && (p.Low <= 0 || p.Step != 0):
		return fmt.Errorf("a logarithmic range needs low > 0 and no step; got low %v, step %v", p.Low, p.Step)
	case !p.divides(width):
		return fmt.Errorf("step %v, want a positive number that divides %v into at most %v steps", p.Step, width, maxSteps)
	case p.Integer && (p.Low != math.Trunc(p.Low) || p.High != math.Trunc(p.High) || p.Step != math.Trunc(p.Step)):
		return fmt.Errorf("an integer parameter has range [%v, %v], step %v", p.Low, p.High, p.Step)
	}
	for i, v := range p.Grid {
		if !p.has(v) || slices.Contains(p.Grid[:i], v) {
			return fmt.Errorf("grid value %v is outside of [%v, %v] or listed twice", v, p.Low, p.High)
		}
		if p.Integer && v != math.Trunc(v) {
			return fmt.Errorf("an integer parameter has grid value %v", v)
		}
	}
	return nil
}

// maxSteps keeps Low + k Step exact enough that neighbours differ.
const maxSteps = 1e9

// divides reports whether a range of this width is a whole number of steps, up to rounding: 1/0.1 is 10.
func (p Param) divides(width float64) bool {
	if p.Step == 0 {
		return true
	}
	n := width / p.Step
	return p.Step > 0 && n <= maxSteps && math.Abs(n-math.Round(n)) <= 1e-9*(1+n) && (n >= 0.5 || width == 0)
}
