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

// What is trimmed of a lone vector is what the merge leaves as it was in the base, whatever the method's mask is made of.
func TestTrimmedIsWhatTheMergeLacks(t *testing.T) {
	b := newBench(t)
	const n = 40_000
	b.trio(n)
	read := func(src checkpoint.Source, name string) []float32 {
		x, err := checkpoint.ReadAll(src, name)
		b.must(err)
		return x
	}
	base, err := checkpoint.Open("base")
	b.must(err)
	defer base.Close()
	for _, c := range []struct {
		name, parameters string
		trims            bool
	}{
		{"ties", "density: 0.3", true}, {"dare_linear", "density: 0.4", true}, {"dare_ties", "density: 0.4", true}, {"della", "density: 0.5, epsilon: 0.1", true},
		{"della_linear", "density: 0.5, epsilon: 0.1", true}, {"breadcrumbs", "density: 0.6, gamma: 0.1", true}, {"breadcrumbs_ties", "density: 0.6, gamma: 0.1", true},
		{"ties", "density: 1", false}, {"dare_linear", "density: 1", false}, {"task_arithmetic", "", false},
	} {
		p := b.compile("merge_method: "+c.name+"\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1, "+c.parameters+"}}]\n", Options{Seed: 7})
		o := p.Observe()
		trimmed, present := 0, 0
		out := read(o, "layers.0.w")
		tau := read(o.Vectors()[0], "layers.0.w")
		for i, x := range read(base, "layers.0.w") {
			if tau[i] != 0 {
				present++
				if out[i] == x {
					trimmed++
				}
			}
		}
		_ = read(o, "head")
		row := o.Observation().Layers[1]
		switch {
		case row.Name != "layers.0":
			t.Fatalf("layer %s, want layers.0", row.Name)
		case !c.trims && (row.Trimmed != nil || trimmed != 0):
			t.Errorf("%s, %s: trimmed %v, and %d of the merge, want none", c.name, c.parameters, row.Trimmed, trimmed)
		case c.trims && (trimmed == 0 || row.Trimmed[0] != float64(trimmed)/float64(present)):
			t.Errorf("%s, %s: trimmed %v, want %d of %d", c.name, c.parameters, row.Trimmed, trimmed, present)
		}
	}
}

// SCE keeps the same elements of all vectors: those with the highest variance.
func TestTrimmedOfSCE(t *testing.T) {
	b := newBench(t)
	b.model("base", "", floats("w", 0, 0, 0, 0))
	b.model("a", "", floats("w", 1, 4, 0, -1))
	b.model("b", "", floats("w", 2, -4, 3, -2))
	o := b.compile("merge_method: sce\nbase_model: base\nparameters: {select_topk: 0.5}\nmodels: [{model: a}, {model: b}]\n", Options{}).Observe()
	_, err := checkpoint.ReadAll(o, "w")
	b.must(err)
	// Variances are 0.5, 32, 4.5 and 0.5: elements 1 and 2 stay, so that 2 of a's 3 elements and 2 of b's 4 go.
	if got, want := o.Observation().Trimmed, []float64{2.0 / 3, 0.5, 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("trimmed %v, want %v", got, want)
	}
}

// Of nested recipes the outermost merge is observed: its models are what the inner ones make.
func TestObservationOfNestedMerges(t *testing.T) {
	b := newBench(t)
	b.model("base", "", floats("w", 0, 0))
	b.model("a", "", floats("w", 6, 0))
	b.model("b", "", floats("w", 0, 8))
	o := b.compile("name: inner\nmerge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n---\n"+
		"merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: inner, parameters: {weight: 0.5}}, {model: b, parameters: {weight: 0.25}}]\n", Options{}).Observe()
	_, err := checkpoint.ReadAll(o, "w")
	b.must(err)
	seen := o.Observation()
	// The inner merge is (3 4), b (0 8), and the outer (1.5 2) + (0 2).
	if want := []string{"inner", "b", Merged}; !reflect.DeepEqual(seen.Names, want) || !reflect.DeepEqual(seen.Norms, []float64{5, 8, math.Hypot(1.5, 4)}) || seen.Cosine[0][1] != 0.8 {
		t.Errorf("names %v, norms %v, cosine %v; want %v of 5, 8, %v and 0.8", seen.Names, seen.Norms, seen.Cosine[0][1], want, math.Hypot(1.5, 4))
	}
}
