package sweep

import (
	"fmt"
	"math"
	"slices"

	"syncretic/sweep/search"
)

// Mode says how the coefficients of several vectors are tied.
type Mode string

// The modes of a [Space].
const (
	Shared     Mode = "shared"      // one lambda for all vectors
	PerCulture Mode = "per-culture" // a lambda for every vector
	PerGroup   Mode = "per-group"   // a lambda for every group of layers, the same for all vectors
)

// DefaultMaxTrials is the largest grid that a [Config] accepts unless told otherwise.
const DefaultMaxTrials = 1000

// Space is what a sweep may choose: the scaling coefficients lambda of named task vectors, the merge method and its parameters.
type Space struct {
	Mode    Mode      `json:"mode"`
	Vectors []string  `json:"vectors"`           // names, in the order in which terms are added
	Groups  []string  `json:"groups,omitempty"`  // of layers, the lowest first; PerGroup only
	Values  []float64 `json:"values"`            // what each lambda may be on a grid; other samplers take any number between the ends
	Methods []Method  `json:"methods,omitempty"` // nil is task arithmetic alone
}

// Method is one merge method that may be chosen, by the name that recipes use.
type Method struct {
	Name   string             `json:"name"`
	Fixed  map[string]float64 `json:"fixed,omitempty"`  // parameters that are given
	Search search.Space       `json:"search,omitempty"` // parameters that are searched
}

// DefaultMethod is the method of a space that names none.
const DefaultMethod = "task_arithmetic"

// Grid returns points values from..to, both included, evenly spaced and rounded to ten decimals, so that 0.15 is the
// number people write. One point is from alone.
func Grid(from, to float64, points int) []float64 {
	values := make([]float64, points)
	for i := range values {
		v := from
		if i > 0 {
			v += (to - from) * float64(i) / float64(points-1)
		}
		values[i] = math.Round(v*1e10) / 1e10
	}
	return values
}

// DefaultValues is the usual grid: 0 to 1 by 0.05, 21 values.
func DefaultValues() []float64 { return Grid(0, 1, 21) }

// Check returns an error that wraps [ErrConfig] for an empty, repeated or non-finite value, for names that are empty or repeated, or an
// unknown mode. Whether a method exists and has the parameters is for the maker of models to say.
func (s Space) Check() error {
	if len(s.Vectors) == 0 {
		return fmt.Errorf("%w: no task vectors to scale", ErrConfig)
	}
	if len(s.Values) == 0 {
		return fmt.Errorf("%w: lambda has no values", ErrConfig)
	}
	for i, v := range s.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: lambda value %v is not finite", ErrConfig, v)
		}
		if slices.Contains(s.Values[:i], v) {
			return fmt.Errorf("%w: lambda value %v is listed twice", ErrConfig, v)
		}
	}
	var methods []string
	for _, m := range s.Methods {
		methods = append(methods, m.Name)
	}
	for what, names := range map[string][]string{"task vector": s.Vectors, "group": s.Groups, "method": methods} {
		for i, name := range names {
			if name == "" || slices.Contains(names[:i], name) {
				return fmt.Errorf("%w: %s name %q is empty or repeated", ErrConfig, what, name)
			}
		}
	}
	switch {
	case s.Mode != Shared && s.Mode != PerCulture && s.Mode != PerGroup:
		return fmt.Errorf("%w: lambda mode %q, want %q, %q or %q", ErrConfig, s.Mode, Shared, PerCulture, PerGroup)
	case (s.Mode == PerGroup) != (len(s.Groups) > 0):
		return fmt.Errorf("%w: lambda mode %q with %d groups of layers: mode %q has them, and no other", ErrConfig, s.Mode, len(s.Groups), PerGroup)
	}
	if err := s.Params().Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}

// The names of a study's parameters: "method", "lambda" or "lambda.NAME", and "METHOD.PARAMETER".
const (
	methodParam = "method"
	lambdaParam = "lambda"
)

// names are the names of the coefficients, "" for the one that is shared.
func (s Space) names() []string {
	switch s.Mode {
	case PerCulture:
		return s.Vectors
	case PerGroup:
		return s.Groups
	}
	return []string{""}
}

func lambdaName(name string) string {
	if name == "" {
		return lambdaParam
	}
	return lambdaParam + "." + name
}

// methods are those of the space, or the default.
func (s Space) methods() []Method {
	if len(s.Methods) == 0 {
		return []Method{{Name: DefaultMethod}}
	}
	return s.Methods
}

// Params is the space as samplers see it.
func (s Space) Params() search.Space {
	var space search.Space
	methods := s.methods()
	if len(methods) > 1 {
		p := search.Param{Name: methodParam}
		for _, m := range methods {
			p.Choices = append(p.Choices, m.Name)
		}
		space = append(space, p)
	}
	for _, name := range s.names() {
		space = append(space, search.Param{Name: lambdaName(name), Low: slices.Min(s.Values), High: slices.Max(s.Values), Grid: s.Values})
	}
	for _, m := range methods {
		for _, p := range m.Search {
			p.Name = m.Name + "." + p.Name
			if len(methods) > 1 {
				p.When, p.Is = methodParam, []string{m.Name}
			}
			space = append(space, p)
		}
	}
	return space
}
