package taskvector

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"syncretic/checkpoint"
)

// shapes of a small model: more than one block, last octets and flags of every filling, matrices of both proportions, a
// convolution, what has one element and none.
var shapes = map[string][]int{
	"layers.0.up.weight": {300, 70}, "layers.0.down.weight": {70, 300}, "layers.0.up.bias": {300}, "conv.weight": {24, 6, 5},
	"embed": {513, 65}, "norm": {7}, "flat": {3, 4}, "scalar": {}, "none": {0, 2}, "a.dense": {65}, "exact": {128, 128},
}

// vector is a task vector of normal numbers; half of those of "embed" are one of few values, and zeros among them.
func vector(t testing.TB, seed uint64) *checkpoint.Memory {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var tensors []checkpoint.Tensor
	for _, name := range sortedNames(shapes) {
		n, _ := elements(shapes[name])
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(r.NormFloat64() * 1e-3)
			if name == "embed" && i%2 == 0 {
				data[i] = float32(r.IntN(5)-2) * 0x1p-10
			}
		}
		tensors = append(tensors, checkpoint.Tensor{Name: name, Shape: shapes[name], Data: data})
	}
	return memory(t, tensors...)
}

func memory(t testing.TB, tensors ...checkpoint.Tensor) *checkpoint.Memory {
	t.Helper()
	m, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sortedNames[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// written encodes tau, writes it, and opens the file.
func written(t testing.TB, tau checkpoint.Source, o Options) *checkpoint.Model {
	t.Helper()
	e, err := Encode(tau, o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tau.safetensors")
	if err := checkpoint.Write(t.Context(), path, e, checkpoint.WriteOptions{Metadata: e.Metadata()}); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

func open(t testing.TB, path string) *checkpoint.Model {
	t.Helper()
	m, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func decode(t testing.TB, f File) checkpoint.Source {
	t.Helper()
	v, err := Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func all(t testing.TB, src checkpoint.Source, name string) []float32 {
	t.Helper()
	x, err := checkpoint.ReadAll(src, name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// sameBits fails the test unless both have the same tensors, shapes and numbers.
func sameBits(t *testing.T, got, want checkpoint.Source) {
	t.Helper()
	if len(got.Tensors()) != len(want.Tensors()) {
		t.Fatalf("%d tensors, want %d", len(got.Tensors()), len(want.Tensors()))
	}
	for i, info := range want.Tensors() {
		if g := got.Tensors()[i]; g.Name != info.Name || !slices.Equal(g.Shape, info.Shape) {
			t.Fatalf("tensor %v, want %v", g, info)
		}
		x, y := all(t, got, info.Name), all(t, want, info.Name)
		for j := range y {
			if math.Float32bits(x[j]) != math.Float32bits(y[j]) {
				t.Fatalf("%s[%d] = %v, want %v", info.Name, j, x[j], y[j])
			}
		}
	}
}

// rounded is a source as a dense file of a dtype gives it back.
func rounded(t testing.TB, src checkpoint.Source, dtype checkpoint.DType) checkpoint.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dense.safetensors")
	if err := checkpoint.Write(t.Context(), path, src, checkpoint.WriteOptions{DType: dtype}); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// file is a File in memory.
type file struct {
	*checkpoint.Memory
	meta map[string]string
}

func (f file) Metadata() map[string]string { return f.meta }

func meta(form Form) map[string]string {
	return map[string]string{FormKey: string(form), VersionKey: Version}
}
