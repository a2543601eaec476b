package lora

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"syncretic/checkpoint"
)

// shapes of a small model: linear layers of both proportions, convolutions, an embedding, a norm, and a vector of no module.
var shapes = map[string][]int{
	"embed_tokens.weight": {20, 6}, "lm_head.weight": {20, 6}, "layers.0.up.weight": {12, 8}, "layers.0.up.bias": {12}, "layers.0.down.weight": {8, 12},
	"conv.weight": {7, 3, 4}, "conv2d.weight": {7, 3, 2, 2}, "norm.weight": {8}, "norm.bias": {8}, "mask": {6}, "same.weight": {4, 4},
}

// pair is a base and a tuned model: differences are normal, with singular values that fall.
func pair(t *testing.T) (base, tuned *checkpoint.Memory) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	var from, to []checkpoint.Tensor
	for name, shape := range shapes {
		a, b := tensor(name, shape...), tensor(name, shape...)
		width := len(a.Data) / shape[0]
		for i := range a.Data {
			a.Data[i] = float32(math.Round(r.NormFloat64()*4096) / 4096)
			b.Data[i] = a.Data[i]
			if name != "same.weight" {
				b.Data[i] += float32(math.Round(r.NormFloat64()*math.Pow(0.5, float64(i%width))*4096) / 4096)
			}
		}
		from, to = append(from, a), append(to, b)
	}
	base, err := checkpoint.NewMemory(from...)
	if err != nil {
		t.Fatal(err)
	}
	if tuned, err = checkpoint.NewMemory(to...); err != nil {
		t.Fatal(err)
	}
	return base, tuned
}

// applied writes what was extracted as PEFT stores it, opens that, and applies it to the base.
func (x *Extracted) applied(t *testing.T, base checkpoint.Source) checkpoint.Source {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "adapter")
	if err := checkpoint.Write(t.Context(), dir, x, checkpoint.WriteOptions{Weights: FileName, SideFiles: []checkpoint.SideFile{x.Config}}); err != nil {
		t.Fatal(err)
	}
	merged, err := Apply(base, openAdapter(t, dir), 1)
	if err != nil {
		t.Fatal(err)
	}
	return merged
}

// TestExtract: applied, the adapter leaves of each task vector what the best matrix of that rank leaves, and no more.
func TestExtract(t *testing.T) {
	const tolerance = 1e-6
	base, tuned := pair(t)
	for _, rank := range []int{1, 3, 6, 100} {
		for _, o := range []ExtractOptions{{Rank: rank}, {Rank: rank, Unbalanced: true, Embeddings: true}} {
			x, err := Extract(base, tuned, o)
			if err != nil {
				t.Fatal(err)
			}
			modules := map[string]Module{}
			for _, m := range x.Modules {
				modules[m.Name+".weight"] = m
			}
			if n := map[bool]int{false: 4, true: 6}[o.Embeddings]; len(modules) != n {
				t.Errorf("%d modules, want %d", len(modules), n)
			}
			merged := x.applied(t, base)
			for name, shape := range shapes {
				b, want, got := read(t, base, name), read(t, tuned, name), read(t, merged, name)
				delta, left := make([]float64, len(b)), 0.0
				for i := range b {
					delta[i] = float64(want[i]) - float64(b[i])
					left += (float64(want[i]) - float64(got[i])) * (float64(want[i]) - float64(got[i]))
				}
				if _, ok := modules[name]; !ok {
					if left != 0 {
						t.Errorf("rank %d: %s differs by %v, and is held in full", rank, name, math.Sqrt(left))
					}
					continue
				}
				var full mat.SVD
				full.Factorize(mat.NewDense(shape[0], len(b)/shape[0], delta), mat.SVDNone)
				values := full.Values(nil)
				best, norm := 0.0, 0.0
				for i, s := range values {
					norm += s * s
					if i >= rank {
						best += s * s
					}
				}
				m := modules[name]
				if m.Rank != min(rank, len(values)) {
					t.Errorf("rank %d: %s has rank %d", rank, name, m.Rank)
				}
				for _, got := range []float64{math.Sqrt(left), m.Error} {
					if math.Abs(got-math.Sqrt(best)) > tolerance*math.Sqrt(norm)*10 {
						t.Errorf("rank %d: %s lacks %v, the least is %v", rank, name, got, math.Sqrt(best))
					}
				}
				if math.Abs(m.Norm-math.Sqrt(norm)) > tolerance*m.Norm {
					t.Errorf("%s: norm %v, want %v", name, m.Norm, math.Sqrt(norm))
				}
			}
		}
	}
}

