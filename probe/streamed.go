package probe

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"syncretic/adapt/gemm"
)

// streamed is the objective of inputs that do not fit in memory as float64. It reads the rows once for all tags that wait for a
// value: tags' optimisers go in step, each a goroutine that sleeps until the last of them has asked. The products are of float32, in
// blocks of rows whose sums are added in float64. What a tag is told does not depend on which others asked with it.
type streamed struct {
	rows    *reader
	n       int // rows
	targets *targets

	mu      sync.Mutex
	active  int // tags that are being minimised
	waiting []*request
}

// request is one tag's call of evaluate.
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

// tolerance is a ten-millionth of the rows, of which the gradient is a sum: about what float32 products resolve. scikit-learn stops at
// a ten-thousandth of them.
func (p *streamed) tolerance() (enough, acceptable float64) {
	return 1e-6 * float64(p.n), 1e-5 * float64(p.n)
}

func (p *streamed) weights(dst []float32, w []float64) {
	for j := range dst {
		dst[j] = float32(w[j])
	}
}

func (p *streamed) begin(tags int) { p.active = tags }

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

// serve answers all requests if every active tag has one. Who holds the lock calls it.
func (p *streamed) serve(ctx context.Context) {
	if len(p.waiting) == 0 || len(p.waiting) < p.active {
		return
	}
	requests := p.waiting
	p.waiting = nil
	slices.SortFunc(requests, func(a, b *request) int { return cmp.Compare(a.tag, b.tag) })
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
	z, block := make([]float32, blockRows*k), make([]float32, k*inputs)
	return p.rows.blocks(workers, func(first int, rows [][]float32) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := len(rows)
		x := p.rows.scaled
		packed.Multiply(n, x, inputs, b, z[:n*k], k, nil)
		for i := range n {
			labels := p.targets.labels[first+i]
			for t, r := range requests {
				var y float64
				if labels[r.tag] {
					y = 1
				}
				loss, residual := logLoss(float64(z[i*k+t]), y)
				r.loss += loss
				r.grad[inputs] += residual
				z[i*k+t] = float32(residual)
			}
		}
		gemm.Multiply(true, false, k, inputs, n, z, k, x, inputs, false, block, inputs)
		share(k, workers, func(t int) {
			grad := requests[t].grad[:inputs]
			for j, v := range block[t*inputs : (t+1)*inputs] {
				grad[j] += float64(v)
			}
		})
		return nil
	})
}
