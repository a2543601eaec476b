package search

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// strategy holds the constants of CMA-ES for n dimensions and a population, after table 1 of Hansen, "The CMA Evolution
// Strategy: A Tutorial" (arXiv 1604.00772), with negative weights.
type strategy struct {
	n, population  int
	weights        []float64 // by rank; those of the better half sum to 1, the others are negative
	muEff          float64   // variance-effective number of selected points
	cSigma, dSigma float64   // cumulation and damping of the step size
	cc, c1, cMu    float64   // cumulation, rank-one and rank-mu learning rates of the covariance
	expectedLength float64   // E|N(0, I)|
	horizon        int       // generations over which values must be flat
}

func newStrategy(n, population int) strategy {
	dim, lambda := float64(n), float64(population)
	s := strategy{n: n, population: population, weights: make([]float64, population)}
	var sum, squares, negSum, negSquares, positive, negative float64
	for i := range s.weights {
		w := math.Log((lambda+1)/2) - math.Log(float64(i+1))
		s.weights[i] = w
		if i < population/2 {
			sum, squares = sum+w, squares+w*w
		} else {
			negSum, negSquares = negSum+w, negSquares+w*w
		}
		if w > 0 {
			positive += w
		} else {
			negative -= w
		}
	}
	s.muEff = sum * sum / squares
	muEffNegative := negSum * negSum / negSquares
	s.c1 = 2 / ((dim+1.3)*(dim+1.3) + s.muEff)
	s.cMu = min(1-s.c1-1e-8, 2*(s.muEff-2+1/s.muEff)/((dim+2)*(dim+2)+s.muEff)) // below 1 - c1 also for large populations
	alpha := min(1+s.c1/s.cMu, 1+2*muEffNegative/(s.muEff+2), (1-s.c1-s.cMu)/(dim*s.cMu))
	for i, w := range s.weights {
		if w > 0 {
			s.weights[i] = w / positive
		} else {
			s.weights[i] = w * alpha / negative
		}
	}
	s.cSigma = (s.muEff + 2) / (dim + s.muEff + 5)
	s.dSigma = 1 + 2*max(0, math.Sqrt((s.muEff-1)/(dim+1))-1) + s.cSigma
	s.cc = (4 + s.muEff/dim) / (dim + 4 + 2*s.muEff/dim)
	s.expectedLength = math.Sqrt(dim) * (1 - 1/(4*dim) + 1/(21*dim*dim))
	s.horizon = 10 + int(math.Ceil(30*dim/lambda))
	return s
}

// distribution is the normal distribution that a generation is drawn from, with the paths by which it adapts.
type distribution struct {
	strategy
	updates  int // since the (re)start
	mean     []float64
	sigma    float64
	c        *mat.SymDense
	basis    mat.Dense // eigenvectors of c, by column
	lengths  []float64 // square roots of its eigenvalues
	pSigma   []float64
	pc       []float64
	stretch  []float64 // of each coordinate, 1 but where a margin keeps a parameter of steps moving
	lows     []float64 // lowest and highest value of recent generations
	highs    []float64
	unusable bool // the covariance has no decomposition
}

// initialSigma lets the first generations see most of the cube from its centre. Hansen's tutorial asks for an optimum within two
// or three sigma of the mean; Optuna takes a sixth, with which curved and rippled functions lead into a wrong valley more often.
const initialSigma = 0.25

func newDistribution(s strategy, mean []float64) *distribution {
	d := &distribution{strategy: s, mean: mean, sigma: initialSigma, c: mat.NewSymDense(s.n, nil),
		pSigma: make([]float64, s.n), pc: make([]float64, s.n), stretch: make([]float64, s.n)}
	for i := range s.n {
		d.c.SetSym(i, i, 1)
		d.stretch[i] = 1
	}
	d.decompose()
	return d
}

