package probe

import (
	"context"
	"runtime"
	"sync"

	"syncretic/adapt/gemm"
)

// streamed is the objective of inputs that do not fit in memory as float64. It reads the rows once for all that wait for a value:
// the optimisers of tags and strengths go in step, each a goroutine that sleeps until the last of them has asked. The products are of float32, in
// blocks of rows whose sums are added in float64. What one is told does not depend on which others asked with it.
type streamed struct {
	rows    *reader
	n       int // rows
	targets *targets

	mu      sync.Mutex
	active  int // minimisations under way
	waiting []*request
}

// request is one call of evaluate.
type request struct {
	tag     int
	w, grad []float64
	loss    float64
	err     error
	done    chan struct{}
}

func newStreamed(s *scaler, train Split) *streamed {
	return &streamed{rows: &reader{f: train.Features, s: s}, n: len(train.Features.Items), targets: newTargets(train)}
}

func (p *streamed) columns() int { return p.rows.s.inputs() }

// tolerance is three hundred-thousandths of the number of rows, of which the gradient is a sum: a third of where scikit-learn stops.
func (p *streamed) tolerance() (enough, acceptable float64) {
	return 3e-5 * float64(p.n), 1e-4 * float64(p.n)
}

func (p *streamed) weights(dst []float32, w []float64) {
	for j := range dst {
		dst[j] = float32(w[j])
	}
}

func (p *streamed) begin(minimisations int) { p.active = minimisations }

func (p *streamed) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active--
	p.serve(context.Background())
}

func (p *streamed) evaluate(ctx context.Context, tag int, w, grad []float64) (float64, error) {
	r := &request{tag: tag, w: w, grad: grad, done: make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, r)
	p.serve(ctx)
	p.mu.Unlock()
	<-r.done
	return r.loss, r.err
}

// serve answers all requests if every minimisation has one. Who holds the lock calls it.
func (p *streamed) serve(ctx context.Context) {
	if len(p.waiting) == 0 || len(p.waiting) < p.active {
		return
	}
	requests := p.waiting
	p.waiting = nil
	err := p.pass(ctx, requests)
	for _, r := range requests {
		r.err = err
		close(r.done)
	}
}

// pass reads all rows and adds up the losses and gradients:
//
//	Z  [rows][tags]   = X·Wᵀ + b
//	R  [rows][tags]   = sigmoid(Z) - Y
//	G  [tags][inputs] = Σ over blocks Rᵀ·X
func (p *streamed) pass(ctx context.Context, requests []*request) error {
	k, inputs := len(requests), p.columns()
	w, b := make([]float32, k*inputs), make([]float32, k)
	for t, r := range requests {
		p.weights(w[t*inputs:(t+1)*inputs], r.w)
		b[t] = float32(r.w[inputs])
		clear(r.grad)
	}
	workers := runtime.GOMAXPROCS(0)
	packed := gemm.Pack(true, k, inputs, w, inputs)
	z := make([]float32, blockRows*k)
	const group, span = 24, 512 // rows and inputs that one goroutine takes
	blocks := make([][]float32, (inputs+span-1)/span)
	return p.rows.blocks(workers, func(first int, rows [][]float32) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := len(rows)
		x := p.rows.scaled
		share((n+group-1)/group, workers, func(g int) {
			from, to := g*group, min((g+1)*group, n)
			packed.MultiplySerial(to-from, x[from*inputs:], inputs, b, z[from*k:], k, nil)
		})
		p.residuals(requests, first, z[:n*k])
		share(len(blocks), workers, func(at int) {
			from := at * span
			width := min(span, inputs-from)
			blocks[at] = resize(blocks[at], k*width)
			gemm.MultiplySerial(true, false, k, width, n, z, k, x[from:], inputs, false, blocks[at], width)
			for t, r := range requests {
				grad := r.grad[from : from+width]
				for j, v := range blocks[at][t*width : (t+1)*width] {
					grad[j] += float64(v)
				}
			}
		})
		return nil
	})
}

// residuals adds the losses of rows from first on, and the gradients of the intercepts, and turns the logits z into residuals.
func (p *streamed) residuals(requests []*request, first int, z []float32) {
	k, inputs := len(requests), p.columns()
	for i := 0; i < len(z); i += k {
		labels := p.targets.labels[first+i/k]
		for t, r := range requests {
			var y float64
			if labels[r.tag] {
				y = 1
			}
			loss, residual := logLoss(float64(z[i+t]), y)
			r.loss += loss
			r.grad[inputs] += residual
			z[i+t] = float32(residual)
		}
	}
}
