package mergekit

import (
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"syncretic/checkpoint"
)

// trio makes a base and two models tuned from it: a tensor of several blocks, and a small one.
func (b bench) trio(elements int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	large, less := make([]float32, elements), make([]float32, 40)
	for i, name := range []string{"base", "a", "b"} {
		step := func(x []float32) []float32 {
			next := make([]float32, len(x))
			for j := range x {
				next[j] = x[j] + float32(r.NormFloat64())
			}
			if i == 0 {
				copy(x, next)
			}
			return next
		}
		b.model(name, "", floats("layers.0.w", step(large)...), floats("head", step(less)...))
	}
}

const tiesRecipe = "merge_method: ties\nbase_model: base\nparameters: {lambda: 0.7}\n" +
	"models: [{model: a, parameters: {weight: 0.5, density: 0.3}}, {model: b, parameters: {weight: 0.4, density: 1}}]\n"

func TestObservationByHand(t *testing.T) {
	b := newBench(t)
	const n = 300_000
	b.trio(n)
	p := b.compile(tiesRecipe, Options{})
	o := p.Observe()
	b.must(checkpoint.Write(t.Context(), "out.safetensors", o, checkpoint.WriteOptions{}))
	seen := o.Observation()
	if want := []string{"a", "b", Merged}; !reflect.DeepEqual(seen.Names, want) || seen.Base != "base" || seen.Vectors != "task vectors" || seen.Method != "ties" {
		t.Fatalf("an observation of %v, base %q, %s, %s", seen.Names, seen.Base, seen.Vectors, seen.Method)
	}
	if seen.LeftOut != nil {
		t.Errorf("left out %v", seen.LeftOut)
	}
	read := func(path, name string) []float32 {
		m, err := checkpoint.Open(path)
		b.must(err)
		defer m.Close()
		x, err := checkpoint.ReadAll(m, name)
		b.must(err)
		return x
	}
	for _, row := range seen.Tensors {
		base := read("base", row.Name)
		var d [3][]float64
		for i, path := range []string{"a", "b", "out.safetensors"} {
			for j, x := range read(path, row.Name) {
				d[i] = append(d[i], float64(x-base[j]))
			}
		}
		dot := func(i, j int) (sum float64) {
			for k := range d[i] {
				sum += d[i][k] * d[j][k]
			}
			return sum
		}
		for i := range d {
			if norm := math.Sqrt(dot(i, i)); math.Abs(row.Norms[i]-norm) > 1e-9*norm {
				t.Errorf("%s: norm %v, want %v", row.Name, row.Norms[i], norm)
			}
			for j := range i {
				cosine := dot(i, j) / math.Sqrt(dot(i, i)*dot(j, j))
				opposite, both := 0, 0
				for k := range d[i] {
					if d[i][k] != 0 && d[j][k] != 0 {
						both++
						if d[i][k] > 0 != (d[j][k] > 0) {
							opposite++
						}
					}
				}
				if conflict := float64(opposite) / float64(both); math.Abs(row.Cosine[i][j]-cosine) > 1e-9 || row.SignConflict[i][j] != conflict {
					t.Errorf("%s: vectors %d and %d: cosine %v, conflict %v; want %v, %v", row.Name, i, j, row.Cosine[i][j], row.SignConflict[i][j], cosine, conflict)
				}
			}
		}
		kept := float64(int(0.3 * float64(row.Elements)))
		if want := []float64{1 - kept/float64(row.Elements), 0, 0}; math.Abs(row.Trimmed[0]-want[0]) > 1e-12 || row.Trimmed[1] != 0 || row.Trimmed[2] != 0 {
			t.Errorf("%s: trimmed %v, want %v", row.Name, row.Trimmed, want)
		}
	}
	for i, v := range o.Vectors() {
		x, err := checkpoint.ReadAll(v, "head")
		b.must(err)
		sum := 0.0
		for _, x := range x {
			sum += float64(x) * float64(x)
		}
		if want := seen.Layers[0].Norms[i]; seen.Layers[0].Name != "head" || math.Abs(math.Sqrt(sum)-want) > 1e-9*want {
			t.Errorf("vector %d of %s is %v long, want %v", i, seen.Layers[0].Name, math.Sqrt(sum), want)
		}
	}
	if len(seen.Tensors) != 2 || len(seen.Layers) != 2 {
		t.Errorf("%d tensors in %d groups, want 2 in 2", len(seen.Tensors), len(seen.Layers))
	}
}

// An observation does not depend on threads, and the observed output is the plain one.
func TestObservationIsTheSameOnAnyNumberOfCores(t *testing.T) {
	b := newBench(t)
	b.trio(700_000)
	var first Observation
	for i, threads := range []int{1, 5} {
		runtimeThreads(t, threads)
		p := b.compile(tiesRecipe, Options{})
		o := p.Observe()
		path := []string{"one.safetensors", "five.safetensors"}[i]
		b.must(checkpoint.Write(t.Context(), path, o, checkpoint.WriteOptions{}))
		if i == 0 {
			first = o.Observation()
		} else if got := o.Observation(); !reflect.DeepEqual(got, first) {
			t.Errorf("%+v\non five cores, on one\n%+v", got.Relation, first.Relation)
		}
		left, err := checkpoint.Open(path)
		b.must(err)
		observed, err := checkpoint.Hash(left)
		b.must(err)
		plain, err := checkpoint.Hash(p.Merge())
		b.must(err)
		if observed != plain {
			t.Error("the observed merge has other bytes")
		}
		b.must(left.Close())
	}
}

func runtimeThreads(t *testing.T, n int) {
	t.Helper()
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// Methods without a base compare models; a model named twice is two; what is not finite or not read is left out by name.
func TestObservationOfOddMerges(t *testing.T) {
	b := newBench(t)
	b.model("a", "", floats("w", 3, 4), floats("x", 1, float32(math.NaN())), floats("y", 1))
	b.model("b", "", floats("w", -4, 3), floats("x", 1, 1), floats("y", 1))
	p := b.compile("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}, {model: a, parameters: {weight: 1}}]\n", Options{NonFinite: Keep})
	o := p.Observe()
	for _, name := range []string{"w", "x"} {
		var dst [2]float32
		b.must(o.Read(name, 0, dst[:]))
	}
	seen := o.Observation()
	if want := []string{"a", "b", "a (2)", Merged}; !reflect.DeepEqual(seen.Names, want) || seen.Vectors != "models" || seen.Base != "" {
		t.Errorf("names %v of %s, base %q; want %v of models", seen.Names, seen.Vectors, seen.Base, want)
	}
	if want := []LeftOut{{"x", "holds values that are not finite"}, {"y", "written by an earlier run"}}; !reflect.DeepEqual(seen.LeftOut, want) {
		t.Errorf("left out %v, want %v", seen.LeftOut, want)
	}
	if r := seen.Relation; r.Norms[0] != 5 || r.Cosine[0][1] != 0 || r.Cosine[0][2] != 1 || r.SignConflict[0][1] != 0.5 || r.Trimmed != nil {
		t.Errorf("relation %+v", r)
	}
}
