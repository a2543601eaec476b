package op

import (
	"sync/atomic"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

// watch counts the operators of one graph that have not added to a parameter's gradient yet. It stands in nn.Param.State
// while a backward pass is under way.
type watch struct {
	pending atomic.Int64
	ready   func()
}

// Watch makes the backward pass from loss that follows call ready(i) once for each of params, as soon as params[i]'s
// gradient is complete: when the last operator that takes it is done, however many there are. Parameters that no operator
// of the graph takes, or that require no gradient, are reported before Watch returns.
//
// ready is called on the goroutines of the pass, on several at once, and holds up what they would go on with. What was
// written to a gradient happens before the call. One pass must follow, before the next Watch of the same parameters.
func Watch(loss mat.Tensor, params []*nn.Param, ready func(i int)) {
	uses := map[*nn.Param]int64{}
	count(loss, map[*ag.Operator]bool{}, uses)
	for i, p := range params {
		n := uses[p]
		if n == 0 {
			ready(i)
			continue
		}
		w := &watch{ready: func() { ready(i) }}
		w.pending.Store(n)
		p.State = w
	}
}

// count adds up how often operators take each parameter in the part of a graph that a backward pass visits.
func count(t mat.Tensor, seen map[*ag.Operator]bool, uses map[*nn.Param]int64) {
	switch t := t.(type) {
	case *nn.Param:
		if t.RequiresGrad() {
			uses[t]++
		}
	case *ag.Operator:
		if seen[t] || !t.RequiresGrad() {
			return
		}
		seen[t] = true
		for _, operand := range t.Operands() {
			count(operand, seen, uses)
		}
	}
}

// done tells those who watch parameters among the operands of an operator that it has added to their gradients.
func done(operands []mat.Tensor) {
	for _, t := range operands {
		p, ok := t.(*nn.Param)
		if !ok {
			continue
		}
		if w, ok := p.State.(*watch); ok && w.pending.Add(-1) == 0 {
			p.State = nil
			w.ready()
		}
	}
}
