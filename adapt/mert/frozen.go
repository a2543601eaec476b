package mert

import (
	"strings"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
)

// thaw drops what inference has prepared of the rows of the table that have changed; what it has of others stays, and so does the memory
// of what it drops. It is not for weights that were given away, of which nothing is prepared.
func (e *Encoder) thaw(changed func(i int) bool) {
	stale := make([]bool, len(e.table))
	for i, w := range e.table {
		stale[i] = stale[i] || changed(i)
		if with, ok := e.rowsByName[formOwner(w.name)]; ok && changed(i) {
			stale[with] = true
		}
	}
	e.eval.Store(e.wire(func(i, rows, cols int) mat.Tensor {
		switch {
		case e.frozen[i] == nil:
			e.frozen[i] = op.Freeze(rows, cols, e.data[i])
		case stale[i]:
			e.frozen[i] = e.frozen[i].Again()
		}
		return e.frozen[i]
	}))
}

// formOwner is the tensor with which an operator keeps the form of another one, which see op.Frozen; for most it is the tensor itself.
func formOwner(name string) string {
	for _, projection := range []string{".k_proj.weight", ".v_proj.weight"} {
		if layer, ok := strings.CutSuffix(name, projection); ok {
			return layer + ".q_proj.weight"
		}
	}
	if conv, ok := strings.CutSuffix(name, gainName); ok {
		return conv + directionName
	}
	return name
}
