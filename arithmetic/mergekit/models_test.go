package mergekit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"syncretic/arithmetic"
	"syncretic/arithmetic/taskvector"
	"syncretic/checkpoint"
)

// vector writes the task vector of two models, in a form.
func (b bench) vector(path, tuned, base string, o taskvector.Options) {
	b.Helper()
	t, err := checkpoint.Open(tuned)
	b.must(err)
	defer t.Close()
	s, err := checkpoint.Open(base)
	b.must(err)
	defer s.Close()
	tau, err := arithmetic.Sub(t, s)
	b.must(err)
	e, err := taskvector.Encode(tau, o)
	b.must(err)
	meta, err := arithmetic.Provenance(t, s)
	b.must(err)
	for key, value := range e.Metadata() {
		meta[key] = value
	}
	b.must(checkpoint.Write(b.Context(), path, e, checkpoint.WriteOptions{Metadata: meta}))
}

// trioOfVectors has a base, a tuned model "a" and its vectors; all numbers are exact.
func (b bench) trioOfVectors() {
	b.Helper()
	ids, err := checkpoint.NewIntegers("ids", checkpoint.I64, []int{2}, []int64{4, 5})
	b.must(err)
	b.model("base", `{"x": 1}`, floats("w", 1, 2, 3, 4), ids)
	b.model("a", "", floats("w", 1.5, 2, 1, 4.25), ids)
	b.vector("a.safetensors", "a", "base", taskvector.Options{})
	b.vector("half.safetensors", "a", "base", taskvector.Options{DType: checkpoint.BF16})
	b.vector("sparse.safetensors", "a", "base", taskvector.Options{Density: 0.75})
}

// TestVectorsInRecipes: the file of a task vector stands for the model that it was taken from.
func TestVectorsInRecipes(t *testing.T) {
	b := newBench(t)
	b.trioOfVectors()
	for _, form := range []string{"a.safetensors", "half.safetensors", "sparse.safetensors"} {
		for _, c := range []struct {
			recipe string
			want   []float32
		}{
			{"merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: %s, parameters: {weight: 0.5}}]", []float32{1.25, 2, 2, 4.125}},
			{"merge_method: ties\nbase_model: base\nmodels: [{model: %s, parameters: {weight: 1, density: 0.25}}]", []float32{1, 2, 1, 4}},
			{"merge_method: slerp\nbase_model: base\nparameters: {t: 1}\nmodels: [{model: %s}]", []float32{1.5, 2, 1, 4.25}},
			{"merge_method: linear\nbase_model: base\nmodels: [{model: %s, parameters: {weight: 1}}, {model: base, parameters: {weight: 1}}]", []float32{1.25, 2, 2, 4.125}},
			{"merge_method: linear\nmodels: [{model: part, parameters: {weight: 1}}]\n---\nname: part\nmerge_method: task_arithmetic\nbase_model: base\nmodels: [{model: %s, parameters: {weight: 1}}]", []float32{1.5, 2, 1, 4.25}},
		} {
			p := b.compile(fmt.Sprintf(c.recipe, "./"+form), Options{})
			if got, want := p.Merge().Tensors(), 2; len(got) != want {
				t.Fatalf("%d tensors, want %d", len(got), want)
			}
			got, err := checkpoint.ReadAll(p.Merge(), "w")
			b.must(err)
			for i := range got {
				if !near(got[i], c.want[i]) {
					t.Errorf("%s of %s: %v, want %v", c.recipe, form, got, c.want)
				}
			}
			ids, err := checkpoint.ReadIntegers(p.Merge(), "ids")
			b.must(err)
			if !slices.Equal(ids, []int64{4, 5}) {
				t.Errorf("ids %v are not the base's", ids)
			}
		}
	}
	p := b.compile("merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: ./half.safetensors, parameters: {weight: 0.5}}]", Options{})
	if n, want := p.ReadBytes(), int64(4*4+2*8+4*2); n != want {
		t.Errorf("%d bytes are read, want %d", n, want)
	}
	o := p.Observe()
	if _, err := checkpoint.ReadAll(o, "w"); err != nil {
		t.Fatal(err)
	}
	if norms := o.Observation().Vectors; norms != "task vectors" {
		t.Errorf("the report is of %s", norms)
	}
}

func TestVectorsNeedTheirBase(t *testing.T) {
	b := newBench(t)
	b.trioOfVectors()
	b.model("other", "", floats("w", 1, 2, 3, 5))
	b.vector("other.safetensors", "other", "other", taskvector.Options{})
	b.must(checkpoint.Write(t.Context(), "nameless.safetensors", memoryOf(t, floats("w", 1)), checkpoint.WriteOptions{Metadata: map[string]string{arithmetic.KindKey: arithmetic.VectorKind}}))
	for _, c := range []struct{ name, recipe, want string }{
		{"no base", "merge_method: linear\nmodels: [{model: ./a.safetensors, parameters: {weight: 1}}]", "is a task vector: give the base_model"},
		{"another base", "merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: ./other.safetensors, parameters: {weight: 1}}]", "a task vector of another base"},
		{"nameless", "merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: ./nameless.safetensors, parameters: {weight: 1}}]", "does not name its base"},
		{"vector as base", "merge_method: task_arithmetic\nbase_model: ./a.safetensors\nmodels: [{model: a, parameters: {weight: 1}}]", "base_model ./a.safetensors is a task vector"},
	} {
		if err := b.fail(c.recipe, Options{}); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
	}
}

