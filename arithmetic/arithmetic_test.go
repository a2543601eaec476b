package arithmetic

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"syncretic/checkpoint"
)

// model makes a small model with several layers; tensors span more than one block.
func model(t testing.TB, seed uint64, size float64, tensors ...checkpoint.Tensor) *checkpoint.Memory {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	for _, s := range []struct {
		name  string
		shape []int
	}{
		{"encoder.layers.0.attention.k_proj.weight", []int{3, blockElements/2 + 5}},
		{"encoder.layers.10.final.bias", []int{7}},
		{"encoder.layers.2.final.bias", []int{7}},
		{"encoder.pos_conv_embed.conv.weight_g", []int{1, 1, 4}},
		{"feature_projection.projection.weight", []int{5, 5}},
		{"masked_spec_embed", []int{}},
		{"none", []int{0, 2}},
	} {
		n := 1
		for _, d := range s.shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(r.NormFloat64() * size)
		}
		tensors = append(tensors, checkpoint.Tensor{Name: s.name, Shape: s.shape, Data: data})
	}
	m, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func ids(t testing.TB, values ...int64) checkpoint.Tensor {
	t.Helper()
	tensor, err := checkpoint.NewIntegers("position_ids", checkpoint.I64, []int{len(values)}, values)
	if err != nil {
		t.Fatal(err)
	}
	return tensor
}

