package fuse_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"syncretic/arithmetic"
	"syncretic/arithmetic/taskvector"
	"syncretic/checkpoint"
	"syncretic/sweep/fuse"
)

// hall is a base of six layers with vectors in every form, as files.
type hall struct {
	base    string
	vectors map[string]string
}

const layers = 6

// shapes are a small encoder's. The names of its convolutions hold those of layers in part.
func shapes() map[string][]int {
	s := map[string][]int{
		"masked_spec_embed":                           {12},
		"feature_extractor.conv_layers.0.conv.weight": {8, 1, 10},
		"feature_extractor.conv_layers.1.conv.weight": {8, 8, 3},
		"encoder.pos_conv_embed.conv.bias":            {12},
		"encoder.layer_norm.weight":                   {12},
		"lm_head.weight":                              {40, 12},
	}
	for i := range layers {
		s[fmt.Sprintf("encoder.layers.%d.attention.q_proj.weight", i)] = []int{12, 12}
		s[fmt.Sprintf("encoder.layers.%d.feed_forward.weight", i)] = []int{48, 12}
		s[fmt.Sprintf("encoder.layers.%d.layer_norm.bias", i)] = []int{12}
	}
	return s
}

// weights draws tensors; near, where it is not nil, is moved a little.
func weights(t testing.TB, shapes map[string][]int, seed uint64, near checkpoint.Source) *checkpoint.Memory {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var tensors []checkpoint.Tensor
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		x := checkpoint.Tensor{Name: name, Shape: shapes[name], Data: make([]float32, checkpoint.Info{Shape: shapes[name]}.Elements())}
		for i := range x.Data {
			x.Data[i] = float32(rng.NormFloat64())
		}
		if near != nil {
			must(t, near.Read(name, 0, x.Data))
			for i := range x.Data {
				x.Data[i] += float32(0.1 * rng.NormFloat64())
			}
		}
		tensors = append(tensors, x)
	}
	ids, err := checkpoint.NewIntegers("position_ids", checkpoint.I64, []int{3}, []int64{0, 1, 2})
	must(t, err)
	m, err := checkpoint.NewMemory(append(tensors, ids)...)
	must(t, err)
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func save(t testing.TB, path string, src checkpoint.Source, meta map[string]string) {
	t.Helper()
	must(t, checkpoint.Write(t.Context(), path, src, checkpoint.WriteOptions{Metadata: meta}))
}

// newHall writes a base and, by the forms' names, vectors: dense, bf16, sparse, low_rank, and a tuned model.
func newHall(t testing.TB) hall {
	t.Helper()
	dir := t.TempDir()
	h := hall{filepath.Join(dir, "base"), map[string]string{}}
	base := weights(t, shapes(), 1, nil)
	must(t, checkpoint.Write(t.Context(), h.base, base, checkpoint.WriteOptions{SideFiles: []checkpoint.SideFile{
		{Name: "config.json", Data: []byte(`{"model_type":"x","num_hidden_layers":6}`)}}}))
	seed := uint64(2)
	tuned := func() *checkpoint.Memory {
		seed++
		return weights(t, shapes(), seed, base)
	}
	for name, o := range map[string]taskvector.Options{
		"dense": {}, "bf16": {DType: checkpoint.BF16}, "sparse": {Density: 0.3}, "low_rank": {Rank: 3},
	} {
		h.vectors[name] = filepath.Join(dir, name+".safetensors")
		saveVector(t, h.vectors[name], tuned(), base, o)
	}
	h.vectors["tuned"] = filepath.Join(dir, "tuned.safetensors")
	save(t, h.vectors["tuned"], tuned(), nil)
	return h
}

func saveVector(t testing.TB, path string, tuned, base checkpoint.Source, o taskvector.Options) {
	t.Helper()
	tau, err := arithmetic.Sub(tuned, base)
	must(t, err)
	encoded, err := taskvector.Encode(tau, o)
	must(t, err)
	meta, err := arithmetic.Provenance(tuned, base)
	must(t, err)
	maps.Copy(meta, encoded.Metadata())
	save(t, path, encoded, meta)
}

// only leaves some vectors.
func (h hall) only(names ...string) hall {
	h.vectors = maps.Clone(h.vectors)
	maps.DeleteFunc(h.vectors, func(name, _ string) bool { return !slices.Contains(names, name) })
	return h
}

func (h hall) open(t testing.TB, o fuse.Options) *fuse.Fuser {
	t.Helper()
	f, err := fuse.Open(h.base, h.vectors, o)
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	return f
}

// all reads every tensor, integers through ReadIntegers.
func all(t testing.TB, src checkpoint.Source) map[string][]float32 {
	t.Helper()
	values := map[string][]float32{}
	for _, info := range src.Tensors() {
		x, err := checkpoint.ReadAll(src, info.Name)
		must(t, err)
		values[info.Name] = x
	}
	return values
}
