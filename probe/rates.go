package probe

import (
	"encoding/json"
	"math"
	"slices"
)

// Rates are the learning rates that an mlp chooses from. In YAML and JSON one rate may stand without brackets.
type Rates []float64

// MarbleRates returns the grid of MARBLE's constrained track.
func MarbleRates() Rates { return Rates{5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 1e-2} }

// UnmarshalYAML reads a number or a list of numbers.
func (r *Rates) UnmarshalYAML(unmarshal func(any) error) error { return r.read(unmarshal) }

// UnmarshalJSON reads a number or a list of numbers.
func (r *Rates) UnmarshalJSON(data []byte) error {
	return r.read(func(into any) error { return json.Unmarshal(data, into) })
}

func (r *Rates) read(unmarshal func(any) error) error {
	var one float64
	if unmarshal(&one) == nil {
		*r = Rates{one}
		return nil
	}
	var list []float64
	if err := unmarshal(&list); err != nil {
		return err
	}
	*r = list
	return nil
}

// MarshalJSON writes one rate as a number and several as a list.
func (r Rates) MarshalJSON() ([]byte, error) {
	if len(r) == 1 {
		return json.Marshal(r[0])
	}
	return json.Marshal([]float64(r))
}

// fault returns what is wrong, as a value and what it should be; want is "" where nothing is.
func (r Rates) fault() (got any, want string) {
	if len(r) == 0 {
		return []float64{}, "at least one rate"
	}
	for i, lr := range r {
		if !(lr > 0) || math.IsInf(lr, 0) {
			return lr, "a finite number above 0"
		}
		if slices.Contains(r[:i], lr) {
			return []float64(r), "each rate once"
		}
	}
	return nil, ""
}