// stored writes a source as dtype and opens the file.
func stored(t testing.TB, src checkpoint.Source, dtype checkpoint.DType) *checkpoint.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := checkpoint.Write(t.Context(), path, src, checkpoint.WriteOptions{DType: dtype}); err != nil {
		t.Fatal(err)
	}
	m, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func must(t testing.TB) func(checkpoint.Source, error) checkpoint.Source {
	return func(src checkpoint.Source, err error) checkpoint.Source {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
}

func all(t testing.TB, src checkpoint.Source, name string) []float32 {
	t.Helper()
	x, err := checkpoint.ReadAll(src, name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func hash(t testing.TB, src checkpoint.Source) string {
	t.Helper()
	h, err := checkpoint.Hash(src)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var dtypes = []checkpoint.DType{checkpoint.F32, checkpoint.BF16, checkpoint.F16, checkpoint.F64}

func TestLambdaZeroGivesTheBaseBitForBit(t *testing.T) {
	for _, dtype := range dtypes {
		base := stored(t, model(t, 1, 1, ids(t, 3, 1<<53+1)), dtype)
		v := must(t)(Sub(model(t, 2, 1, ids(t, 3, 1<<53+1)), base))
		for name, merged := range map[string]checkpoint.Source{
			"combine": must(t)(Combine(base, Term{v, 0}, Term{v, math.Copysign(0, -1)})),
			"add":     must(t)(Add(base, Scale(v, 0))),
			"nested":  must(t)(Add(base, Scale(Scale(v, 0), 3))),
			"no term": must(t)(Combine(base)),
		} {
			if hash(t, merged) != hash(t, base) {
				t.Errorf("%s %s: not the base", dtype, name)
			}
			for _, info := range base.Tensors() {
				a, errA := base.Raw(info.Name)
				b, errB := merged.(checkpoint.RawSource).Raw(info.Name)
				if errA != nil || errB != nil || len(a) > 0 && &a[0] != &b[0] {
					t.Errorf("%s %s: %s does not share the base's bytes: %v, %v", dtype, name, info.Name, errA, errB)
				}
			}
			if hash(t, struct{ checkpoint.Source }{checkpoint.Select(merged, notIDs)}) != hash(t, checkpoint.Select(base, notIDs)) {
				t.Errorf("%s %s: reads differ from the base", dtype, name)
			}
		}
	}
}

func notIDs(name string) bool { return name != "position_ids" }

// θ_0 + (θ − θ_0) errs by half a unit in the last place of the difference and of the sum.
func TestLambdaOneGivesTheTunedWeights(t *testing.T) {
	for _, dtype := range dtypes {
		base, tuned := stored(t, model(t, 1, 1), dtype), stored(t, model(t, 2, 1), dtype)
		v := must(t)(Sub(tuned, base))
		merged := must(t)(Add(base, v))
		for _, info := range base.Tensors() {
			want, got, delta := all(t, tuned, info.Name), all(t, merged, info.Name), all(t, v, info.Name)
			for i := range want {
				unit := max(math.Abs(float64(delta[i])), math.Abs(float64(want[i]))) * 0x1p-24
				if math.Abs(float64(got[i])-float64(want[i])) > 2*unit {
					t.Fatalf("%s %s[%d] = %v, want %v within one rounding", dtype, info.Name, i, got[i], want[i])
				}
			}
		}
	}
}

func TestValues(t *testing.T) {
	base, a, b := model(t, 1, 1, ids(t, 4)), model(t, 2, 1, ids(t, 4)), model(t, 3, 1, ids(t, 4))
	va, vb := must(t)(Sub(a, base)), must(t)(Sub(b, base))
	merged := must(t)(Combine(base, Term{va, 0.3}, Term{vb, -1.7}))
	for _, info := range merged.Tensors() {
		if info.DType.Integer() {
			continue
		}
		x, y, z, got := all(t, base, info.Name), all(t, a, info.Name), all(t, b, info.Name), all(t, merged, info.Name)
		for i := range x {
			want := x[i] + float32(float32(0.3)*(y[i]-x[i]))
			want += float32(float32(-1.7) * (z[i] - x[i]))
			if math.Float32bits(got[i]) != math.Float32bits(want) {
				t.Fatalf("%s[%d] = %v, want %v", info.Name, i, got[i], want)
			}
		}
	}
	if n, err := checkpoint.ReadIntegers(merged, "position_ids"); err != nil || n[0] != 4 {
		t.Errorf("integers of the merge: %v, %v; want the base's [4]", n, err)
	}
	if _, ok := checkpoint.Find(va, "position_ids"); ok {
		t.Error("the task vector has an integer tensor")
	}
	if hash(t, merged) != hash(t, must(t)(Add(base, Scale(va, 0.3), Scale(vb, -1.7)))) {
		t.Error("Add of Scale differs from Combine")
	}
	nested := must(t)(Add(base, Scale(Scale(va, 0.5), 0.5)))
	if x, d, got := all(t, base, "masked_spec_embed"), all(t, va, "masked_spec_embed"), all(t, nested, "masked_spec_embed"); got[0] != x[0]+d[0]/4 {
		t.Errorf("nested scales give %v, want %v", got[0], x[0]+d[0]/4)
	}
}

// Terms are added from the first to the last: 2²⁴ swallows a 1 that comes after it.
func TestTermsAddInOrder(t *testing.T) {
	one := func(x float32) checkpoint.Source {
		m, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Data: []float32{x}})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, c := range []struct {
		terms []Term
		want  float32
	}{
		{[]Term{{one(1), 1 << 24}, {one(1), 1}, {one(1), 1}}, 1 << 24},
		{[]Term{{one(1), 1}, {one(1), 1}, {one(1), 1 << 24}}, 1<<24 + 2},
	} {
		if got := all(t, must(t)(Combine(one(0), c.terms...)), "w"); got[0] != c.want {
			t.Errorf("sum is %v, want %v", got[0], c.want)
		}
	}
}

// A result keeps the base's dtypes; a vector is F32 whatever it came from.
func TestDTypes(t *testing.T) {
	for _, dtype := range dtypes {
		base := stored(t, model(t, 1, 1), dtype)
		v := must(t)(Sub(model(t, 2, 1), base))
		for src, want := range map[checkpoint.Source]checkpoint.DType{v: checkpoint.F32, Scale(base, 2): checkpoint.F32, must(t)(Add(base, v)): dtype} {
			for _, info := range src.Tensors() {
				if info.DType != want {
					t.Errorf("%T over %s: %s is %s, want %s", src, dtype, info.Name, info.DType, want)
				}
			}
		}
	}
}

// The base that a sum shares with its vectors is read once; the numbers are those of the long way.
func TestSharedBaseChangesNothing(t *testing.T) {
	base := stored(t, model(t, 1, 1), checkpoint.F16)
	va, vb := must(t)(Sub(model(t, 2, 1), base)), must(t)(Sub(model(t, 3, 1), base))
	short := must(t)(Combine(base, Term{va, 0.3}, Term{vb, -1.7}))
	long := must(t)(Combine(base, Term{struct{ checkpoint.Source }{va}, 0.3}, Term{stored(t, vb, ""), -1.7}))
	if hash(t, short) != hash(t, long) {
		t.Error("sums differ")
	}
	if s := short.(*sum); !s.shared {
		t.Error("the base is not shared")
	}
}

// Ranges of any cut give the numbers of one whole read.
func TestRangesAgree(t *testing.T) {
	base := stored(t, model(t, 1, 1), checkpoint.BF16)
	merged := must(t)(Add(base, Scale(must(t)(Sub(model(t, 2, 1), base)), 0.7)))
	const name = "encoder.layers.0.attention.k_proj.weight"
	want := all(t, merged, name)
	for _, step := range []int{1000, blockElements - 1, blockElements, blockElements + 1} {
		got := make([]float32, len(want))
		for lo := 0; lo < len(got); lo += step {
			if err := merged.Read(name, lo, got[lo:min(lo+step, len(got))]); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("reads of %d elements differ from one whole read", step)
		}
	}
}

// A term with λ = 0 may hold anything.
func TestZeroTermIsNotRead(t *testing.T) {
	base := model(t, 1, 1)
	bad := Scale(model(t, 2, math.Inf(1)), 1)
	got := all(t, must(t)(Add(base, Scale(bad, 0))), "encoder.layers.2.final.bias")
	if !slices.Equal(got, all(t, base, "encoder.layers.2.final.bias")) {
		t.Errorf("got %v, want the base", got)
	}
	for _, x := range all(t, Scale(bad, 0), "encoder.layers.2.final.bias") {
		if x != 0 {
			t.Errorf("0 times infinity is %v, want 0", x)
		}
	}
}

func TestParallelReads(t *testing.T) {
	base := stored(t, model(t, 1, 1), checkpoint.BF16)
	merged := must(t)(Add(base, Scale(must(t)(Sub(model(t, 2, 1), base)), 0.7)))
	want := hash(t, merged)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := checkpoint.Hash(merged); err != nil || got != want {
				t.Errorf("hash %s, %v; want %s", got, err, want)
			}
		})
	}
	wg.Wait()
}

