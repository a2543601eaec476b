package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/optimize"

	"syncretic/checkpoint"
)

// logistic is one linear classifier a tag.
type logistic struct {
	inputs int
	weight []float32 // [tags][inputs]
	bias   []float32 // [tags]
}

// fitLogistic solves every tag for every strength and keeps the strength with the highest macro ROC-AUC on valid; among
// equals the strongest. One strength serves all tags. Each (tag, strength) starts from zero, so that its solution does
// not depend on the other strengths tried.
func fitLogistic(ctx context.Context, s *scaler, train, valid Split, cfg HeadConfig) (model, Chosen, error) {
	strengths := slices.Clone(cfg.L2)
	slices.Sort(strengths)
	strengths = slices.Compact(strengths)
	slices.Reverse(strengths)
	x, err := s.float64s(train.Features)
	if err != nil {
		return nil, Chosen{}, err
	}
	problem := newLogisticProblem(x, len(train.Features.Items), s.inputs())
	labels := byRow(train.Features, train.Labels)
	tags := len(train.Tags)
	solutions := make([][]float64, len(strengths)*tags)
	err = each(ctx, len(solutions), nil, func(i int) (err error) {
		t := i % tags
		solutions[i], err = problem.solve(labels, t, strengths[i/tags])
		if err != nil {
			return fmt.Errorf("tag %q, l2 %g: %w", train.Tags[t], strengths[i/tags], err)
		}
		return nil
	})
	if err != nil {
		return nil, Chosen{}, err
	}
	var best *logistic
	var chosen Chosen
	for k, strength := range strengths {
		candidate := problem.model(solutions[k*tags : (k+1)*tags])
		logits, err := candidate.logits(s, valid.Features)
		if err != nil {
			return nil, Chosen{}, err
		}
		auc, err := validAUC(logits, valid)
		if err != nil {
			return nil, Chosen{}, err
		}
		chosen.Trials = append(chosen.Trials, Trial{L2: strength, ROCAUC: auc})
		if best == nil || auc > bestTrial(chosen.Trials[:k]) {
			best, chosen.L2 = candidate, strength
		}
	}
	return best, chosen, nil
}

func bestTrial(trials []Trial) float64 {
	best := math.Inf(-1)
	for _, t := range trials {
		best = max(best, t.ROCAUC)
	}
	return best
}

// logisticProblem holds the inputs that all tags share. With fewer items than inputs the solution lies in the span of the
// items, X = L·Q with orthonormal rows in Q, so it is found for L, which is [items][items], and rotated back: the same
// minimum, as ‖Qᵀv‖ = ‖v‖, for a fraction of the work.
type logisticProblem struct {
	items, inputs int
	x             blas64.General // [items][inputs or items]
	q             blas64.General // reflectors of Q, where it is used
	tau           []float64
}

// newLogisticProblem takes x [items][inputs] over.
func newLogisticProblem(x []float64, items, inputs int) *logisticProblem {
	p := &logisticProblem{items: items, inputs: inputs}
	p.x = blas64.General{Rows: items, Cols: inputs, Stride: inputs, Data: x}
	if items >= inputs {
		return p
	}
	p.q, p.tau = p.x, make([]float64, items)
	work := make([]float64, 1)
	lapack64.Gelqf(p.q, p.tau, work, -1)
	work = make([]float64, int(work[0]))
	lapack64.Gelqf(p.q, p.tau, work, len(work))
	p.x = blas64.General{Rows: items, Cols: items, Stride: items, Data: make([]float64, items*items)}
	for i := range items {
		copy(p.x.Data[i*items:i*items+i+1], p.q.Data[i*inputs:])
	}
	return p
}

