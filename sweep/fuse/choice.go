package fuse

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"syncretic/arithmetic/method"
)

// Choice is the merge of one trial.
type Choice struct {
	Method string             `json:"method"`           // by the name that recipes use, one of Methods
	Params map[string]float64 `json:"params,omitempty"` // the method's parameters, the same for all vectors; flags are 0 or 1, words indices of method.Param's Choices

	// Weights are the scaling coefficients by vector. A vector that is not named takes no part. With nil all take part, with the
	// method's own weight; that is the one way to use a method that has no weights.
	Weights map[string]Weight `json:"weights,omitempty"`
}

// Weight is a vector's scaling coefficient: Value, except in the groups that Groups names by [Group.Name].
type Weight struct {
	Value  float64            `json:"value"`
	Groups map[string]float64 `json:"groups,omitempty"`
}

// Methods lists the methods that a Choice may name: those that take a base and task vectors, and nothing else.
func Methods() []string {
	var names []string
	for _, m := range method.Methods() {
		if usable(m) {
			names = append(names, m.Name)
		}
	}
	return names
}

func usable(m *method.Method) bool { return m.Base != method.BaseIgnored && !m.Data }

// Base is the base itself.
func (f *Fuser) Base() Choice {
	return Choice{Method: "task_arithmetic", Weights: map[string]Weight{}}
}

// Expert is one vector alone: base + τ.
func (f *Fuser) Expert(vector string) Choice {
	return Choice{Method: "task_arithmetic", Weights: map[string]Weight{vector: {Value: 1}}}
}

// check holds a choice against the fuser; what a method makes of numbers is mergekit's to check.
func (f *Fuser) check(c Choice) (*method.Method, error) {
	m, ok := method.Find(c.Method)
	if !ok || !usable(m) {
		return nil, fmt.Errorf("%w: method %q, want one of %s", ErrChoice, c.Method, strings.Join(Methods(), ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if p, ok := m.Param(name); !ok || p.Inert {
			return nil, fmt.Errorf("%w: method %s has no parameter %q", ErrChoice, m.Name, name)
		}
	}
	if _, weighs := m.Param("weight"); !weighs && c.Weights != nil {
		return nil, fmt.Errorf("%w: method %s has no weights", ErrChoice, m.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Weights)) {
		if _, ok := f.paths[name]; !ok {
			return nil, fmt.Errorf("%w: no task vector %q; there are %s", ErrChoice, name, strings.Join(f.names, ", "))
		}
		for _, group := range slices.Sorted(maps.Keys(c.Weights[name].Groups)) {
			if !slices.ContainsFunc(f.groups, func(g Group) bool { return g.Name == group }) {
				return nil, fmt.Errorf("%w: weights: %s: no group %q", ErrChoice, name, group)
			}
		}
	}
	return m, nil
}