func TestReadAllocatesNothing(t *testing.T) {
	base := stored(t, model(t, 1, 1), checkpoint.BF16)
	merged := must(t)(Add(base, Scale(must(t)(Sub(model(t, 2, 1), base)), 0.7)))
	dst := make([]float32, blockElements)
	// The pools may be emptied by a collection meanwhile, hence not exactly 0.
	if n := testing.AllocsPerRun(50, func() {
		if err := merged.Read("encoder.layers.0.attention.k_proj.weight", 0, dst); err != nil {
			t.Fatal(err)
		}
	}); n > 1 && !raceEnabled {
		t.Errorf("%v allocations a read, want 0", n)
	}
}

func tensor(name string, shape ...int) checkpoint.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return checkpoint.Tensor{Name: name, Shape: shape, Data: make([]float32, n)}
}

func TestMismatches(t *testing.T) {
	source := func(tensors ...checkpoint.Tensor) checkpoint.Source {
		m, err := checkpoint.NewMemory(tensors...)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	base := source(tensor("a", 2), tensor("b", 2, 3))
	var many []checkpoint.Tensor
	for i := range 9 {
		many = append(many, tensor(fmt.Sprintf("c%d", i), 1))
	}
	for _, c := range []struct {
		name  string
		other checkpoint.Source
		base  checkpoint.Source
		text  string
	}{
		{"missing", source(tensor("a", 2)), base, `tensor "b": missing, want F32 [2 3]`},
		{"extra", source(tensor("a", 2), tensor("b", 2, 3), tensor("c", 1)), base, `tensor "c": not in the base`},
		{"shape", source(tensor("a", 2), tensor("b", 3, 2)), base, `tensor "b": shape [3 2], want [2 3]`},
		{"rank", source(tensor("a", 2, 1), tensor("b", 2, 3)), base, `tensor "a": shape [2 1], want [2]`},
		{"all at once", source(tensor("b", 6), tensor("z", 1)), base, `tensor "a": missing, want F32 [2]; tensor "b": shape [6], want [2 3]; tensor "z": not in the base`},
		{"many", source(many...), base, `and 7 more`},
		{"float for integer", source(tensor("position_ids", 1)), source(ids(t, 1)), `tensor "position_ids": dtype F32, want I64`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Sub(c.other, c.base); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("Sub: %v, want it to say %q", err, c.text)
			}
			if _, err := Interference([]string{"the base", "other"}, []checkpoint.Source{c.base, c.other}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("Interference: %v, want it to say %q", err, c.text)
			}
			if c.name == "float for integer" {
				return // a vector without integers is what Sub gives
			}
			if _, err := Add(c.base, c.other); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("Add: %v, want it to say %q", err, c.text)
			}
		})
	}
}

