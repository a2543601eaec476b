package lora

import (
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

func open(t *testing.T, path string) *checkpoint.Model {
	t.Helper()
	m, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func openAdapter(t *testing.T, dir string) *Adapter {
	t.Helper()
	a, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func read(t *testing.T, src checkpoint.Source, name string) []float32 {
	t.Helper()
	x, err := checkpoint.ReadAll(src, name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// written passes a source through its own types.
func written(t *testing.T, src checkpoint.Source) *checkpoint.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := checkpoint.Write(t.Context(), path, src, checkpoint.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// TestApplyAgreesWithPEFT: an element may be off by the roundings of a sum over the rank, in another order, and of the result.
func TestApplyAgreesWithPEFT(t *testing.T) {
	const roundings = 4
	dirs, err := filepath.Glob(filepath.Join("testdata", "golden", "*"))
	if err != nil || len(dirs) != 6 {
		t.Fatalf("%d goldens, want 6; %v", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			base, want := open(t, filepath.Join(dir, "base.safetensors")), open(t, filepath.Join(dir, "merged.safetensors"))
			merged, err := Apply(base, openAdapter(t, dir), 1)
			if err != nil {
				t.Fatal(err)
			}
			got := written(t, merged)
			changed := 0
			for _, info := range want.Tensors() {
				if mine, ok := checkpoint.Find(got, info.Name); !ok || mine.DType != info.DType {
					t.Fatalf("%s: %v, want %s", info.Name, mine, info.DType)
				}
				unit := 0x1p-24
				if info.DType == checkpoint.BF16 {
					unit = 0x1p-7 / roundings // the last place: PEFT rounds the product, and then the sum
				}
				x, y, b := read(t, got, info.Name), read(t, want, info.Name), read(t, base, info.Name)
				if !slices.Equal(y, b) {
					changed++
				}
				for i := range x {
					if off := math.Abs(float64(x[i] - y[i])); off > roundings*unit*max(1, math.Abs(float64(y[i]))) {
						t.Errorf("%s: element %d is %v, in PEFT %v", info.Name, i, x[i], y[i])
						break
					}
				}
			}
			if changed != len(openAdapter(t, dir).changes) && !strings.HasPrefix(filepath.Base(dir), "hubert") { // bias "all" holds some that are equal
				t.Errorf("%d tensors changed, the adapter is about %d", changed, len(openAdapter(t, dir).changes))
			}
			if len(got.Tensors()) != len(want.Tensors()) || changed == 0 {
				t.Errorf("%d tensors, %d changed; want %d", len(got.Tensors()), changed, len(want.Tensors()))
			}
		})
	}
}

// TestOpenReadsPickles: adapter_model.bin is read where there is nothing else.
func TestOpenReadsPickles(t *testing.T) {
	from, dir := filepath.Join("testdata", "golden", "llama"), t.TempDir()
	for _, name := range []string{configName, "adapter_model.bin"} {
		raw, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	base := open(t, filepath.Join(from, "base.safetensors"))
	var merged [2]checkpoint.Source
	for i, d := range []string{from, dir} {
		var err error
		if merged[i], err = Apply(base, openAdapter(t, d), 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, info := range base.Tensors() {
		if !slices.Equal(read(t, merged[0], info.Name), read(t, merged[1], info.Name)) {
			t.Errorf("%s differs", info.Name)
		}
	}
}

// FuzzConfig: whatever adapter_config.json holds, it is refused as invalid or gives scalings that are numbers.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "rank_pattern": {"a.*": 2}, "alpha_pattern": null, "use_rslora": true}`), "a.b")
	f.Add([]byte(`{"peft_type": "LORA", "alpha_pattern": {"": 1e999}, "init_lora_weights": true, "target_parameters": []}`), "")
	f.Fuzz(func(t *testing.T, raw []byte, module string) {
		c, err := parseConfig(raw)
		if err == nil {
			var s float64
			s, err = c.scaling(module, c.Rank)
			if err == nil && !finite(s) {
				t.Errorf("scaling %v", s)
			}
		}
		if err != nil && !errors.Is(err, checkpoint.ErrInvalid) {
			t.Errorf("error %v", err)
		}
	})
}

// TestApplyByRanges: whatever is read, the bits are those of the whole.
func TestApplyByRanges(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"llama-patterns", "hubert", "turned", "conv2d"} {
		dir := filepath.Join("testdata", "golden", name)
		merged, err := Apply(open(t, filepath.Join(dir, "base.safetensors")), openAdapter(t, dir), 0.7)
		if err != nil {
			t.Fatal(err)
		}
		for _, info := range merged.Tensors() {
			want := read(t, merged, info.Name)
			for range 20 {
				lo := r.IntN(len(want))
				x := make([]float32, r.IntN(len(want)-lo)+1)
				if err := merged.Read(info.Name, lo, x); err != nil || !slices.Equal(x, want[lo:lo+len(x)]) {
					t.Fatalf("%s: %s: elements from %d differ, or %v", name, info.Name, lo, err)
				}
			}
		}
	}
}

// TestStrength: 0 is the base, stored bytes and all, and strength is linear.
func TestStrength(t *testing.T) {
	dir := filepath.Join("testdata", "golden", "llama")
	base, a := open(t, filepath.Join(dir, "base.safetensors")), openAdapter(t, dir)
	at := func(strength float64) checkpoint.Source {
		m, err := Apply(base, a, strength)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	none, one, two := at(0), at(1), at(2)
	for _, info := range base.Tensors() {
		b, x, y := read(t, base, info.Name), read(t, one, info.Name), read(t, two, info.Name)
		if !slices.Equal(read(t, none, info.Name), b) {
			t.Errorf("%s: strength 0 changes it", info.Name)
		}
		if _, err := none.(checkpoint.RawSource).Raw(info.Name); err != nil {
			t.Errorf("%s: strength 0 computes it: %v", info.Name, err)
		}
		_, err := one.(checkpoint.RawSource).Raw(info.Name)
		if changed := a.changes[info.Name] != nil; changed != errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: stored bytes: %v, and the adapter changes it: %v", info.Name, err, changed)
		}
		for i := range b {
			if math.Abs(float64((y[i]-b[i])-2*(x[i]-b[i]))) > 1e-6 {
				t.Fatalf("%s: element %d: %v, %v, %v at strengths 0, 1, 2", info.Name, i, b[i], x[i], y[i])
			}
		}
	}
	for _, s := range []float64{math.NaN(), math.Inf(1), 1e300} {
		if _, err := Apply(base, a, s); !errors.Is(err, checkpoint.ErrInvalid) {
			t.Errorf("strength %v: error %v", s, err)
		}
	}
}

// adapterOf writes an adapter directory.
func adapterOf(t *testing.T, config string, tensors ...checkpoint.Tensor) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configName), []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.Write(t.Context(), filepath.Join(dir, weightsName), src, checkpoint.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func tensor(name string, shape ...int) checkpoint.Tensor {
	n := checkpoint.Info{Shape: shape}.Elements()
	return checkpoint.Tensor{Name: name, Shape: shape, Data: make([]float32, n)}
}

func TestRefused(t *testing.T) {
	const plain = `{"peft_type": "LORA", "r": 2, "lora_alpha": 4}`
	a, b := tensor("base_model.model.up.lora_A.weight", 2, 3), tensor("base_model.model.up.lora_B.weight", 4, 2)
	pair := []checkpoint.Tensor{a, b}
	for _, c := range []struct {
		name, config string
		tensors      []checkpoint.Tensor
		err          string
	}{
		{"no JSON", `{`, pair, "adapter_config.json: unexpected end"},
		{"another method", `{"peft_type": "IA3"}`, pair, `peft_type is "IA3", want "LORA"`},
		{"DoRA", `{"peft_type": "LORA", "use_dora": true}`, pair, "use_dora is not supported"},
		{"experts", `{"peft_type": "LORA", "target_parameters": ["w"]}`, pair, "target_parameters is not supported"},
		{"a changed base", `{"peft_type": "LORA", "init_lora_weights": "pissa_niter_16"}`, pair, `init_lora_weights "pissa_niter_16" changed the base`},
		{"rank 0", `{"peft_type": "LORA", "r": 0}`, pair, "r 0 and lora_alpha 8"},
		{"a pattern that is none", `{"peft_type": "LORA", "rank_pattern": {"(": 2}}`, pair, "error parsing regexp"},
		{"patterns in a list", `{"peft_type": "LORA", "rank_pattern": [2]}`, pair, "want an object"},
		{"another rank", `{"peft_type": "LORA", "r": 3}`, pair, `module "up": its factors have rank 2, and adapter_config.json says 3`},
		{"half a pair", plain, pair[:1], `tensor "base_model.model.up.lora_A.weight": its other factor is missing`},
		{"no prefix", plain, []checkpoint.Tensor{tensor("up.lora_A.weight", 2, 3)}, `its name does not begin with "base_model.model."`},
		{"a magnitude", plain, append(pair, tensor("base_model.model.up.lora_magnitude_vector", 4)), "not of a plain LoRA adapter"},
		{"factors that do not fit", plain, []checkpoint.Tensor{tensor(a.Name, 3, 3), b}, "shapes [4 2] and [3 3], want [out][r] and [r][in]"},
		{"factors without a rank", plain, []checkpoint.Tensor{tensor(a.Name, 0, 3), tensor(b.Name, 4, 0)}, "shapes [4 0] and [0 3]"},
		{"a factor that is a vector", plain, []checkpoint.Tensor{tensor(a.Name, 2), b}, "shapes [4 2] and [2]"},
		{"a wide kernel in B", plain, []checkpoint.Tensor{tensor(a.Name, 2, 3, 3), tensor(b.Name, 4, 2, 3)}, "want a kernel of 1"},
		{"factors and the weight", plain, append(pair, tensor("base_model.model.up.weight", 4, 3)), `both change "up.weight"`},
		{"a weight twice", plain, []checkpoint.Tensor{tensor("base_model.model.up.weight", 4), tensor("base_model.model.up.base_layer.weight", 4)}, `both replace "up.weight"`},
		{"a bias without factors", plain, []checkpoint.Tensor{tensor("base_model.model.up.lora_B.bias", 4)}, "there are no factors beside it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Open(adapterOf(t, c.config, c.tensors...))
			if err == nil {
				a.Close()
			}
			if !errors.Is(err, checkpoint.ErrInvalid) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of an empty folder: %v", err)
	}

	ids, err := checkpoint.NewIntegers("ids.weight", checkpoint.I64, []int{4}, make([]int64, 4))
	if err != nil {
		t.Fatal(err)
	}
	base, err := checkpoint.NewMemory(tensor("up.weight", 5, 3), ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		tensors []checkpoint.Tensor
		err     string
	}{
		{"no place", []checkpoint.Tensor{tensor("base_model.model.down.lora_A.weight", 2, 3), tensor("base_model.model.down.lora_B.weight", 4, 2)},
			`tensor "base_model.model.down.lora_A.weight": the base has no tensor "down.weight"`},
		{"another shape", pair, `together shape [4 3], but the base's "up.weight" has [5 3]`},
		{"another shape in full", []checkpoint.Tensor{tensor("base_model.model.up.weight", 4, 3)}, `shape [4 3], but the base's "up.weight" has [5 3]`},
		{"integers", []checkpoint.Tensor{tensor("base_model.model.ids.weight", 4)}, "is I64, want floats"},
		{"an embedding as it is not stored", []checkpoint.Tensor{tensor("base_model.model.up.lora_embedding_A", 2, 3), tensor("base_model.model.up.lora_embedding_B", 5, 2)},
			`together shape [3 5], but the base's "up.weight" has [5 3]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Apply(base, openAdapter(t, adapterOf(t, plain, c.tensors...)), 1); !errors.Is(err, checkpoint.ErrInvalid) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}
