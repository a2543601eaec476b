package method

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Param is one parameter that a recipe may set.
type Param struct {
	Name     string
	Doc      string
	Kind     Kind
	Scope    Scope
	Required bool
	Default  float64
	Unset    bool     // may stay unset: then Values does not have it
	Choices  []string // for Choice: the value is the index
	Min, Max float64  // bounds of a number, where Max > Min
	Inert    bool     // accepted because mergekit accepts it; changes nothing
}

// Kind is the type of a parameter.
type Kind int

// Numbers interpolate in gradients; the others step.
const (
	Number Kind = iota
	Integer
	Flag   // 0 or 1
	Choice // an index into Choices
)

// Scope says for what a parameter is resolved.
type Scope int

// A parameter has one value for a tensor, one for each model but the base, or one for every input.
const (
	Shared Scope = iota
	PerModel
	PerInput
)

// Values are resolved parameters by name; flags are 0 or 1, choices are indices.
type Values map[string]float64

func (v Values) on(name string) bool { return v[name] != 0 }

// Parse turns one YAML scalar (bool, int, float64 or string) into a value of the parameter.
func (p Param) Parse(scalar any) (float64, error) {
	switch p.Kind {
	case Flag:
		if b, ok := scalar.(bool); ok {
			return truth(b), nil
		}
		return 0, invalid("%s: got %v, want true or false", p.Name, scalar)
	case Choice:
		if b, ok := scalar.(bool); ok && len(p.Choices) >= 2 { // a flag in mergekit: false is the first, true the second
			return truth(b), nil
		}
		if i := slices.Index(p.Choices, fmt.Sprint(scalar)); i >= 0 {
			return float64(i), nil
		}
		return 0, invalid("%s: got %v, want one of %s", p.Name, scalar, strings.Join(p.Choices, ", "))
	}
	var x float64
	switch s := scalar.(type) {
	case int:
		x = float64(s)
	case float64:
		x = s
	default:
		return 0, invalid("%s: got %v, want a number", p.Name, scalar)
	}
	return x, p.Check(x)
}

// Check holds a number against the parameter's kind and bounds.
func (p Param) Check(x float64) error {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return invalid("%s: got %v, want a finite number", p.Name, x)
	case p.Kind == Integer && x != math.Trunc(x):
		return invalid("%s: got %v, want a whole number", p.Name, x)
	case p.Max > p.Min && (x < p.Min || x > p.Max):
		return invalid("%s: got %v, want a number from %v to %v", p.Name, x, p.Min, p.Max)
	}
	return nil
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Param looks up a parameter of the method.
func (m *Method) Param(name string) (Param, bool) {
	for _, p := range m.Params {
		if p.Name == name {
			return p, true
		}
	}
	return Param{}, false
}