func TestIntegersMustBeEqual(t *testing.T) {
	_, err := Sub(model(t, 2, 1, ids(t, 1, 5)), model(t, 1, 1, ids(t, 1, 4)))
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `tensor "position_ids": integer element 1 is 5, want the base's 4`) {
		t.Errorf("Sub: %v", err)
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	tuned := stored(t, checkpoint.Select(model(t, 1, 1), func(name string) bool { return name != "none" }), "")
	_, err := Sub(tuned, model(t, 2, 1))
	if err == nil || !strings.HasPrefix(err.Error(), tuned.Path()+` does not fit the base: tensor "none": missing`) {
		t.Errorf("Sub: %v, want it to start with the file", err)
	}
}

func TestLambdaMustBeFinite(t *testing.T) {
	base := model(t, 1, 1)
	for _, lambda := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e39} {
		if _, err := Combine(base, Term{base, lambda}); !errors.Is(err, ErrInvalid) {
			t.Errorf("lambda %v: %v, want ErrInvalid", lambda, err)
		}
	}
}

// Sources that end with their inputs pass errors through, with nothing hidden.
func TestReadErrors(t *testing.T) {
	base := stored(t, model(t, 1, 1, ids(t, 1)), checkpoint.F32)
	v := must(t)(Sub(stored(t, model(t, 2, 1, ids(t, 1)), checkpoint.F32), base))
	merged := must(t)(Add(base, v))
	for name, src := range map[string]checkpoint.Source{"vector": v, "scaled": Scale(v, 2), "zero": Scale(v, 0), "merge": merged} {
		if err := src.Read("nothing", 0, nil); err == nil {
			t.Errorf("%s: read a tensor that is not there", name)
		}
		if err := src.Read("encoder.layers.2.final.bias", 6, make([]float32, 2)); err == nil {
			t.Errorf("%s: read past the end", name)
		}
	}
	if _, err := merged.(checkpoint.RawSource).Raw("masked_spec_embed"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Raw of a computed tensor: %v, want ErrUnsupported", err)
	}
	if _, err := Scale(base, 2).(checkpoint.RawSource).Raw("masked_spec_embed"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Raw of a scaled tensor: %v, want ErrUnsupported", err)
	}
	if raw, err := Scale(base, 2).(checkpoint.RawSource).Raw("position_ids"); err != nil || raw[0] != 1 {
		t.Errorf("integers through Scale: %v, %v", raw, err)
	}
	base.Close()
	if err := merged.Read("masked_spec_embed", 0, make([]float32, 1)); err == nil {
		t.Error("read from a closed base")
	}
}
