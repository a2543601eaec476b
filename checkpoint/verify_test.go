package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// modelFolder writes files into a new directory.
func modelFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// bytesFile is a file of U8 tensors of one byte each.
func bytesFile(names ...string) string {
	var fields []string
	for i, name := range names {
		fields = append(fields, `"`+name+`":{"dtype":"U8","shape":[1],"data_offsets":[`+string(rune('0'+i))+`,`+string(rune('1'+i))+`]}`)
	}
	return file("{"+strings.Join(fields, ",")+"}", len(names))
}

func indexOf(pairs ...string) string {
	text := `{"weight_map": {`
	for i := 0; i < len(pairs); i += 2 {
		text += map[bool]string{true: ", "}[i > 0] + `"` + pairs[i] + `": "` + pairs[i+1] + `"`
	}
	return text + "}}"
}

const (
	firstShard  = "model-00001-of-00002.safetensors"
	secondShard = "model-00002-of-00002.safetensors"
)

func TestVerifyListsEveryBrokenRule(t *testing.T) {
	whole := map[string]string{firstShard: bytesFile("a", "b"), secondShard: bytesFile("c"), indexName: indexOf("a", firstShard, "b", firstShard, "c", secondShard), "config.json": "{}"}
	with := func(changes map[string]string) map[string]string {
		files := map[string]string{}
		for name, text := range whole {
			files[name] = text
		}
		for name, text := range changes {
			files[name] = text
		}
		return files
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		rules []string
		says  string
	}{
		{"a whole set", whole, nil, ""},
		{"one file", map[string]string{weightsName: bytesFile("a")}, nil, ""},
		{"broken file", map[string]string{weightsName: bytesFile("a") + "x"}, []string{RuleTrailing}, "model.safetensors: trailing data"},
		{"broken index", map[string]string{indexName: `{"weight_map": {"a": "../a.safetensors"}}`}, []string{RuleShardName}, indexName + `: weight_map: tensor "a"`},
		{"both shards broken", with(map[string]string{firstShard: "x", secondShard: bytesFile("c") + "x"}), []string{RuleTruncated, RuleTrailing}, firstShard + ": truncated"},
		{"tensor of no shard", with(map[string]string{indexName: indexOf("a", firstShard, "b", firstShard, "c", secondShard, "d", secondShard)}), []string{RuleShardTensor}, `tensor "d": not in ` + secondShard},
		{"tensor elsewhere", with(map[string]string{indexName: indexOf("a", secondShard, "b", firstShard, "c", secondShard)}), []string{RuleShardTensor, RuleShardTensor}, `tensor "a": in ` + firstShard + " too"},
		{"unlisted tensor", with(map[string]string{indexName: indexOf("a", firstShard, "c", secondShard)}), []string{RuleUnlisted}, `tensor "b": in ` + firstShard + ", but not in the index"},
		{"tensor twice", with(map[string]string{secondShard: bytesFile("c", "a")}), []string{RuleShardTensor}, `tensor "a": in ` + secondShard + " too, but the index puts it in " + firstShard},
		{"missing shard", with(map[string]string{indexName: indexOf("a", firstShard, "b", firstShard, "c", "model-3.safetensors")}), []string{RuleShardMissing, RuleLeftover}, "names model-3.safetensors, which is not there"},
		{"stale shard", with(map[string]string{"model-00003-of-00003.safetensors": bytesFile("z")}), []string{RuleLeftover}, "model-00003-of-00003.safetensors is beside it"},
		{"index beside one file", with(map[string]string{weightsName: bytesFile("a")}), []string{RuleLeftover, RuleLeftover, RuleLeftover}, indexName + " is beside it"},
		{"untied without a head", map[string]string{weightsName: bytesFile("model.embed_tokens.weight"),
			"config.json": `{"tie_word_embeddings": false, "architectures": ["LlamaForCausalLM"]}`}, []string{RuleTiedWeights}, "there is no lm_head.weight"},
		{"untied and not a language model", map[string]string{weightsName: bytesFile("model.embed_tokens.weight"),
			"config.json": `{"tie_word_embeddings": false, "architectures": ["LlamaModel"]}`}, nil, ""},
		{"tied without a head", map[string]string{weightsName: bytesFile("model.embed_tokens.weight"),
			"config.json": `{"tie_word_embeddings": true, "architectures": ["LlamaForCausalLM"]}`}, nil, ""},
		{"tied with the same head", map[string]string{weightsName: bytesFile("model.embed_tokens.weight", "lm_head.weight"),
			"config.json": `{"tie_word_embeddings": true, "architectures": ["LlamaForCausalLM"]}`}, nil, ""},
		{"tied with another head", map[string]string{weightsName: strings.TrimSuffix(bytesFile("model.embed_tokens.weight", "lm_head.weight"), "\x01") + "\x02",
			"config.json": `{"tie_word_embeddings": true, "architectures": ["LlamaForCausalLM"]}`}, []string{RuleTiedWeights}, "lm_head.weight differs from model.embed_tokens.weight"},
		{"config that is no JSON", map[string]string{weightsName: bytesFile("a"), "config.json": "{"}, []string{RuleJSON}, "config.json: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := modelFolder(t, c.files)
			r, err := Verify(t.Context(), dir, VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var rules []string
			found := c.says == ""
			for _, b := range r.Broken {
				rules = append(rules, b.Rule)
				found = found || strings.Contains(b.Message, c.says)
			}
			if !slices.Equal(rules, c.rules) || !found {
				t.Errorf("broken %+v, want rules %v and a message that says %q", r.Broken, c.rules, c.says)
			}
			m, err := Open(dir)
			if err == nil {
				m.Close()
			}
			if len(r.Broken) == 0 && err != nil {
				t.Errorf("in order, but Open says %v", err)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !slices.Contains(rules, Rule(err)) && Rule(err) != RuleOtherBrokenRule {
				t.Errorf("rules %v, but Open says %v", rules, err)
			}
		})
	}
}

func TestVerifyCounts(t *testing.T) {
	for path, want := range map[string]Report{
		"testdata/sharded": {Files: []string{"testdata/sharded/" + firstShard, "testdata/sharded/" + secondShard}, Tensors: 3, Parameters: 11, Bytes: 36},
		"testdata/sharded/model.safetensors.index.json": {Files: []string{"testdata/sharded/" + firstShard, "testdata/sharded/" + secondShard}, Tensors: 3, Parameters: 11, Bytes: 36},
		"testdata/sharded/" + secondShard:               {Files: []string{"testdata/sharded/" + secondShard}, Tensors: 1, Parameters: 4, Bytes: 8},
	} {
		var last, total int64
		r, err := Verify(t.Context(), path, VerifyOptions{Progress: func(d, n int64) { last, total = d, n }})
		if err != nil || len(r.Broken) > 0 {
			t.Fatalf("%s: %+v, %v", path, r, err)
		}
		if r.Path != path || r.Tensors != want.Tensors || r.Parameters != want.Parameters || r.Bytes != want.Bytes || len(r.Files) != len(want.Files) {
			t.Errorf("%s: %+v, want %+v", path, r, want)
		}
		if last != want.Bytes || total != want.Bytes {
			t.Errorf("%s: progress ended at %d of %d, want %d", path, last, total, want.Bytes)
		}
	}
}

// The first element that is not finite is named, wherever it lies among the blocks.
func TestVerifyFindsNonFinite(t *testing.T) {
	data := make([]float32, 3*blockElements+5)
	for _, c := range []struct {
		at   []int
		want string
	}{
		{[]int{0}, `tensor "w": element 0 of F32 [786437] is not finite`},
		{[]int{2*blockElements + 7, 3 * blockElements}, "element 524295 of"},
		{[]int{len(data) - 1}, "element 786436 of"},
	} {
		clear(data)
		for i, at := range c.at {
			data[at] = []float32{float32(math.NaN()), float32(math.Inf(-1))}[i]
		}
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := Write(t.Context(), path, memory(t, Tensor{Name: "w", Shape: []int{len(data)}, Data: data}, Tensor{Name: "v", Shape: []int{1}, Data: []float32{1}}), WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		r, err := Verify(t.Context(), path, VerifyOptions{})
		if err != nil || len(r.Broken) != 1 || r.Broken[0].Rule != RuleNonFinite || r.Broken[0].Tensor != "w" || !strings.Contains(r.Broken[0].Message, c.want) {
			t.Errorf("%+v, %v; want one that says %q", r, err, c.want)
		}
		if r, err := Verify(t.Context(), path, VerifyOptions{AllowNonFinite: true}); err != nil || len(r.Broken) > 0 {
			t.Errorf("allowed: %+v, %v", r, err)
		}
	}
}

func TestVerifyNotes(t *testing.T) {
	dir := modelFolder(t, map[string]string{weightsName: bytesFile("a"), "heads.safetensors": bytesFile("h"), "model.fp16.safetensors": bytesFile("a"), "pytorch_model.bin": "", "README.md": "", ".hidden.safetensors": ""})
	r, err := Verify(t.Context(), dir, VerifyOptions{})
	if err != nil || len(r.Broken) > 0 || len(r.Notes) != 3 || !strings.Contains(r.Notes[0], "heads.safetensors beside it was not read") {
		t.Errorf("%+v, %v; want three notes", r, err)
	}
}

func TestVerifyErrors(t *testing.T) {
	if r, err := Verify(t.Context(), filepath.Join(t.TempDir(), "none"), VerifyOptions{}); r != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v, %v", r, err)
	}
	if r, err := Verify(t.Context(), t.TempDir(), VerifyOptions{}); r != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty directory: %v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := Verify(ctx, "testdata/sharded", VerifyOptions{}); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", r, err)
	}
}

// A page that cannot be read is a broken rule of its tensor, not the end of the process.
func TestVerifyUnreadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := Write(t.Context(), path, large(t), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	m := open(t, path)
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	v := &verifier{models: []*Model{m}, opts: VerifyOptions{AllowNonFinite: true}}
	if err := v.readAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if mapped && (len(v.Broken) == 0 || v.Broken[0].Rule != RuleUnreadable || !strings.Contains(v.Broken[0].Message, "cannot be read where it is mapped")) {
		t.Errorf("%+v, want a tensor that cannot be read", v.Broken)
	}
}