// solve returns the weights of x's columns and, last, the intercept that minimise
//
//	Σ_i log(1 + exp(z_i)) - y_i·z_i + λ/2·‖w‖²   with z = X·w + b
//
// by L-BFGS. A tag whose train items all carry one label has no minimum; it gets zero weights and the intercept of its
// smoothed frequency, log((P+½)/(N+½)).
func (p *logisticProblem) solve(labels [][]bool, tag int, strength float64) ([]float64, error) {
	y := make([]float64, p.items)
	for i, row := range labels {
		if row[tag] {
			y[i] = 1
		}
	}
	start := make([]float64, p.x.Cols+1)
	positives := floats.Sum(y)
	start[p.x.Cols] = math.Log((positives + 0.5) / (float64(p.items) - positives + 0.5))
	if positives == 0 || positives == float64(p.items) {
		return start, nil
	}
	// gradient is what is left of the sum over the items; 1e-6 moves a probability by less than 1e-6 for strengths from 0.1.
	const enough, acceptable = 1e-6, 1e-4
	z := make([]float64, p.items)
	problem := optimize.Problem{
		Func: func(w []float64) float64 { return p.loss(w, y, z, strength) },
		Grad: func(grad, w []float64) { p.gradient(grad, w, y, z, strength) },
	}
	result, err := optimize.Minimize(problem, start, &optimize.Settings{
		GradientThreshold: enough, MajorIterations: 10000, Converger: optimize.NeverTerminate{},
	}, &optimize.LBFGS{})
	if result == nil {
		return nil, err
	}
	// Near the minimum the loss stops changing in its last bit before the gradient is small enough, and the line
	// search gives up: fine, as long as the gradient is small.
	grad := make([]float64, len(start))
	p.gradient(grad, result.X, y, z, strength)
	if norm := floats.Norm(grad, math.Inf(1)); !(norm <= acceptable) {
		return nil, errors.Join(fmt.Errorf("%w: no convergence, the gradient is %.2g", ErrInvalid, norm), err)
	}
	return result.X, nil
}

// margins sets z = X·w + b.
func (p *logisticProblem) margins(w, z []float64) {
	for i := range z {
		z[i] = w[p.x.Cols]
	}
	blas64.Gemv(blas.NoTrans, 1, p.x, blas64.Vector{N: p.x.Cols, Inc: 1, Data: w}, 1, blas64.Vector{N: p.items, Inc: 1, Data: z})
}

func (p *logisticProblem) loss(w, y, z []float64, strength float64) float64 {
	p.margins(w, z)
	var sum float64
	for i, zi := range z {
		sum += max(zi, 0) - y[i]*zi + math.Log1p(math.Exp(-math.Abs(zi)))
	}
	weights := w[:p.x.Cols]
	return sum + strength/2*floats.Dot(weights, weights)
}

func (p *logisticProblem) gradient(grad, w, y, z []float64, strength float64) {
	p.margins(w, z)
	var sum float64
	for i, zi := range z {
		z[i] = sigmoid(zi) - y[i]
		sum += z[i]
	}
	cols := p.x.Cols
	floats.ScaleTo(grad[:cols], strength, w[:cols])
	blas64.Gemv(blas.Trans, 1, p.x, blas64.Vector{N: p.items, Inc: 1, Data: z}, 1, blas64.Vector{N: cols, Inc: 1, Data: grad})
	grad[cols] = sum
}

// model rotates the solutions of all tags back and rounds them to float32.
func (p *logisticProblem) model(solutions [][]float64) *logistic {
	tags := len(solutions)
	w := blas64.General{Rows: p.inputs, Cols: tags, Stride: tags, Data: make([]float64, p.inputs*tags)}
	out := &logistic{inputs: p.inputs, weight: make([]float32, tags*p.inputs), bias: make([]float32, tags)}
	for t, solution := range solutions {
		for j, v := range solution[:p.x.Cols] {
			w.Data[j*tags+t] = v
		}
		out.bias[t] = float32(solution[p.x.Cols])
	}
	if p.tau != nil {
		work := make([]float64, 1)
		lapack64.Ormlq(blas.Left, blas.Trans, p.q, p.tau, w, work, -1)
		work = make([]float64, int(work[0]))
		lapack64.Ormlq(blas.Left, blas.Trans, p.q, p.tau, w, work, len(work))
	}
	for t := range tags {
		for j := range p.inputs {
			out.weight[t*p.inputs+j] = float32(w.Data[j*tags+t])
		}
	}
	return out
}

func (m *logistic) logits(s *scaler, f *Features) ([][]float64, error) {
	x, err := s.float64s(f)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(f.Items))
	for i := range out {
		row := x[i*m.inputs : (i+1)*m.inputs]
		out[i] = make([]float64, len(m.bias))
		for t, b := range m.bias {
			z := float64(b)
			for j, w := range m.weight[t*m.inputs : (t+1)*m.inputs] {
				z += float64(w) * row[j]
			}
			out[i][t] = z
		}
	}
	return out, nil
}

func (m *logistic) tensors() []checkpoint.Tensor {
	return []checkpoint.Tensor{
		{Name: "weight", Shape: []int{len(m.bias), m.inputs}, Data: m.weight},
		{Name: "bias", Shape: []int{len(m.bias)}, Data: m.bias},
	}
}
