package probe

import (
	"context"
	"math"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// exact is the objective of inputs that are kept in float64. With fewer rows than inputs the solution lies in the span of the
// rows, X = L·Q with orthonormal rows in Q, so it is found for L, which is [rows][rows], and rotated back: the same minimum, as
// ‖Qᵀv‖ = ‖v‖, for a fraction of the work.
type exact struct {
	rows, inputs int
	x            blas64.General // [rows][inputs or rows]
	rotating     sync.Mutex     // Ormlq writes to q while it works, and puts it back
	q            blas64.General // reflectors of Q, where it is used
	tau          []float64
	y            [][]float64   // [tags][rows]
	turns        chan struct{} // as many as there are cores
}

// newExact takes x [rows][inputs] over.
func newExact(x []float64, rows, inputs int, t *targets) *exact {
	p := &exact{rows: rows, inputs: inputs, turns: make(chan struct{}, runtime.GOMAXPROCS(0))}
	for tag := range t.labels[0] {
		y := make([]float64, rows)
		for i := range y {
			if t.labels[i][tag] {
				y[i] = 1
			}
		}
		p.y = append(p.y, y)
	}
	p.x = blas64.General{Rows: rows, Cols: inputs, Stride: inputs, Data: x}
	if rows >= inputs {
		return p
	}
	p.q, p.tau = p.x, make([]float64, rows)
	work := make([]float64, 1)
	lapack64.Gelqf(p.q, p.tau, work, -1)
	work = make([]float64, int(work[0]))
	lapack64.Gelqf(p.q, p.tau, work, len(work))
	p.x = blas64.General{Rows: rows, Cols: rows, Stride: rows, Data: make([]float64, rows*rows)}
	for i := range rows {
		copy(p.x.Data[i*rows:i*rows+i+1], p.q.Data[i*inputs:])
	}
	return p
}

func (p *exact) columns() int { return p.x.Cols }
func (p *exact) begin(int)    {}
func (p *exact) end()         {}

// tolerance: 1e-6 moves a probability by less than 1e-6 for strengths from 0.1.
func (p *exact) tolerance() (enough, acceptable float64) { return 1e-6, 1e-4 }

func (p *exact) evaluate(ctx context.Context, tag int, w, grad []float64) (float64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	p.turns <- struct{}{}
	defer func() { <-p.turns }()
	z, cols := make([]float64, p.rows), p.x.Cols
	for i := range z {
		z[i] = w[cols]
	}
	blas64.Gemv(blas.NoTrans, 1, p.x, blas64.Vector{N: cols, Inc: 1, Data: w}, 1, blas64.Vector{N: p.rows, Inc: 1, Data: z})
	var loss, sum float64
	for i, zi := range z {
		var residual float64
		var one float64
		one, residual = logLoss(zi, p.y[tag][i])
		loss += one
		sum += residual
		z[i] = residual
	}
	clear(grad)
	blas64.Gemv(blas.Trans, 1, p.x, blas64.Vector{N: p.rows, Inc: 1, Data: z}, 1, blas64.Vector{N: cols, Inc: 1, Data: grad})
	grad[cols] = sum
	return loss, nil
}

// logLoss returns log(1 + exp(z)) - y·z and its derivative, the residual sigmoid(z) - y.
func logLoss(z, y float64) (loss, residual float64) {
	e := math.Exp(-math.Abs(z))
	p := 1 / (1 + e)
	if z < 0 {
		p *= e
	}
	return max(z, 0) - y*z + math.Log1p(e), p - y
}

// weights rotates back and rounds to float32.
func (p *exact) weights(dst []float32, w []float64) {
	v := make([]float64, p.inputs)
	copy(v, w[:p.x.Cols])
	if p.tau != nil {
		c := blas64.General{Rows: p.inputs, Cols: 1, Stride: 1, Data: v}
		p.rotating.Lock()
		defer p.rotating.Unlock()
		work := make([]float64, 1)
		lapack64.Ormlq(blas.Left, blas.Trans, p.q, p.tau, c, work, -1)
		work = make([]float64, int(work[0]))
		lapack64.Ormlq(blas.Left, blas.Trans, p.q, p.tau, c, work, len(work))
	}
	for j := range dst {
		dst[j] = float32(v[j])
	}
}

// float64s returns the inputs [rows][inputs].
func (s *scaler) float64s(f *Features) ([]float64, error) {
	out := make([]float64, 0, len(f.Items)*s.inputs())
	raw := &reader{f: f, s: &scaler{layers: s.layers, dim: s.dim}}
	err := raw.blocks(runtime.GOMAXPROCS(0), func(_ int, rows [][]float32) error {
		for _, row := range rows {
			for j, v := range row {
				out = append(out, (float64(v)-float64(s.mean[j]))/float64(s.scale[j]))
			}
		}
		return nil
	})
	return out, err
}
