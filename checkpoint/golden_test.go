package checkpoint

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// golden is one tensor as testdata/make.py describes it.
type golden struct {
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	Values []any  `json:"values"`
}

// expected holds what the Python package wrote.
type expected struct {
	Mixed, Eights, Sharded map[string]golden
	Metadata               map[string]string
}

// torchTypes are PyTorch's names of dtypes.
var torchTypes = map[string]DType{
	"float32": F32, "float16": F16, "bfloat16": BF16, "float64": F64, "float8_e4m3fn": F8E4M3, "float8_e5m2": F8E5M2,
	"int64": I64, "int32": I32, "int16": I16, "uint8": U8, "bool": Bool,
}

func loadExpected(t *testing.T) expected {
	t.Helper()
	f, err := os.Open("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dec := json.NewDecoder(f)
	dec.UseNumber()
	var e expected
	if err := dec.Decode(&e); err != nil {
		t.Fatal(err)
	}
	if len(e.Mixed) != 12 || len(e.Eights) != 2 || len(e.Sharded) != 3 {
		t.Fatalf("testdata/expected.json has %d, %d, %d tensors, want 12, 2, 3", len(e.Mixed), len(e.Eights), len(e.Sharded))
	}
	return e
}

func open(t *testing.T, path string) *Model {
	t.Helper()
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// sameFloat compares by value, with every NaN equal, and tells the zeros apart.
func sameFloat(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func checkGolden(t *testing.T, src Source, want map[string]golden) {
	t.Helper()
	var names []string
	for _, info := range src.Tensors() {
		names = append(names, info.Name)
		g := want[info.Name]
		if info.DType != torchTypes[g.DType] || !slices.Equal(info.Shape, g.Shape) {
			t.Errorf("%s: %s %v, want %s %v", info.Name, info.DType, info.Shape, g.DType, g.Shape)
			continue
		}
		if info.DType.Integer() {
			values, err := ReadIntegers(src, info.Name)
			if err != nil {
				t.Error(err)
			}
			for i, v := range values {
				if want, _ := strconv.ParseInt(g.Values[i].(json.Number).String(), 10, 64); v != want {
					t.Errorf("%s[%d] = %d, want %d", info.Name, i, v, want)
				}
			}
			continue
		}
		values, err := ReadAll(src, info.Name)
		if err != nil {
			t.Error(err)
			continue
		}
		for i, v := range values {
			text, ok := g.Values[i].(string)
			if !ok {
				text = g.Values[i].(json.Number).String()
			}
			want, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			if !sameFloat(v, float32(want)) {
				t.Errorf("%s[%d] = %v, want %v", info.Name, i, v, want)
			}
		}
	}
	if want := slices.Sorted(maps.Keys(want)); !slices.Equal(names, want) {
		t.Errorf("tensors %q, want %q", names, want)
	}
}

func TestGoldenFiles(t *testing.T) {
	e := loadExpected(t)
	mixed := open(t, "testdata/mixed.safetensors")
	checkGolden(t, mixed, e.Mixed)
	if !maps.Equal(mixed.Metadata(), e.Metadata) {
		t.Errorf("metadata %q, want %q", mixed.Metadata(), e.Metadata)
	}
	checkGolden(t, open(t, "testdata/eights.safetensors"), e.Eights)
	checkGolden(t, open(t, "testdata/sharded"), e.Sharded)
	checkGolden(t, open(t, "testdata/sharded/model.safetensors.index.json"), e.Sharded)
}

// A rewritten file has the same contents; only the format that transformers wants is added to the metadata.
func TestGoldenRoundTrip(t *testing.T) {
	e := loadExpected(t)
	for _, in := range []string{"mixed.safetensors", "eights.safetensors", "convert.safetensors", "sharded"} {
		src := open(t, filepath.Join("testdata", in))
		for _, out := range []string{"copy.safetensors", "copy"} {
			path := filepath.Join(t.TempDir(), out)
			if err := Write(t.Context(), path, src, WriteOptions{Metadata: src.Metadata(), ShardBytes: map[bool]int64{true: 64}[out == "copy"]}); err != nil {
				t.Fatal(err)
			}
			again := open(t, path)
			if a, b := hash(t, src), hash(t, again); a != b {
				t.Errorf("%s: hash %s after writing, want %s", in, b, a)
			}
			want := src.Metadata()
			want["format"] = "pt"
			if !maps.Equal(want, again.Metadata()) {
				t.Errorf("%s: metadata %q after writing, want %q", in, again.Metadata(), want)
			}
			if in == "mixed.safetensors" {
				checkGolden(t, again, e.Mixed)
			}
		}
	}
}

func hash(t *testing.T, src Source) string {
	t.Helper()
	h, err := Hash(src)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Conversions agree with PyTorch's bit for bit; NaNs stay NaNs.
func TestGoldenConversions(t *testing.T) {
	m := open(t, "testdata/convert.safetensors")
	x, err := ReadAll(m, "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		dtype DType
		round func(float32) uint16
		widen func(uint16) float32
	}{{"f16", F16, toF16, fromF16}, {"bf16", BF16, toBF16, fromBF16}} {
		raw, err := m.Raw(c.name)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ReadAll(m, c.name+"_back")
		if err != nil {
			t.Fatal(err)
		}
		read, err := ReadAll(m, c.name)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range x {
			want := uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
			if got := c.round(v); got != want && v == v {
				t.Errorf("%s(%v) = %#04x, want %#04x", c.dtype, v, got, want)
			} else if v != v && c.widen(got) == c.widen(got) {
				t.Errorf("%s(NaN) = %#04x is not a NaN", c.dtype, got)
			}
			if !sameFloat(c.widen(want), back[i]) || !sameFloat(read[i], back[i]) {
				t.Errorf("float32(%s %#04x) = %v and %v, want %v", c.dtype, want, c.widen(want), read[i], back[i])
			}
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty := file(`{}`, 0)
	index := func(pairs string) string { return `{"weight_map": {` + pairs + `}}` }
	for _, c := range []struct {
		name, path string
		want       error
		text       string
	}{
		{"nothing there", filepath.Join(dir, "none"), os.ErrNotExist, "none"},
		{"empty directory", filepath.Dir(write("a/config.json", "{}")), os.ErrNotExist, "no model.safetensors"},
		{"empty pickle in a directory", filepath.Dir(write("b/pytorch_model.bin", "")), ErrInvalid, "b/pytorch_model.bin: not a file of torch.save"},
		{"pointer to a pickle", write("x.pth", "version https://git-lfs.github.com/spec/v1\n"), ErrInvalid, "x.pth: not a file of torch.save"},
		{"sharded pickle", filepath.Dir(write("c/pytorch_model.bin.index.json", "{}")), ErrInvalid, "c/pytorch_model.bin.index.json: index has no weight_map"},
		{"sharded pickle of another kind", filepath.Dir(write("h/pytorch_model.bin.index.json", index(`"w": "m.safetensors"`))), ErrInvalid, "want the name of a .bin file"},
		{"shard of a pickle missing", filepath.Dir(write("i/pytorch_model.bin.index.json", index(`"w": "m.bin"`))), os.ErrNotExist, "m.bin"},
		{"other name", filepath.Dir(write("d/adapter.safetensors", empty)), ErrInvalid, "such as adapter.safetensors"},
		{"unknown file", write("x.gguf", empty), ErrInvalid, "not a .safetensors file"},
		{"empty file", write("e.safetensors", ""), ErrInvalid, "e.safetensors: truncated: 0 bytes"},
		{"shard missing", filepath.Dir(write("f/model.safetensors.index.json", index(`"w": "m.safetensors"`))), os.ErrNotExist, "m.safetensors"},
		{"directory as shard", filepath.Dir(filepath.Dir(write("g/m.safetensors/x", ""))), ErrInvalid, "such as m.safetensors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Open(c.path)
			if m != nil || !errors.Is(err, c.want) || !contains(err, c.text) {
				t.Errorf("Open = %v, %v; want %v that says %q", m, err, c.want, c.text)
			}
		})
	}
}

func TestShardsMustAgreeWithIndex(t *testing.T) {
	for _, c := range []struct{ name, index, text string }{
		{"missing", `{"weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "2.safetensors"}}`, `tensor "c": not in`},
		{"elsewhere", `{"weight_map": {"a": "2.safetensors", "b": "1.safetensors"}}`, `tensor "a": not in`},
		{"all listed", `{"weight_map": {"a": "1.safetensors"}}`, ""},
		{"unlisted", `{"weight_map": {"b": "2.safetensors", "a": "1.safetensors", "z": "3.safetensors"}}`, `tensor "y": in`},
		{"twice", `{"weight_map": {"a": "1.safetensors", "y": "3.safetensors", "z": "4.safetensors"}}`, `tensor "y": also in`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, tensors := range map[string]string{
				"1": `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
				"2": `{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
				"3": `{"y":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"z":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}`,
				"4": `{"y":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
			} {
				if err := os.WriteFile(filepath.Join(dir, name+".safetensors"), []byte(file(tensors, 1)), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, indexName), []byte(c.index), 0o666); err != nil {
				t.Fatal(err)
			}
			m, err := Open(dir)
			if c.text == "" {
				if err != nil || len(m.Tensors()) != 1 {
					t.Fatalf("Open = %v, %v", m, err)
				}
				m.Close()
				return
			}
			if !errors.Is(err, ErrInvalid) || !contains(err, c.text) {
				t.Errorf("Open: %v, want it to say %q", err, c.text)
			}
		})
	}
}