// decompose finds the axes of the distribution. Eigenvalues that rounding made negative are replaced by a tiny share of the
// largest: the distribution has converged then, and is about to be given up.
func (d *distribution) decompose() {
	var e mat.EigenSym
	if !e.Factorize(d.c, true) {
		d.unusable = true
		return
	}
	d.lengths = e.Values(d.lengths)
	d.basis.Reset()
	e.VectorsTo(&d.basis)
	largest := d.lengths[d.n-1]
	for i, v := range d.lengths {
		d.lengths[i] = math.Sqrt(max(v, 1e-16*largest))
	}
	d.unusable = !(largest > 0) || math.IsInf(largest, 0) || !(d.sigma > 0) || math.IsInf(d.sigma, 0)
}

// draw maps a standard normal vector to one of the distribution: m + sigma B D z.
func (d *distribution) draw(z []float64) []float64 {
	x := make([]float64, d.n)
	for i := range x {
		var y float64
		for j, zj := range z {
			y += d.basis.At(i, j) * d.lengths[j] * zj
		}
		x[i] = d.mean[i] + d.sigma*y
	}
	return x
}

// whiten returns C^(-1/2) y.
func (d *distribution) whiten(y []float64) []float64 {
	out := make([]float64, d.n)
	for j, length := range d.lengths {
		var along float64
		for i, yi := range y {
			along += d.basis.At(i, j) * yi
		}
		along /= length
		for i := range out {
			out[i] += d.basis.At(i, j) * along
		}
	}
	return out
}

// update moves the distribution towards a generation's points, given best first: equations 41 to 47 of the tutorial.
func (d *distribution) update(points [][]float64) {
	steps := make([][]float64, len(points)) // (x - m) / sigma
	shift := make([]float64, d.n)           // their mean, weighted
	for k, x := range points {
		steps[k] = make([]float64, d.n)
		for i := range x {
			steps[k][i] = (x[i] - d.mean[i]) / d.sigma
			if k < d.population/2 {
				shift[i] += d.weights[k] * steps[k][i]
			}
		}
	}
	white, pull := d.whiten(shift), math.Sqrt(d.cSigma*(2-d.cSigma)*d.muEff)
	var length float64
	for i := range shift {
		d.mean[i] += d.sigma * shift[i]
		d.pSigma[i] = (1-d.cSigma)*d.pSigma[i] + pull*white[i]
		length += d.pSigma[i] * d.pSigma[i]
	}
	length = math.Sqrt(length)

	stalled := 1.0 // keeps the covariance from growing while the step size still does
	expected := length / math.Sqrt(1-math.Pow(1-d.cSigma, 2*float64(d.updates+1)))
	if expected < (1.4+2/float64(d.n+1))*d.expectedLength {
		stalled = 0
	}
	for i := range d.pc {
		d.pc[i] = (1-d.cc)*d.pc[i] + (1-stalled)*math.Sqrt(d.cc*(2-d.cc)*d.muEff)*shift[i]
	}
	d.adaptCovariance(steps, stalled)
	d.sigma *= math.Exp(d.cSigma / d.dSigma * (length/d.expectedLength - 1))
	d.updates++
}

func (d *distribution) adaptCovariance(steps [][]float64, stalled float64) {
	var sum float64
	weights := make([]float64, len(steps))
	for k, w := range d.weights {
		sum += w
		if w < 0 { // scaled by the step's length, or C could lose its positive definiteness
			var square float64
			for _, v := range d.whiten(steps[k]) {
				square += v * v
			}
			w *= float64(d.n) / (square + 1e-8)
		}
		weights[k] = w
	}
	keep := 1 + d.c1*stalled*d.cc*(2-d.cc) - d.c1 - d.cMu*sum
	for i := range d.n {
		for j := i; j < d.n; j++ {
			var rankMu float64
			for k, y := range steps {
				rankMu += weights[k] * y[i] * y[j]
			}
			d.c.SetSym(i, j, keep*d.c.At(i, j)+d.c1*d.pc[i]*d.pc[j]+d.cMu*rankMu)
		}
	}
	d.decompose()
}
