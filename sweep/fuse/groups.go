package fuse

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"syncretic/arithmetic/mergekit"
	"syncretic/checkpoint"
)

// ErrChoice marks groups, vectors and choices that do not fit each other or the model.
var ErrChoice = errors.New("invalid choice of a merge")

// Group is a part of a model with a scaling coefficient of its own: the tensors that have one of Filters in their name, as in the
// conditions of a recipe. Without Filters it is all that no other group has.
type Group struct {
	Name    string
	Filters []string
}

// Groups are tried in their order, and a tensor is of the first that has it. A group without Filters stands last.
type Groups []Group

// The names of [DefaultGroups].
const (
	Front  = "front-end" // what stands before the layers: convolutions, projection, embeddings
	Lower  = "lower"     // the first third of the layers
	Middle = "middle"    // the second
	Upper  = "upper"     // the last, and what stands behind it: the final norm, heads
)

// DefaultGroups divides any model whose layers can be told by the numbers in their names: its stacks of layers in thirds, and the rest.
// Of fewer than three layers there is no upper third, of one no middle; without layers all is [Front]. config is the model's
// config.json, or nil; see [mergekit.Stacks].
func DefaultGroups(infos []checkpoint.Info, config []byte) (Groups, error) {
	thirds := Groups{{Name: Lower}, {Name: Middle}, {Name: Upper}}
	at := make(map[string]int) // by start of a tensor's name
	for _, s := range mergekit.Stacks(infos, config) {
		for i := range s.Layers {
			start, third := fmt.Sprintf("%s.%d.", s.Prefix, i), i*len(thirds)/s.Layers
			at[start] = third
			thirds[third].Filters = append(thirds[third].Filters, start)
		}
	}
	last := len(thirds) - 1
	for last > 0 && thirds[last].Filters == nil {
		last--
	}
	want := make(map[string]string)
	for _, info := range infos {
		want[info.Name] = Front
		for start, third := range at {
			if strings.HasPrefix(info.Name, start) {
				want[info.Name] = thirds[third].Name
			}
		}
		if len(at) > 0 && want[info.Name] == Front && mergekit.Behind(info.Name) {
			want[info.Name] = thirds[last].Name
			thirds[last].Filters = append(thirds[last].Filters, info.Name)
		}
	}
	groups := append(slices.DeleteFunc(thirds, func(g Group) bool { return g.Filters == nil }), Group{Name: Front})
	for _, info := range infos {
		if got, _ := groups.Of(info.Name); got != want[info.Name] {
			return nil, fmt.Errorf("%w: tensor %q is of group %s, but its name looks like one of %s: give groups", ErrChoice, info.Name, want[info.Name], got)
		}
	}
	return groups, nil
}

// Of is the group of a tensor; ok is false where no group has it.
func (g Groups) Of(tensor string) (name string, ok bool) {
	for _, group := range g {
		if len(group.Filters) == 0 || slices.ContainsFunc(group.Filters, func(f string) bool { return strings.Contains(tensor, f) }) {
			return group.Name, true
		}
	}
	return "", false
}

// check wants every group to have a name of its own and tensors.
func (g Groups) check(infos []checkpoint.Info) error {
	tensors := make(map[string]int)
	for _, info := range infos {
		if name, ok := g.Of(info.Name); ok && !info.DType.Integer() {
			tensors[name]++
		}
	}
	for i, group := range g {
		switch {
		case group.Name == "" || slices.ContainsFunc(g[:i], func(o Group) bool { return o.Name == group.Name }):
			return fmt.Errorf("%w: group %d: its name %q is empty or taken", ErrChoice, i+1, group.Name)
		case len(group.Filters) == 0 && i != len(g)-1:
			return fmt.Errorf("%w: group %q has no filters, so it takes all that is left: it must be the last", ErrChoice, group.Name)
		case slices.Contains(group.Filters, "") || slices.Contains(group.Filters, "*"):
			return fmt.Errorf("%w: group %q: an empty filter or *: leave filters out for all that is left", ErrChoice, group.Name)
		case tensors[group.Name] == 0:
			return fmt.Errorf("%w: group %q has no tensors", ErrChoice, group.Name)
		}
	}
	return nil
}
