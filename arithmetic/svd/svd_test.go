package svd

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
)

// random is normal with columns that fall geometrically to the given share.
func random(rows, columns int, least float64) *mat.Dense {
	r := rand.New(rand.NewPCG(uint64(rows), uint64(columns)))
	data := make([]float64, rows*columns)
	for i := range data {
		data[i] = r.NormFloat64() * math.Pow(least, float64(i%columns)/float64(columns))
	}
	return mat.NewDense(rows, columns, data)
}

// orthonormal is how far the columns of m are from that.
func orthonormal(m *mat.Dense) float64 {
	var g mat.Dense
	g.Mul(m.T(), m)
	_, k := m.Dims()
	for i := range k {
		g.Set(i, i, g.At(i, i)-1)
	}
	return max(mat.Max(&g), -mat.Min(&g))
}

func TestEigen(t *testing.T) {
	const tolerance = 1e-13
	for _, n := range []int{1, 2, 3, 50, 130} {
		for _, least := range []float64{1, 1e-8} {
			var a mat.SymDense
			a.SymOuterK(1, random(n, n, least))
			var g mat.EigenSym
			g.Factorize(&a, false)
			want := g.Values(nil)
			slices.Reverse(want)
			work := mat.NewSymDense(n, nil)
			work.CopySym(&a)
			values, vectors, ok := eigen(work)
			if !ok {
				t.Fatalf("%d: no convergence", n)
			}
			for i, x := range values {
				if math.Abs(x-want[i]) > tolerance*want[0] {
					t.Errorf("%d, %v: eigenvalue %d is %v, want %v", n, least, i, x, want[i])
				}
			}
			if off := orthonormal(mat.DenseCopyOf(vectors.T())); off > tolerance {
				t.Errorf("%d, %v: vectors are off orthonormal by %v", n, least, off)
			}
			var left mat.Dense
			left.Mul(vectors, &a)
			for i, x := range values {
				for j := range n {
					if off := math.Abs(left.At(i, j) - x*vectors.At(i, j)); off > tolerance*want[0] {
						t.Fatalf("%d, %v: vector %d is off by %v", n, least, i, off)
					}
				}
			}
		}
	}
	if values, _, ok := eigen(mat.NewSymDense(3, nil)); !ok || values[0] != 0 {
		t.Errorf("of a zero matrix: %v, %v", values, ok)
	}
}

// TestLeading: with and without rotations, the triplets are those of gonum's decomposition, and all of them make up the matrix.
func TestLeading(t *testing.T) {
	const tolerance = 1e-7 // of a direction: what is below float32's rounding
	for _, shape := range [][2]int{{1, 1}, {40, 40}, {70, 30}, {30, 70}, {1, 9}, {9, 1}} {
		for _, least := range []float64{1, 1e-3, 1e-5} {
			a := random(shape[0], shape[1], least)
			var full mat.SVD
			full.Factorize(a, mat.SVDNone)
			values := full.Values(nil)
			for _, k := range []int{1, len(values)/3 + 1, len(values), len(values) + 5} {
				d, err := Solver{}.Leading(a, k)
				if err != nil || len(d.S) != min(k, len(values)) {
					t.Fatalf("%v, %v: %d of %d triplets, %v", shape, least, len(d.S), k, err)
				}
				for i, s := range d.S {
					if math.Abs(s-values[i]) > tolerance*values[i] {
						t.Errorf("%v, %v: singular value %d is %v, want %v", shape, least, i, s, values[i])
					}
				}
				for _, side := range []*mat.Dense{d.U, d.V} {
					if off := orthonormal(side); off > tolerance {
						t.Errorf("%v, %v, k %d: directions are off orthonormal by %v", shape, least, k, off)
					}
				}
				var product, scaled mat.Dense
				scaled.Mul(d.U, mat.NewDiagDense(len(d.S), d.S))
				product.Mul(&scaled, d.V.T())
				product.Sub(&product, a)
				rest := 0.0
				for _, s := range values[len(d.S):] {
					rest += s * s
				}
				if off := mat.Norm(&product, 2) - math.Sqrt(rest); math.Abs(off) > tolerance*mat.Norm(a, 2) {
					t.Errorf("%v, %v, k %d: the error is %v from the least that is possible", shape, least, k, off)
				}
			}
		}
	}
}

// TestRank: directions that are noise are left out, with and without rotations.
func TestRank(t *testing.T) {
	left, right := random(30, 4, 1), random(4, 20, 1)
	var a mat.Dense
	a.Mul(left, right)
	for _, k := range []int{3, 4, 5, 20} {
		d, err := Solver{}.Leading(&a, k)
		if err != nil || len(d.S) != min(k, 4) {
			t.Errorf("%d of 4 triplets where %d are asked for, %v", len(d.S), k, err)
		}
	}
	p, err := Solver{}.Polar(&a)
	if err != nil {
		t.Fatal(err)
	}
	if norm := mat.Norm(p, 2); math.Abs(norm-2) > 1e-7 { // four directions of length 1
		t.Errorf("the nearest orthonormal matrix has norm %v, want 2", norm)
	}
	zero := mat.NewDense(3, 5, nil)
	if d, err := (Solver{}).Leading(zero, 3); err != nil || len(d.S) != 0 || d.U != nil {
		t.Errorf("of a zero matrix: %v, %v", d, err)
	}
	if p, err := (Solver{}).Polar(zero); err != nil || p != nil {
		t.Errorf("of a zero matrix: %v, %v", p, err)
	}
	if d, err := (Solver{}).Leading(zero, 0); err != nil || len(d.S) != 0 {
		t.Errorf("none asked for: %v, %v", d, err)
	}
}

// TestAnyThreads: the same bits on one core and on several.
func TestAnyThreads(t *testing.T) {
	a := random(200, 150, 0.1)
	old := runtime.GOMAXPROCS(1)
	want, err := Solver{}.Polar(a)
	runtime.GOMAXPROCS(4)
	got, err2 := Solver{}.Polar(a)
	runtime.GOMAXPROCS(old)
	if err != nil || err2 != nil || !mat.Equal(got, want) {
		t.Errorf("other bits on more cores, or %v, %v", err, err2)
	}
}

func TestInterrupt(t *testing.T) {
	stop := errors.New("stop")
	never := Solver{Interrupt: func() error { return stop }}
	if _, err := never.Leading(random(4, 4, 1), 2); !errors.Is(err, stop) {
		t.Errorf("error %v, want the interrupt's", err)
	}
	release := make(chan struct{})
	defer close(release)
	begin := time.Now()
	late := Solver{Interrupt: func() error {
		if time.Since(begin) > 10*time.Millisecond {
			return stop
		}
		return nil
	}}
	if err := late.Do(func() { <-release }); !errors.Is(err, stop) { // a step that does not end
		t.Errorf("error %v, want the interrupt's", err)
	}
}

// BenchmarkLeading is of a 768 by 768 and a 768 by 3072 matrix: all triplets, and 64 of them.
func BenchmarkLeading(b *testing.B) {
	for _, c := range []struct {
		name             string
		rows, columns, k int
	}{{"768x768", 768, 768, 768}, {"768x3072", 768, 3072, 768}, {"768x3072-64", 768, 3072, 64}} {
		b.Run(c.name, func(b *testing.B) {
			a := random(c.rows, c.columns, 0.1)
			for b.Loop() {
				if _, err := (Solver{}).Leading(a, c.k); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
