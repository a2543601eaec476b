package method

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// spell writes a task down, without its inputs' numbers: method, tensor, shape, place in the stack, seed and parameters, all or those
// alone that its passes depend on. Parameters that change nothing are left out.
func (t *Task) spell(all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q %d base %d seed %d layer %d of %d", t.method.Name, t.Name, t.Shape, t.Base, t.Seed, t.Layer, t.Layers)
	values := func(v Values) {
		for _, name := range slices.Sorted(maps.Keys(v)) {
			p, known := t.method.Param(name)
			if known && !p.Inert && (all || !slices.Contains(t.method.late, name)) {
				fmt.Fprintf(&b, " %s=%v", name, v[name])
			}
		}
	}
	values(t.Params)
	for _, in := range t.Inputs {
		fmt.Fprintf(&b, "; %q", in.Name)
		values(in.Params)
	}
	return b.String()
}
