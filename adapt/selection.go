package adapt

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"syncretic/adapt/optim"
)

// Selects reports whether a pattern names a parameter. A pattern with any of *?[ is matched by path.Match, in which * also
// crosses dots; any other pattern matches itself and everything that begins with it, as in "encoder.layers.3.".
func Selects(pattern, name string) bool {
	if strings.ContainsAny(pattern, "*?[") {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	}
	return strings.HasPrefix(name, pattern)
}

// selects reports whether the stage trains the named parameter.
func (s Stage) selects(name string) bool {
	return len(s.Train) == 0 || slices.ContainsFunc(s.Train, func(pattern string) bool { return Selects(pattern, name) })
}

// apply makes exactly the selected parameters trainable. No pattern selects all; a pattern that selects nothing is an error,
// since it is a typing mistake.
func (s Stage) apply(params []optim.Param) error {
	used := make([]bool, len(s.Train))
	for _, p := range params {
		for i, pattern := range s.Train {
			used[i] = used[i] || Selects(pattern, p.Name)
		}
		p.Value.SetRequiresGrad(s.selects(p.Name))
	}
	for i, ok := range used {
		if !ok {
			return fmt.Errorf("%w: stage %s: train[%d] %q matches no parameter (a name such as %q, or a glob)", ErrConfig, s.Name, i, s.Train[i], params[0].Name)
		}
	}
	return nil
}
