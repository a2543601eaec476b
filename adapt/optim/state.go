package optim

import "fmt"

// State is what AdamW remembers of one parameter.
type State struct {
	Name string
	Step int       // steps taken, at least 1
	M, V []float32 // first and second moments, in the order of the value's elements
}

// State returns the states of the parameters that have been updated at least
// once, in the order of the parameters. M and V are the optimizer's own memory:
// write them out before the next Step.
func (o *AdamW) State() []State {
	var states []State
	for i, s := range o.moments {
		if s.step > 0 {
			states = append(states, State{o.params[i].Name, s.step, s.m, s.v})
		}
	}
	return states
}

// Restore replaces all states with copies of those given; a parameter that is
// not named starts afresh, as it did when State left it out. A name that no
// parameter has, a name given twice, a size that differs and a step below 1 are
// errors, and then the optimizer is unchanged.
func (o *AdamW) Restore(states []State) error {
	index := make(map[string]int, len(o.params))
	for i, p := range o.params {
		index[p.Name] = i
	}
	restored := make([]moments, len(o.params))
	for _, s := range states {
		i, ok := index[s.Name]
		if !ok {
			return fmt.Errorf("optimizer state %q: no parameter has that name", s.Name)
		}
		if restored[i].step != 0 {
			return fmt.Errorf("optimizer state %q: given twice", s.Name)
		}
		value, _ := buffers(o.params[i])
		if len(s.M) != len(value) || len(s.V) != len(value) {
			return fmt.Errorf("optimizer state %q: moments of %d and %d elements, want %d", s.Name, len(s.M), len(s.V), len(value))
		}
		if s.Step < 1 {
			return fmt.Errorf("optimizer state %q: step is %d, want 1 or more", s.Name, s.Step)
		}
		restored[i] = moments{s.Step, append([]float32(nil), s.M...), append([]float32(nil), s.V...)}
	}
	o.moments = restored
	return nil
}