func TestExtractOptions(t *testing.T) {
	base, tuned := pair(t)
	expr := func(s string) []*regexp.Regexp { return []*regexp.Regexp{regexp.MustCompile(s)} }
	for _, c := range []struct {
		name    string
		o       ExtractOptions
		modules string
		saved   string
		left    string
	}{
		{"as it is", ExtractOptions{}, "conv conv2d layers.0.down layers.0.up", "embed_tokens lm_head norm", ""},
		{"with embeddings", ExtractOptions{Embeddings: true}, "conv conv2d embed_tokens layers.0.down layers.0.up lm_head", "norm", ""},
		{"with a module in full", ExtractOptions{SaveModules: []string{"up", "conv", "same"}}, "conv2d layers.0.down", "conv embed_tokens layers.0.up lm_head norm same", ""},
		{"without some", ExtractOptions{Exclude: expr("^conv|embed")}, "layers.0.down layers.0.up", "lm_head norm", "conv.weight conv2d.weight embed_tokens.weight"},
		{"with some", ExtractOptions{Include: expr("up$")}, "layers.0.up", "embed_tokens lm_head", "conv.weight conv2d.weight layers.0.down.weight mask norm.bias norm.weight"},
		{"without what is none", ExtractOptions{SkipOthers: true}, "conv conv2d layers.0.down layers.0.up", "embed_tokens lm_head", "layers.0.up.bias mask norm.bias norm.weight"},
		{"above a singular value", ExtractOptions{Epsilon: 100, SkipOthers: true}, "", "embed_tokens lm_head",
			"conv.weight conv2d.weight layers.0.down.weight layers.0.up.bias layers.0.up.weight mask norm.bias norm.weight"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Rank, c.o.Base = 2, "some/base"
			x, err := Extract(base, tuned, c.o)
			if err != nil {
				t.Fatal(err)
			}
			var config struct {
				Base          string   `json:"base_model_name_or_path"`
				Targets       []string `json:"target_modules"`
				ModulesToSave []string `json:"modules_to_save"`
				Rank          int      `json:"r"`
			}
			if err := json.Unmarshal(x.Config.Data, &config); err != nil {
				t.Fatal(err)
			}
			for what, got := range map[string][2]string{"modules": {strings.Join(config.Targets, " "), c.modules},
				"saved": {strings.Join(config.ModulesToSave, " "), c.saved}, "left": {strings.Join(x.Left, " "), c.left}} {
				if got[0] != got[1] {
					t.Errorf("%s: %q, want %q", what, got[0], got[1])
				}
			}
			if config.Base != "some/base" {
				t.Errorf("base %q", config.Base)
			}
			merged := x.applied(t, base)
			for _, name := range x.Left {
				if !slices.Equal(read(t, merged, name), read(t, base, name)) {
					t.Errorf("%s was to be left", name)
				}
			}
		})
	}
}

// TestRanksDiffer: modules of less rank are in rank_pattern, and none is taken for another of the same last name.
func TestRanksDiffer(t *testing.T) {
	for _, names := range [][2]string{{"a.b.weight", "b.weight"}, {"b.weight", "a.b.weight"}} {
		ranksDiffer(t, names[0], names[1])
	}
}

func ranksDiffer(t *testing.T, low, high string) {
	zero, one, two := tensor(low, 3, 3), tensor(low, 3, 3), tensor(high, 3, 3)
	one.Data[0] = 1
	copy(two.Data, []float32{1, 0, 0, 0, 2, 0, 0, 0, 4})
	base, err := checkpoint.NewMemory(zero, tensor(high, 3, 3))
	if err != nil {
		t.Fatal(err)
	}
	tuned, err := checkpoint.NewMemory(one, two)
	if err != nil {
		t.Fatal(err)
	}
	x, err := Extract(base, tuned, ExtractOptions{Rank: 3})
	if err != nil {
		t.Fatal(err)
	}
	merged := x.applied(t, base)
	for _, name := range []string{low, high} {
		for i, v := range read(t, merged, name) {
			if want := read(t, tuned, name)[i]; math.Abs(float64(v-want)) > 1e-6 {
				t.Errorf("%s: element %d is %v, want %v", name, i, v, want)
			}
		}
	}
}

func TestExtractRefused(t *testing.T) {
	memory := func(tensors ...checkpoint.Tensor) checkpoint.Source {
		src, err := checkpoint.NewMemory(tensors...)
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
	ids := func(v int64) checkpoint.Tensor {
		x, err := checkpoint.NewIntegers("ids", checkpoint.I64, []int{1}, []int64{v})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	nan := tensor("w.weight", 2, 2)
	nan.Data[3] = float32(math.NaN())
	plain := memory(tensor("w.weight", 2, 2))
	for _, c := range []struct {
		name        string
		base, tuned checkpoint.Source
		o           ExtractOptions
		err         string
	}{
		{"rank 0", plain, plain, ExtractOptions{}, "rank 0, want 1 or more"},
		{"a singular value below 0", plain, plain, ExtractOptions{Rank: 1, Epsilon: -1}, "singular value -1"},
		{"no difference", plain, plain, ExtractOptions{Rank: 1}, "there is nothing to extract"},
		{"a NaN", plain, memory(nan), ExtractOptions{Rank: 1}, `tensor "w.weight": element 3 differs by NaN`},
		{"another shape", plain, memory(tensor("w.weight", 4)), ExtractOptions{Rank: 1}, `tensor "w.weight": shapes [2 2] and [4]`},
		{"a tensor more", plain, memory(nan, ids(1)), ExtractOptions{Rank: 1}, `tensor "ids": only one of the models has it`},
		{"other integers", memory(ids(1)), memory(ids(2)), ExtractOptions{Rank: 1}, `tensor "ids": an integer tensor that differs`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Extract(c.base, c.tuned, c.o); !errors.Is(err, checkpoint.ErrInvalid) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
	stop := errors.New("stop")
	base, tuned := pair(t)
	if _, err := Extract(base, tuned, ExtractOptions{Rank: 1, Interrupt: func() error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestGoldensAreThere: the script that made them stands beside.
func TestGoldensAreThere(t *testing.T) {
	for _, name := range []string{"make.py", "verify.py"} {
		if _, err := os.Stat(filepath.Join("testdata", name)); err != nil {
			t.Error(err)
		}
	}
}
