package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

func TestConvertChangesTheType(t *testing.T) {
	w := newWorkshop(t)
	w.small("model", 1, -0.3, 3.14159, 1e-3)
	before := w.contents()
	for _, c := range []struct {
		name      string
		want      checkpoint.DType
		torch     string
		precision float64 // of the largest relative error
	}{
		{"F64", checkpoint.F64, "float64", 0}, {"float32", checkpoint.F32, "float32", 0}, {"F16", checkpoint.F16, "float16", 1. / (1 << 11)},
		{"bfloat16", checkpoint.BF16, "bfloat16", 1. / (1 << 8)}, {"torch.bfloat16", checkpoint.BF16, "bfloat16", 1. / (1 << 8)},
		{"F8_E4M3", checkpoint.F8E4M3, "float8_e4m3fn", 1}, {"float8_e5m2", checkpoint.F8E5M2, "float8_e5m2", 1. / (1 << 3)},
	} {
		out := "out-" + c.name
		got := w.result("convert model " + out + " --dtype " + c.name)
		if got["output"] != out || got["tensors"] != 2.0 || got["parameters"] != 7.0 {
			t.Errorf("%s: result %v", c.name, got)
		}
		for i, x := range w.weights(out)["weight"] {
			want := []float64{1, -0.3, 3.14159, 1e-3}[i]
			if math.Abs(float64(x)-want) > c.precision*math.Abs(want)+1e-7*math.Abs(want) {
				t.Errorf("%s: element %d is %v, want %v", c.name, i, x, want)
			}
		}
		m, err := checkpoint.Open(out)
		w.must(err)
		info, _ := checkpoint.Find(m, "weight")
		ids, err := checkpoint.ReadIntegers(m, "ids")
		w.must(err)
		m.Close()
		if info.DType != c.want || !slices.Equal(ids, []int64{1, 2, 3}) {
			t.Errorf("%s: %v, ids %v", c.name, info, ids)
		}
		if config, want := w.read(out+"/config.json"), `{"torch_dtype": "`+c.torch+`", "layers": 2}`; config != want {
			t.Errorf("%s: config %s, want %s", c.name, config, want)
		}
		if meta := w.metadata(out); meta["note"] != "small" || meta[metaTool] == "" {
			t.Errorf("%s: metadata %v", c.name, meta)
		}
	}
	for path, hash := range before {
		if w.contents()[path] != hash {
			t.Errorf("%s was changed", path)
		}
	}
}

// Containers and shards change; contents, and without a type config.json too, do not.
func TestConvertChangesTheContainer(t *testing.T) {
	w := newWorkshop(t)
	w.small("model", 1, 2, 3, 4)
	hash := func(path string) string {
		m, err := checkpoint.Open(path)
		w.must(err)
		defer m.Close()
		sum, err := checkpoint.Hash(m)
		w.must(err)
		return sum
	}
	want := hash("model")
	for _, c := range []struct {
		line, out string
		files     []string
	}{
		{"convert model one", "one", []string{"config.json", "model.safetensors"}},
		{"convert model one.safetensors", "one.safetensors", nil},
		{"convert one.safetensors bare", "bare", []string{"model.safetensors"}},
		{"convert one shards --shard-size 1", "shards", []string{"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"}},
		{"convert one large --shard-size 5GB", "large", []string{"config.json", "model.safetensors"}},
		{"convert one zero.safetensors --shard-size 0", "zero.safetensors", nil},
	} {
		w.succeed(c.line)
		if hash(c.out) != want {
			t.Errorf("%s: other contents", c.line)
		}
		if c.files == nil {
			continue
		}
		list, err := os.ReadDir(c.out)
		w.must(err)
		var names []string
		for _, item := range list {
			names = append(names, item.Name())
		}
		if !slices.Equal(names, c.files) {
			t.Errorf("%s: %v, want %v", c.line, names, c.files)
		}
		if slices.Contains(names, "config.json") && w.read(filepath.Join(c.out, "config.json")) != w.read("model/config.json") {
			t.Errorf("%s: config.json was changed", c.line)
		}
	}
	w.verdicts("one bare shards large", exitDone)
}

func TestConvertRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.small("model", 1, 2, 3, 1e6)
	w.small("old", 1, 2, 3, 4)
	const help = "convert --help"
	w.refuse([]refusal{
		{"nothing there", "convert nowhere x", exitInput, "nowhere: no such file or directory", "check the spelling"},
		{"unknown type", "convert model x --dtype float7", exitUsage, `--dtype "float7": want F64, F32, F16, BF16, F8_E4M3 or F8_E5M2`, help},
		{"an integer type", "convert model x --dtype I64", exitUsage, `--dtype "I64": want F64`, help},
		{"a type carried as bytes", "convert model x --dtype F4", exitUsage, `--dtype "F4": want F64`, help},
		{"unknown size", "convert model x --shard-size 5XB", exitUsage, `--shard-size "5XB" is not a size: want one such as 5GB`, help},
		{"shards of one file", "convert model x.safetensors --shard-size 5GB", exitUsage, "x.safetensors is one file; shards need a directory", help},
		{"too large for the type", "convert model x --dtype F16", exitInput, `tensor "weight": from element 0: element 3: 1e+06 is beyond the range of F16`, ""},
		{"too large for 8 bits", "convert model x --dtype F8_E4M3", exitInput, "is beyond the range of F8_E4M3", ""},
		{"existing output", "convert model old", exitExists, "old: file already exists", "--force replaces it"},
		{"output is the input", "convert model model --force", exitUsage, "is also an input", help},
		{"one argument", "convert model", exitUsage, "convert takes the arguments MODEL OUT; got 1: model", help},
	})
	w.interrupt("convert model x", "")
	w.interrupt("convert model old --force", "")
	w.succeed("convert model old --force")
	if got := w.weights("old")["weight"][3]; got != 1e6 {
		t.Errorf("--force replaced nothing: %v", got)
	}
}

// config.json is changed only where it names a float type.
func TestRetype(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"config.json", `{"torch_dtype": "float32"}`, `{"torch_dtype": "bfloat16"}`},
		{"config.json", "{\n  \"dtype\" : \"float16\",\n \"text\": {\"torch_dtype\":\"float8_e4m3fn\"}}", "{\n  \"dtype\" : \"bfloat16\",\n \"text\": {\"torch_dtype\":\"bfloat16\"}}"},
		{"config.json", `{"torch_dtype": "auto", "dtype": "int8", "my_dtype": "float32", "dtype": null}`, `{"torch_dtype": "auto", "dtype": "int8", "my_dtype": "float32", "dtype": null}`},
		{"other.json", `{"torch_dtype": "float32"}`, `{"torch_dtype": "float32"}`},
	} {
		sides := []checkpoint.SideFile{{Name: c.name, Data: []byte(c.in)}}
		retype(sides, checkpoint.BF16)
		if got := string(sides[0].Data); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, strings.TrimSpace(c.want))
		}
	}
}
