package store

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"syncretic/sweep/search"
)

// A distribution is how Optuna spells a parameter in distribution_json: {"name": CLASS, "attributes": {...}}, with exactly the
// attributes that the class takes.
type distribution struct {
	Name       string `json:"name"`
	Attributes any    `json:"attributes"`
}

type floatAttributes struct {
	Step *float64 `json:"step"` // null for any number
	Low  float64  `json:"low"`
	High float64  `json:"high"`
	Log  bool     `json:"log"`
}

type intAttributes struct {
	Log  bool  `json:"log"`
	Step int64 `json:"step"`
	Low  int64 `json:"low"`
	High int64 `json:"high"`
}

type categoricalAttributes struct {
	Choices []string `json:"choices"`
}

// encodeDistribution spells a parameter. Its grid and its condition are the sampler's own matter and are not kept.
func encodeDistribution(p search.Param) (string, error) {
	d := distribution{Name: "FloatDistribution"}
	switch {
	case p.Categorical():
		d = distribution{"CategoricalDistribution", categoricalAttributes{p.Choices}}
	case p.Integer:
		d = distribution{"IntDistribution", intAttributes{p.Log, max(1, int64(p.Step)), int64(p.Low), int64(p.High)}}
	case p.Step != 0:
		d.Attributes = floatAttributes{&p.Step, p.Low, p.High, p.Log}
	default:
		d.Attributes = floatAttributes{nil, p.Low, p.High, p.Log}
	}
	text, err := json.Marshal(d)
	return string(text), err
}

// decodeDistribution reads what this package or Optuna wrote, the classes of Optuna 2 too. A choice that is no word (Optuna also has
// numbers, booleans and null) becomes the word that JSON writes it with.
func decodeDistribution(name, text string) (search.Param, error) {
	var d struct {
		Name       string `json:"name"`
		Attributes struct {
			Low, High float64
			Step, Q   *float64
			Log       bool
			Choices   []json.RawMessage
		} `json:"attributes"`
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return search.Param{}, fmt.Errorf("parameter %q: distribution: %w: %v", name, ErrInvalid, err)
	}
	a := d.Attributes
	p := search.Param{Name: name, Low: a.Low, High: a.High, Log: a.Log}
	if a.Step == nil {
		a.Step = a.Q
	}
	if a.Step != nil {
		p.Step = *a.Step
	}
	switch d.Name {
	case "FloatDistribution", "UniformDistribution", "DiscreteUniformDistribution":
	case "LogUniformDistribution":
		p.Log = true
	case "IntDistribution", "IntUniformDistribution", "IntLogUniformDistribution":
		p.Integer, p.Log = true, p.Log || d.Name == "IntLogUniformDistribution"
		if p.Step == 1 { // every integer is what no step says
			p.Step = 0
		}
	case "CategoricalDistribution":
		p = search.Param{Name: name}
		for _, choice := range a.Choices {
			p.Choices = append(p.Choices, word(choice))
		}
	default:
		return search.Param{}, fmt.Errorf("parameter %q: distribution %q: %w", name, d.Name, ErrInvalid)
	}
	return p, nil
}

// word is a JSON string's text, or the JSON of anything else.
func word(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// fixedParams spells a point as Optuna's system attribute fixed_params: numbers, and choices by their words.
func fixedParams(space search.Space, point search.Point) (map[string]any, error) {
	fixed := map[string]any{}
	for name, v := range point {
		p, ok := space.Param(name)
		if !ok {
			return nil, fmt.Errorf("parameter %q is not in the space", name)
		}
		fixed[name] = v
		if _, err := holding(p, v); err != nil {
			return nil, err
		}
		if p.Categorical() {
			fixed[name] = p.Choices[int(v)]
		}
	}
	return fixed, nil
}

// fixedPoint reads fixed_params. Words are looked up in the space; what it does not know is left out.
func fixedPoint(space search.Space, fixed json.RawMessage) search.Point {
	var values map[string]json.RawMessage
	if json.Unmarshal(fixed, &values) != nil {
		return nil
	}
	point := search.Point{}
	for name, value := range values {
		if p, ok := space.Param(name); ok && p.Categorical() {
			if i := slices.Index(p.Choices, word(value)); i >= 0 {
				point[name] = float64(i)
			}
			continue
		}
		var number float64
		if json.Unmarshal(value, &number) == nil && string(value) != "null" {
			point[name] = number
		}
	}
	return point
}

// holding is a parameter that holds a value. A value outside of the range, which a person may have enqueued, widens it, because
// Optuna wants values inside; one between the steps drops them. What cannot be stored under the parameter is an error.
func holding(p search.Param, v float64) (search.Param, error) {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return p, fmt.Errorf("parameter %q: %v is not finite", p.Name, v)
	case p.Categorical() && (v != math.Trunc(v) || v < 0 || v >= float64(len(p.Choices))):
		return p, fmt.Errorf("parameter %q: %v is no index of its %d choices", p.Name, v, len(p.Choices))
	case p.Categorical():
		return p, nil
	case p.Integer && v != math.Trunc(v):
		return p, fmt.Errorf("parameter %q: %v is not an integer", p.Name, v)
	case p.Log && v <= 0:
		return p, fmt.Errorf("parameter %q: %v has no logarithm", p.Name, v)
	}
	p.Low, p.High = min(p.Low, v), max(p.High, v)
	if p.Step != 0 && !(whole((v-p.Low)/p.Step) && whole((p.High-p.Low)/p.Step)) {
		p.Step = 0
	}
	return p, nil
}

func whole(v float64) bool { return math.Abs(v-math.Round(v)) < 1e-9 }