func memoryOf(t *testing.T, tensors ...checkpoint.Tensor) checkpoint.Source {
	t.Helper()
	m, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestModelsAreSharedAndStay: each file is opened once for many compilations, of which one may fail and any may be closed; passes are
// made once; and a merge of the same models by itself is the same.
func TestModelsAreSharedAndStay(t *testing.T) {
	b := newBench(t)
	b.trioOfVectors()
	opened := map[string]int{}
	models := NewModels(1 << 20)
	opts := Options{Models: models, Opener: Opener{Open: func(path string) (*checkpoint.Model, error) {
		opened[path]++
		return checkpoint.Open(path)
	}}}
	recipe := func(weight, density float64) string {
		return fmt.Sprintf("merge_method: ties\nbase_model: base\nmodels: [{model: ./a.safetensors, parameters: {weight: %v, density: %v}}, {model: a, parameters: {weight: 1, density: 0.5}}]", weight, density)
	}
	p := b.compile(recipe(1, 0.5), opts)
	b.value(p, "w")
	b.must(p.Close())
	b.fail(recipe(1, 2), opts)
	q := b.compile(recipe(0.5, 0.5), opts)
	if !q.merge.at["w"].made.Shares(p.merge.at["w"].made) {
		t.Error("the second plan makes its own passes")
	}
	r := b.compile(recipe(0.5, 0.25), opts)
	if r.merge.at["w"].made.Shares(p.merge.at["w"].made) {
		t.Error("another density has the same passes")
	}
	for _, p := range []*Plan{p, q, r} {
		alone := b.compile(recipe(p.Tensors[1].Inputs[0].Params["weight"], p.Tensors[1].Inputs[0].Params["density"]), Options{})
		got, err := checkpoint.ReadAll(p.Merge(), "w")
		b.must(err)
		want, err := checkpoint.ReadAll(alone.Merge(), "w")
		b.must(err)
		if !slices.Equal(got, want) {
			t.Errorf("%v, by itself %v", got, want)
		}
		if v := alone.Merge().Version("w"); v != "" {
			t.Errorf("without Models, a version %q", v)
		}
	}
	if len(opened) != 3 || opened["base"] != 1 || opened["a"] != 1 || opened["./a.safetensors"] != 1 {
		t.Errorf("opened %v, want each once", opened)
	}
	if len(q.Models) != 3 {
		t.Errorf("%d models are listed, want 3", len(q.Models))
	}
	if inputs, err := q.Inputs(); err != nil || len(inputs) != 3 || len(inputs[0].Files) == 0 {
		t.Errorf("inputs %v, %v", inputs, err)
	}
	zero := opts
	zero.NonFinite = Zero
	if s := b.compile(recipe(0.5, 0.5), zero); s.Merge().Version("w") == q.Merge().Version("w") {
		t.Error("another policy for values that are not finite has the same version")
	}
	if v := q.Merge().Version("w"); v == "" || v == r.Merge().Version("w") || v == p.Merge().Version("w") {
		t.Errorf("version %q is not one of its own", v)
	}
	nested := b.compile("merge_method: linear\nmodels: [{model: part, parameters: {weight: 1}}]\n---\nname: part\nmerge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]", opts)
	if v := nested.Merge().Version("w"); v != "" || b.value(nested, "w") != 1.5 {
		t.Errorf("a merge of a merge has version %q", v)
	}
	b.must(models.Close())
	if err := b.fail(recipe(1, 0.5), opts); !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
}

// TestModelsKeepWithinTheirBudget: masks of a method that holds a bit an element are forgotten, the oldest first, and made again.
func TestModelsKeepWithinTheirBudget(t *testing.T) {
	b := newBench(t)
	const n, tensors = 64 * 1024, 8 // masks of 8 KiB
	var base, a []checkpoint.Tensor
	for i := range tensors {
		x, y := make([]float32, n), make([]float32, n)
		for j := range y {
			y[j] = float32(j%7) - 3
		}
		base, a = append(base, floats(fmt.Sprintf("w%d", i), x...)), append(a, floats(fmt.Sprintf("w%d", i), y...))
	}
	b.model("base", "", base...)
	b.model("a", "", a...)
	recipe := func(weight int) string {
		return fmt.Sprintf("merge_method: dare_linear\nbase_model: base\nmodels: [{model: a, parameters: {weight: %d, density: 0.5}}]", weight)
	}
	for _, budget := range []int64{0, 40 << 10, 1 << 30} {
		models := NewModels(budget)
		for weight := 1; weight < 4; weight++ {
			p, alone := b.compile(recipe(weight), Options{Models: models}), b.compile(recipe(weight), Options{})
			for _, info := range p.Merge().Tensors() {
				got, err := checkpoint.ReadAll(p.Merge(), info.Name)
				b.must(err)
				want, err := checkpoint.ReadAll(alone.Merge(), info.Name)
				b.must(err)
				if !slices.Equal(got, want) {
					t.Fatalf("budget %d: %s is not what it is alone", budget, info.Name)
				}
			}
			if most := max(budget, keepAlways*8<<10) + 8<<10; models.held > most || budget == 1<<30 && models.held != tensors*8<<10 {
				t.Errorf("budget %d: %d bytes are held", budget, models.held)
			}
		}
		b.must(models.Close())
	}
}

var errHash = errors.New("no hash today")

func TestHashOfTheOpener(t *testing.T) {
	b := newBench(t)
	b.trioOfVectors()
	recipe := "merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: ./a.safetensors, parameters: {weight: 1}}]"
	if err := b.fail(recipe, Options{Opener: Opener{Hash: func(checkpoint.Source) (string, error) { return "", errHash }}}); !errors.Is(err, errHash) {
		t.Error(err)
	}
	if err := b.fail(recipe, Options{Opener: Opener{Hash: func(checkpoint.Source) (string, error) { return "0123", nil }}}); !errors.Is(err, checkpoint.ErrInvalid) {
		t.Error(err)
	}
}
