package op

import (
	"fmt"
	"math"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
)

// CodebookStats says how well the codes were predicted.
type CodebookStats struct {
	Loss    []float64 // mean cross-entropy of each codebook, in nats
	Correct []int     // rows of each codebook whose largest logit is the target's
	Rows    int
}

// codebookEps is the least norm that a vector is divided by, as in PyTorch's
// cosine_similarity.
const codebookEps = 1e-8

// codebookRows is the number of rows whose logits are held at a time.
const codebookRows = 256

type codebookLoss struct {
	z, tables   mat.Tensor
	sizes       []int
	rows        []int
	targets     [][]int32
	temperature float32
	stats       *CodebookStats
	gz          []float32 // [len(rows)][codebooks*dim], of a loss gradient of 1
	gtables     []float32 // as tables
	y           *mat.Dense[float32]
}

// CodebookLoss is HuBERT's masked prediction loss over several codebooks. The
// logits of row r and codebook q are cos(z_q, e)/temperature for the rows e of
// q's table; the loss is the sum over codebooks of the mean over rows of the
// cross-entropy with targets[q][i], the code of row rows[i], in nats.
//
// z is [all rows][len(sizes)*dim], tables [sum of sizes][dim], one codebook after
// another. With no rows the loss is 0.
func CodebookLoss(z, tables mat.Tensor, sizes []int, rows []int, targets [][]int32, temperature float32) (mat.Tensor, *CodebookStats) {
	all, c := dims(z)
	total, dim := dims(tables)
	sum := 0
	for _, n := range sizes {
		sum += n
	}
	if c != len(sizes)*dim || sum != total {
		panic(fmt.Sprintf("op: CodebookLoss: z has %d columns and tables are [%d %d], want %d codebooks of %v", c, total, dim, len(sizes), sizes))
	}
	mustRows("CodebookLoss", rows, all)
	if len(targets) != len(sizes) {
		panic(fmt.Sprintf("op: CodebookLoss: targets of %d codebooks, want %d", len(targets), len(sizes)))
	}
	for q, codes := range targets {
		if len(codes) != len(rows) {
			panic(fmt.Sprintf("op: CodebookLoss: codebook %d has %d targets, want %d", q, len(codes), len(rows)))
		}
		for _, code := range codes {
			if code < 0 || int(code) >= sizes[q] {
				panic(fmt.Sprintf("op: CodebookLoss: codebook %d has code %d, want one below %d", q, code, sizes[q]))
			}
		}
	}
	stats := &CodebookStats{Loss: make([]float64, len(sizes)), Correct: make([]int, len(sizes)), Rows: len(rows)}
	return run(&codebookLoss{z: z, tables: tables, sizes: sizes, rows: rows, targets: targets, temperature: temperature, stats: stats}), stats
}

func (l *codebookLoss) Operands() []mat.Tensor { return []mat.Tensor{l.z, l.tables} }

func (l *codebookLoss) Forward() (mat.Tensor, error) {
	total, dim := dims(l.tables)
	if l.z.RequiresGrad() {
		l.gz = make([]float32, len(l.rows)*len(l.sizes)*dim)
	}
	if l.tables.RequiresGrad() {
		l.gtables = make([]float32, total*dim)
	}
	starts, start := make([]int, len(l.sizes)), 0
	for q, n := range l.sizes {
		starts[q] = start
		start += n
	}
	parallel(len(l.sizes), len(l.rows)*total*dim, func(q int) { l.codebook(q, starts[q]) })
	var loss float64
	for _, v := range l.stats.Loss {
		loss += v
	}
	l.y = scalar(loss)
	return l.y, nil
}

