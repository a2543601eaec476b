package mergekit

import (
	"fmt"
	"slices"
	"strings"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint/recipe"
)

// Settings are the parameters of one level of a recipe, by name.
type Settings map[string]Setting

// Setting is a parameter's value as the recipe spells it: a number, flag or word; a gradient over the layers; or a list of
// conditions, of which the first whose filter is part of the tensor's name decides.
type Setting struct{ conditions []condition }

type condition struct {
	filter   string // "" and "*" hold for every tensor
	values   []any  // one, or a gradient
	gradient bool
}

// UnmarshalYAML reads any of the forms.
func (s *Setting) UnmarshalYAML(unmarshal func(any) error) error {
	var value any
	if err := unmarshal(&value); err != nil {
		return err
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	if !slices.ContainsFunc(list, isMapping) {
		if len(list) == 0 {
			return fmt.Errorf("an empty list")
		}
		for _, v := range list {
			if !scalar(v) {
				return fmt.Errorf("got %v, want a number, true or false, or a word", v)
			}
		}
		s.conditions = []condition{{values: list, gradient: ok}}
		return nil
	}
	for _, v := range list {
		c, err := parseCondition(v)
		if err != nil {
			return err
		}
		s.conditions = append(s.conditions, c)
	}
	return nil
}

func isMapping(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

func scalar(v any) bool {
	switch v.(type) {
	case bool, int, float64, string:
		return true
	}
	return false
}

// parseCondition reads {filter: ..., value: ...}.
func parseCondition(v any) (condition, error) {
	fields, ok := v.(map[string]any)
	if !ok {
		return condition{}, fmt.Errorf("got %v among conditions, want {filter: ..., value: ...}", v)
	}
	var c condition
	for key, value := range fields {
		switch key {
		case "filter":
			text, ok := value.(string)
			if !ok && value != nil {
				return c, fmt.Errorf("filter %v, want a part of a tensor's name", value)
			}
			c.filter = text
		case "value":
			list, ok := value.([]any)
			if !ok {
				list = []any{value}
			}
			if len(list) == 0 || !allScalars(list) {
				return c, fmt.Errorf("value %v, want a number, true or false, a word, or a list of them", value)
			}
			c.values, c.gradient = list, ok
		default:
			near := ""
			if n, ok := recipe.Nearest(key, []string{"filter", "value"}); ok {
				near = fmt.Sprintf(" (did you mean %q?)", n)
			}
			return c, fmt.Errorf("unknown key %q in a condition%s", key, near)
		}
	}
	if c.values == nil {
		return c, fmt.Errorf("a condition without a value")
	}
	return c, nil
}

func allScalars(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool { return !scalar(v) })
}

// at evaluates the setting for a tensor at position t of its slice, from 0 to 1. ok is false where no condition holds: the next
// level then decides. Numbers of a gradient are interpolated; flags and words step.
func (s Setting) at(tensor string, t float64, p method.Param) (value float64, ok bool, err error) {
	for _, c := range s.conditions {
		if c.filter != "" && c.filter != "*" && !strings.Contains(tensor, c.filter) {
			continue
		}
		values := make([]float64, len(c.values))
		for i, v := range c.values {
			if values[i], err = p.Parse(v); err != nil {
				return 0, false, wrong("%v", err)
			}
		}
		if !c.gradient {
			return values[0], true, nil
		}
		scaled := t * float64(len(values)-1)
		i := int(scaled)
		if p.Kind == method.Flag || p.Kind == method.Choice {
			return values[i], true, nil
		}
		next := min(len(values)-1, i+1)
		frac := scaled - float64(i)
		value = (1-frac)*values[i] + frac*values[next]
		if err := p.Check(value); err != nil {
			return 0, false, wrong("%v", err)
		}
		return value, true, nil
	}
	return 0, false, nil
}

// resolve looks a parameter up in the levels of a recipe, the highest first.
func resolve(p method.Param, levels []Settings, tensor string, t float64) (value float64, ok bool, err error) {
	for _, level := range levels {
		if s, found := level[p.Name]; found {
			if value, ok, err = s.at(tensor, t, p); ok || err != nil {
				return value, ok, err
			}
		}
	}
	if p.Required {
		return 0, false, wrong("parameter %s is missing", p.Name)
	}
	return p.Default, !p.Unset, nil
}

// checkNames refuses parameters that no method has, and shared parameters that stand at a model. Those that only other methods have
// are common in recipes (a weight for slerp, say); they come back as notes.
func (s Settings) checkNames(m *method.Method, where string, ofModel bool) (notes []string, err error) {
	for _, name := range sorted(s) {
		p, ok := m.Param(name)
		switch {
		case !ok && elsewhere(name):
			notes = append(notes, fmt.Sprintf("%s: parameter %s has no effect on %s", where, name, m.Name))
		case !ok:
			var known []string
			for _, p := range m.Params {
				known = append(known, p.Name)
			}
			near := ""
			if n, ok := recipe.Nearest(name, known); ok {
				near = fmt.Sprintf(" (did you mean %q?)", n)
			}
			return nil, wrong("%s: merge method %s has no parameter %q%s", where, m.Name, name, near)
		case ofModel && p.Scope == method.Shared:
			return nil, wrong("%s: parameter %s is not a model's: give it at the top or for a slice", where, name)
		case p.Inert:
			notes = append(notes, fmt.Sprintf("%s: parameter %s has no effect on %s", where, name, m.Name))
		}
	}
	return notes, nil
}

// elsewhere tells whether any method has the parameter.
func elsewhere(name string) bool {
	return slices.ContainsFunc(method.Methods(), func(m *method.Method) bool {
		_, ok := m.Param(name)
		return ok
	})
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
