package taskvector

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"syncretic/checkpoint"
)

// naivelyTrimmed sorts: the max(1, ⌊density·n⌋) largest stay, of equal ones the first.
func naivelyTrimmed(t *testing.T, src checkpoint.Source, density float64) *checkpoint.Memory {
	t.Helper()
	var tensors []checkpoint.Tensor
	for _, info := range src.Tensors() {
		x := all(t, src, info.Name)
		order := make([]int, len(x))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(math.Abs(float64(x[j])), math.Abs(float64(x[i]))) })
		data := make([]float32, len(x))
		for _, i := range order[:min(len(x), max(1, int(density*float64(len(x)))))] {
			data[i] = x[i] + 0 // not −0, which a sparse tensor does not tell from 0
		}
		tensors = append(tensors, checkpoint.Tensor{Name: info.Name, Shape: info.Shape, Data: data})
	}
	return memory(t, tensors...)
}

func TestSparseKeepsExactlyTheLargest(t *testing.T) {
	tau := vector(t, 1)
	for _, density := range []float64{1e-9, 0.001, 0.05, 0.2, 0.5, 0.85, 0.97, 1} {
		want := naivelyTrimmed(t, tau, density)
		for _, dtype := range []checkpoint.DType{checkpoint.F32, checkpoint.BF16, checkpoint.F16} {
			t.Run(fmt.Sprintf("%v %s", density, dtype), func(t *testing.T) {
				m := written(t, tau, Options{Density: density, DType: dtype})
				sameBits(t, decode(t, m), rounded(t, want, dtype))
				for _, info := range m.Tensors() {
					if !info.DType.Integer() && info.DType != dtype {
						t.Errorf("%s is %s, want %s", info.Name, info.DType, dtype)
					}
				}
			})
		}
	}
}

// What is kept counts elements that are not 0, and no others are stored.
func TestSparseKept(t *testing.T) {
	data := make([]float32, 4000)
	for i := range 30 {
		data[100*i] = float32(i + 1)
	}
	tau := memory(t, checkpoint.Tensor{Name: "w", Shape: []int{4000}, Data: data}, checkpoint.Tensor{Name: "zero", Shape: []int{4000}, Data: make([]float32, 4000)})
	for density, want := range map[float64]int{0.005: 20, 0.1: 30, 1: 30} {
		e, err := Encode(tau, Options{Density: density})
		if err != nil {
			t.Fatal(err)
		}
		values, ok := checkpoint.Find(e, "w.values")
		if e.Kept != want || !ok || values.Elements() != want {
			t.Errorf("density %v: %d kept, %v stored, want %d", density, e.Kept, values.Shape, want)
		}
		if zero, ok := checkpoint.Find(e, "zero.values"); !ok || zero.Elements() != 0 {
			t.Errorf("density %v: a tensor of zeros has values %v", density, zero)
		}
	}
}

// The dense container is taken where it is not larger, and holds what is kept only.
func TestSparseStaysDenseWhereThatIsSmaller(t *testing.T) {
	e, err := Encode(vector(t, 1), Options{Density: 0.5, DType: checkpoint.BF16})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"norm.dense", "flat.dense", "scalar.dense", "none.dense", "a.dense.dense", "embed.values", "layers.0.up.weight.mask"} {
		if _, ok := checkpoint.Find(e, name); !ok {
			t.Errorf("%s is not there", name)
		}
	}
	kept := 0
	for _, x := range all(t, decode(t, e), "norm") {
		if x != 0 {
			kept++
		}
	}
	if kept != 3 {
		t.Errorf("norm has %d elements of 7, want 3", kept)
	}
}

// Positions of any filling come back, and any range of values is that of the whole.
func TestPositions(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{1, 7, 8, 9, 63, 64, 65, 127, 500, blockElements - 1, blockElements, blockElements + 1, 3*blockElements + 77} {
		for _, density := range []float64{0, 0.002, 0.1, 0.9, 1} {
			x := make([]float32, n)
			var want []float32
			for i := range x {
				if r.Float64() < density {
					x[i] = float32(i + 1)
					want = append(want, x[i])
				}
			}
			var some, mask []byte
			for lo := 0; lo < n; lo += blockElements {
				o, m := positions(x[lo:min(n, lo+blockElements)])
				some, mask = append(some, o...), append(mask, m...)
			}
			k, err := newKept(n, inMemory(some), inMemory(mask), len(mask), new(scratch))
			if err != nil {
				t.Fatalf("n %d, density %v: %v", n, density, err)
			}
			if k.total() != (count{len(mask), len(want)}) {
				t.Fatalf("n %d, density %v: counted %v, want %d values", n, density, k.total(), len(want))
			}
			src := memory(t, checkpoint.Tensor{Name: "w", Shape: []int{n}, Data: x})
			for range 20 {
				lo := r.IntN(len(want) + 1)
				got := make([]float32, r.IntN(len(want)-lo+1))
				if err := (values{src, "w", k}).read(lo, got, new(scratch)); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want[lo:lo+len(got)]) {
					t.Fatalf("n %d, density %v: values [%d %d) differ", n, density, lo, lo+len(got))
				}
			}
		}
	}
}

// The table of the package comment.
func TestPositionsCost(t *testing.T) {
	const n = 1 << 20
	r := rand.New(rand.NewPCG(9, 10))
	for density, want := range map[float64]float64{0.5: 1.12, 0.2: 0.96, 0.1: 0.69, 0.05: 0.46, 0.01: 0.20, 0.001: 0.13} {
		x := make([]float32, n)
		for i := range x {
			if r.Float64() < density {
				x[i] = 1
			}
		}
		some, mask := positions(x)
		if got := 8 * float64(len(some)+len(mask)) / n; math.Abs(got-want) > 0.01 {
			t.Errorf("density %v: %.3f bits a weight, want %.2f", density, got, want)
		}
	}
}