// codebook computes loss, stats and gradients of codebook q, whose table begins
// at the given row of tables.
func (l *codebookLoss) codebook(q, start int) {
	if len(l.rows) == 0 {
		return
	}
	_, c := dims(l.z)
	_, dim := dims(l.tables)
	n := l.sizes[q]
	z, table := values(l.z), values(l.tables)[start*dim:(start+n)*dim]
	e, enorms := make([]float32, n*dim), make([]float64, n)
	for i := range n {
		enorms[i] = normalise(e[i*dim:(i+1)*dim], table[i*dim:(i+1)*dim])
	}
	height := min(codebookRows, len(l.rows))
	unit, norms := make([]float32, height*dim), make([]float64, height)
	logits := make([]float32, height*n)
	var gunit, ge []float32
	if l.gz != nil {
		gunit = make([]float32, height*dim)
	}
	if l.gtables != nil {
		ge = make([]float32, n*dim)
	}
	var loss float64
	for at := 0; at < len(l.rows); at += height {
		rows := l.rows[at:min(len(l.rows), at+height)]
		for i, r := range rows {
			norms[i] = normalise(unit[i*dim:(i+1)*dim], z[r*c+q*dim:r*c+(q+1)*dim])
		}
		gemm.MultiplySerial(false, true, len(rows), n, dim, unit, dim, e, dim, false, logits, n)
		for i := range rows {
			loss += l.row(logits[i*n:(i+1)*n], q, int(l.targets[q][at+i]))
		}
		if gunit != nil {
			gemm.MultiplySerial(false, false, len(rows), dim, n, logits, n, e, dim, false, gunit, dim)
			for i := range rows {
				to := l.gz[(at+i)*c+q*dim : (at+i)*c+(q+1)*dim]
				normaliseGrad(to, gunit[i*dim:(i+1)*dim], unit[i*dim:(i+1)*dim], norms[i])
			}
		}
		if ge != nil {
			gemm.MultiplySerial(true, false, n, dim, len(rows), logits, n, unit, dim, at > 0, ge, dim)
		}
	}
	if ge != nil {
		for i := range n {
			to := l.gtables[(start+i)*dim : (start+i+1)*dim]
			normaliseGrad(to, ge[i*dim:(i+1)*dim], e[i*dim:(i+1)*dim], enorms[i])
		}
	}
	l.stats.Loss[q] = loss / float64(len(l.rows))
}

// row returns the cross-entropy of one row of cosines and replaces them by their
// gradient, (softmax − one-hot)/(temperature·rows).
func (l *codebookLoss) row(cosines []float32, q, target int) float64 {
	at, earlier := cosines[target], false
	for _, v := range cosines[:target] {
		earlier = earlier || v == at
	}
	scale := 1 / l.temperature
	logSum, top := elem.Softmax(cosines, scale)
	if at == top && !earlier {
		l.stats.Correct[q]++
	}
	if l.gz != nil || l.gtables != nil {
		share := scale / float32(len(l.rows))
		elem.Scale(cosines, share)
		cosines[target] -= share
	}
	return logSum - float64(at)*float64(scale)
}

func (l *codebookLoss) Backward(gy mat.Tensor) error {
	all, c := dims(l.z)
	g := values(gy)[0]
	if l.gz != nil {
		gx := make([]float32, all*c)
		for i, r := range l.rows {
			elem.AddScaled(gx[r*c:(r+1)*c], l.gz[i*c:(i+1)*c], g)
		}
		give(l.z, gx)
	}
	addGrad(l.tables, func(dst []float32, _ bool) { elem.AddScaled(dst, l.gtables, g) })
	l.gz, l.gtables = nil, nil
	l.y.ZeroGrad()
	return nil
}

// normalise writes x/max(‖x‖, eps) to dst and returns the norm.
func normalise(dst, x []float32) float64 {
	var s float64
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	norm := math.Sqrt(s)
	for i, v := range x {
		dst[i] = float32(float64(v) / max(norm, codebookEps))
	}
	return norm
}

// normaliseGrad writes the gradient of x to dst, given the gradient g of
// unit = x/max(‖x‖, eps) and the norm of x.
func normaliseGrad(dst, g, unit []float32, norm float64) {
	var along float64
	if norm > codebookEps {
		for i, v := range g {
			along += float64(v) * float64(unit[i])
		}
	}
	for i, v := range g {
		dst[i] = float32((float64(v) - along*float64(unit[i])) / max(norm, codebookEps))
	}
}
