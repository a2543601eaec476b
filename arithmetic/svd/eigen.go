package svd

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"
)

// eigen finds the eigenvalues of a symmetric matrix, falling, and its eigenvectors, as rows in the same order. It destroys a. ok is
// false where it does not converge.
//
// LAPACK's routines make the matrix tridiagonal; the rest is the implicit QL algorithm (Wilkinson and Reinsch 1971, contribution
// II/4). Gonum has that too, but turns columns of a row-major matrix, which misses the cache at every element and takes three
// quarters of the time; here the vectors lie in rows, and cores share them out.
func eigen(a *mat.SymDense) (values []float64, vectors *mat.Dense, ok bool) {
	raw := a.RawSymmetric()
	n := raw.N
	var lap gonum.Implementation
	d, e, tau := make([]float64, n), make([]float64, n), make([]float64, max(1, n-1))
	query := make([]float64, 1)
	lap.Dsytrd(blas.Upper, n, raw.Data, raw.Stride, d, e[:n-1], tau[:n-1], query, -1)
	room := make([]float64, max(int(query[0]), n*32))
	lap.Dsytrd(blas.Upper, n, raw.Data, raw.Stride, d, e[:n-1], tau[:n-1], room, len(room))
	lap.Dorgtr(blas.Upper, n, raw.Data, raw.Stride, tau[:n-1], room, len(room))
	q := mat.NewDense(n, n, nil) // rows are the columns of what Dorgtr made
	for i := range n {
		for j, x := range raw.Data[i*raw.Stride : i*raw.Stride+n] {
			q.Set(j, i, x)
		}
	}
	turns := &turns{vectors: q}
	if !turns.diagonalise(d, e) {
		return nil, nil, false
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case d[i] > d[j]:
			return -1
		case d[i] < d[j]:
			return 1
		}
		return 0
	})
	values, vectors = make([]float64, n), mat.NewDense(n, n, nil)
	for to, from := range order {
		values[to] = d[from]
		vectors.SetRow(to, q.RawRowView(from))
	}
	return values, vectors, true
}

// turn is a plane rotation of rows row and row+1.
type turn struct {
	row        int
	cos, sinus float64
}

// turns are rotations that are still to be made of the vectors.
type turns struct {
	vectors *mat.Dense
	pending []turn
}

// pendingMost bounds the rotations that wait, 1.5 MiB of them.
const pendingMost = 1 << 16

// diagonalise is the implicit QL algorithm on the tridiagonal matrix of diagonal d and off-diagonal e, with an element to spare at
// its end. d becomes the eigenvalues, in no order.
func (t *turns) diagonalise(d, e []float64) bool {
	const sweeps, epsilon = 60, 0x1p-53
	n := len(d)
	norm := 0.0 // what is small beside it is 0: eigenvalues are wanted in proportion to the largest
	for i := range d {
		norm = max(norm, math.Abs(d[i])+math.Abs(e[i]))
	}
	for l := range n {
		for sweep := 0; ; sweep++ {
			m := l // from l to m the matrix does not fall apart
			for m < n-1 && math.Abs(e[m]) > epsilon*norm {
				m++
			}
			if m == l {
				break
			}
			if sweep == sweeps {
				return false
			}
			t.sweep(d, e, l, m)
		}
	}
	t.flush()
	return true
}

// sweep takes one step on rows l to m, with Wilkinson's shift.
func (t *turns) sweep(d, e []float64, l, m int) {
	g := (d[l+1] - d[l]) / (2 * e[l])
	g = d[m] - d[l] + e[l]/(g+math.Copysign(math.Hypot(g, 1), g))
	sinus, cos, p := 1.0, 1.0, 0.0
	for i := m - 1; i >= l; i-- {
		f, b := sinus*e[i], cos*e[i]
		r := math.Hypot(f, g)
		e[i+1] = r
		if r == 0 { // it falls apart here
			d[i+1] -= p
			e[m] = 0
			return
		}
		sinus, cos = f/r, g/r
		g = d[i+1] - p
		r = float64((d[i]-g)*sinus) + float64(2*cos*b)
		p = sinus * r
		d[i+1] = g + p
		g = float64(cos*r) - b
		t.pending = append(t.pending, turn{i, cos, sinus})
	}
	d[l] -= p
	e[l], e[m] = g, 0
	if len(t.pending) >= pendingMost {
		t.flush()
	}
}

// strip is how many elements of the vectors a core turns at a time: some hundred rows of them fit into its cache.
const strip = 64

// flush makes the rotations. Elements of a row do not meet, so cores share them out.
func (t *turns) flush() {
	_, n := t.vectors.Dims()
	raw := t.vectors.RawMatrix()
	var wg sync.WaitGroup
	next := make(chan int, n/strip+1)
	for lo := 0; lo < n; lo += strip {
		next <- lo
	}
	close(next)
	for range min(runtime.GOMAXPROCS(0), len(next)) {
		wg.Go(func() {
			for lo := range next {
				hi := min(n, lo+strip)
				for _, r := range t.pending {
					x := raw.Data[r.row*raw.Stride+lo : r.row*raw.Stride+hi]
					y := raw.Data[(r.row+1)*raw.Stride+lo : (r.row+1)*raw.Stride+hi]
					rotate(x, y, r.cos, r.sinus)
				}
			}
		})
	}
	wg.Wait()
	t.pending = t.pending[:0]
}

// rotate computes x, y = cos·x − sinus·y, sinus·x + cos·y.
func rotate(x, y []float64, cos, sinus float64) {
	y = y[:len(x)]
	for i, a := range x {
		b := y[i]
		x[i] = float64(cos*a) - float64(sinus*b)
		y[i] = float64(sinus*a) + float64(cos*b)
	}
}
