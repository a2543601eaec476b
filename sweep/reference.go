package sweep

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reference is a model that trials are compared with: the base, the single-culture expert of a vector, or the model of all cultures.
type Reference string

// The references that are not experts.
const (
	Base  Reference = "base"
	Multi Reference = "multi"
)

const expertPrefix = "expert "

// Expert is base + 1 tau of a vector.
func Expert(vector string) Reference { return Reference(expertPrefix + vector) }

// Vector is the vector of an expert; ok is false for the other references.
func (r Reference) Vector() (name string, ok bool) { return strings.CutPrefix(string(r), expertPrefix) }

// References are the validation scores of the reference models.
type References struct {
	Base    Scores            `json:"base"`
	Experts map[string]Scores `json:"experts,omitempty"` // by vector
	Multi   *Scores           `json:"multi,omitempty"`
}

// put stores the scores of one reference.
func (r *References) put(of Reference, s Scores) {
	switch name, expert := of.Vector(); {
	case expert:
		if r.Experts == nil {
			r.Experts = map[string]Scores{}
		}
		r.Experts[name] = s
	case of == Multi:
		r.Multi = &s
	default:
		r.Base = s
	}
}

// references lists those of a setup, the base first; experts are measured where the rule needs them.
func (s Setup) references() []Reference {
	all := []Reference{Base}
	for _, name := range s.Space.Vectors {
		if slices.Contains(slices.Collect(maps.Values(s.Rule.Experts)), name) {
			all = append(all, Expert(name))
		}
	}
	if s.Multi {
		all = append(all, Multi)
	}
	return all
}

// check returns an error unless all references were measured on the same datasets, and by what the rule needs.
func (r References) check(rule Rule) error {
	if len(r.Base.Tasks)+len(r.Base.Losses) == 0 {
		return fmt.Errorf("%w: the base is not measured yet", ErrNoScores)
	}
	if len(r.Base.Of(rule.Metric, false)) == 0 {
		return fmt.Errorf("%w: no non-Western dataset carries %s", ErrNoScores, rule.Metric)
	}
	for _, name := range sortedKeys(r.Experts) {
		if err := r.Experts[name].sameDatasets(r.Base); err != nil {
			return fmt.Errorf("expert %s: %w", name, err)
		}
	}
	for _, name := range sortedKeys(rule.Experts) {
		expert, measured := r.Experts[rule.Experts[name]]
		if v := expert.Of(rule.Metric, false)[name]; measured && !(v > 0) {
			return fmt.Errorf("%w: the expert %s has %s %v on %s, by which nothing can be divided: set normalise: false", ErrNoScores, rule.Experts[name], rule.Metric, v, name)
		}
	}
	if r.Multi != nil {
		if err := r.Multi.sameDatasets(r.Base); err != nil {
			return fmt.Errorf("multi-culture model: %w", err)
		}
	}
	return nil
}
