package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"
)

// objective is the sum of log losses over the rows, of every tag:
//
//	f_tag(w) = Σ_i log(1 + exp(z_i)) - y_i·z_i   with z = X·w + b
//
// w holds the weights of X's columns and, last, the intercept.
type objective interface {
	// columns returns how many columns X has.
	columns() int
	// evaluate returns f_tag(w) and writes its gradient. It may be called for several tags at once.
	evaluate(ctx context.Context, tag int, w, grad []float64) (float64, error)
	// begin announces so many minimisations, each of which calls evaluate again and again; end, that one of them is over.
	begin(minimisations int)
	end()
	// tolerance is the largest element of a gradient that is 0 as far as f can tell, and the largest of one that is accepted where
	// the line search finds no better point.
	tolerance() (enough, acceptable float64)
	// weights writes the weights of the inputs that belong to those of the columns.
	weights(dst []float32, w []float64)
}

// exactInputs is the number of inputs, of all rows, up to which they are kept in float64: 64 MB.
const exactInputs = 1 << 23

// solveLogistic minimises f_tag(w) + λ/2·‖w‖² for every tag and strength by L-BFGS, each from zero, so that a solution does not depend
// on the other strengths tried. A tag whose train rows all carry one label has no minimum; it gets zero weights and the intercept
// of its smoothed frequency, log((P+½)/(N+½)).
func solveLogistic(ctx context.Context, s *scaler, train Split, strengths []float64) ([]*linearHead, error) {
	var f objective
	rows, inputs := len(train.Features.Items), s.inputs()
	if rows <= exactInputs/inputs {
		x, err := s.float64s(train.Features)
		if err != nil {
			return nil, err
		}
		f = newExact(x, rows, inputs, newTargets(train))
	} else {
		f = newStreamed(s, train)
	}
	tags := len(train.Tags)
	heads := make([]*linearHead, len(strengths))
	for k := range heads {
		heads[k] = emptyLinear(inputs, tags)
	}
	together := max(1, mostMinimised/(tags*(inputs+1)))
	for first := 0; first < len(strengths); first += together {
		last := min(first+together, len(strengths))
		if err := minimiseAll(ctx, f, train, strengths[first:last], heads[first:last]); err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// mostMinimised is how many weights are sought at a time: for each, L-BFGS remembers thirty numbers and needs a few more, 512 MB in all.
const mostMinimised = 1 << 21

// minimiseAll sets the weights of a head for every strength. Tags and strengths go side by side: for a streamed objective one pass over
// the rows serves them all.
func minimiseAll(ctx context.Context, f objective, train Split, strengths []float64, heads []*linearHead) error {
	rows, tags := float64(len(train.Features.Items)), len(train.Tags)
	positives, mixed := countPositives(train)
	f.begin(mixed * len(strengths))
	errs := make([]error, tags*len(strengths))
	var wg sync.WaitGroup
	for i := range errs {
		k, t := i/tags, i%tags
		wg.Go(func() {
			w := make([]float64, f.columns()+1)
			w[f.columns()] = math.Log((positives[t] + 0.5) / (rows - positives[t] + 0.5))
			if 0 < positives[t] && positives[t] < rows {
				defer f.end()
				var err error
				if w, err = minimise(ctx, f, t, w, strengths[k]); err != nil {
					errs[i] = fmt.Errorf("tag %q, l2 %g: %w", train.Tags[t], strengths[k], err)
					return
				}
			}
			inputs := heads[k].inputs
			f.weights(heads[k].weight[t*inputs:(t+1)*inputs], w)
			heads[k].bias[t] = float32(w[f.columns()])
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// countPositives returns the rows of each tag that carry it, and how many tags have both rows that do and rows that do not.
func countPositives(train Split) (positives []float64, mixed int) {
	positives = make([]float64, len(train.Tags))
	spans := train.Features.Spans()
	for k, row := range train.Labels {
		for t, positive := range row {
			if positive {
				positives[t] += float64(spans[k+1] - spans[k])
			}
		}
	}
	for _, p := range positives {
		if p > 0 && p < float64(len(train.Features.Items)) {
			mixed++
		}
	}
	return positives, mixed
}

// minimise returns the minimum of f_tag(w) + λ/2·‖w‖², near start.
func minimise(ctx context.Context, f objective, tag int, start []float64, strength float64) ([]float64, error) {
	cols := f.columns()
	last, grad := make([]float64, cols+1), make([]float64, cols+1) // f's gradient is known at last
	var value float64
	var failed error
	known := false
	at := func(w []float64) {
		if failed == nil {
			failed = ctx.Err() // also where a line search asks for one point again and again
		}
		if failed != nil || known && slices.Equal(w, last) {
			return
		}
		copy(last, w)
		known = true
		var loss float64
		if loss, failed = f.evaluate(ctx, tag, last, grad); failed != nil {
			return
		}
		weights := last[:cols]
		value = loss + strength/2*floats.Dot(weights, weights)
		floats.AddScaled(grad[:cols], strength, weights)
	}
	enough, acceptable := f.tolerance()
	problem := optimize.Problem{
		Func:   func(w []float64) float64 { at(w); return value },
		Grad:   func(g, w []float64) { at(w); copy(g, grad) },
		Status: func() (optimize.Status, error) { return stopOn(failed) },
	}
	result, err := optimize.Minimize(problem, start, &optimize.Settings{
		GradientThreshold: enough, MajorIterations: 10000, FuncEvaluations: 2000, Converger: optimize.NeverTerminate{},
	}, &optimize.LBFGS{})
	if failed != nil {
		return nil, failed
	}
	if result == nil {
		return nil, err
	}
	// Near the minimum the loss stops changing in its last bit before the gradient is small enough, and the line
	// search gives up: fine, as long as the gradient is small.
	at(result.X)
	if failed != nil {
		return nil, failed
	}
	if norm := floats.Norm(grad, math.Inf(1)); !(norm <= acceptable) {
		return nil, errors.Join(fmt.Errorf("%w: no convergence, the gradient is %.2g", ErrInvalid, norm), err)
	}
	return result.X, nil
}

// stopOn ends a minimisation on an error.
func stopOn(err error) (optimize.Status, error) {
	if err != nil {
		return optimize.Failure, err
	}
	return optimize.NotTerminated, nil
}
