package adapt_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"syncretic/adapt"
	"syncretic/adapt/audio"
)

// tones writes four recordings of one second and their manifest.
func tones(dir string) (manifest string, err error) {
	var entries []audio.Entry
	for i := range 4 {
		samples := make([]float32, audio.SampleRate)
		for k := range samples {
			samples[k] = float32(0.3 * math.Sin(2*math.Pi*220*math.Pow(2, float64(i)/12)*float64(k)/audio.SampleRate))
		}
		id := fmt.Sprintf("tone%d.wav", i)
		if err := audio.WriteWAV(filepath.Join(dir, id), samples, false); err != nil {
			return "", err
		}
		entries = append(entries, audio.Entry{ID: id, Path: filepath.Join(dir, id), Split: "train"})
	}
	manifest = filepath.Join(dir, "tones.csv")
	return manifest, audio.WriteManifest(manifest, entries, false)
}

// A recipe, from YAML to a model directory. Here it pre-trains a very small fresh encoder; with `base:` in place of `init:` it
// continues the training of a model.
func Example() {
	dir, err := os.MkdirTemp("", "adapt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	manifest, err := tones(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg, err := adapt.ParseConfig(fmt.Appendf(nil, `
init: {model_type: hubert, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32, conv_dim: [8, 8, 8],
  conv_kernel: [10, 8, 8], conv_stride: [5, 8, 8], num_conv_pos_embeddings: 4, num_conv_pos_embedding_groups: 2}
seed: 1
teacher: {path: %[1]q, cqt: {sample_rate: 24000, hop: 320, fmin: 200, bins: 24, bins_per_octave: 12, max_window: 1024}, codebooks: 2, codebook_size: 4}
corpora: [{name: tones, manifest: %[2]q}]
batch: {clips: 2, seconds: 0.5, accumulate: 1}
stages:
  - {name: front-end, steps: 2, train: [feature_extractor., feature_projection., pretrain.], lr: {peak: 1e-3, warmup: 1}}
  - {name: all, steps: 3, lr: {peak: 1e-3, warmup: 0.3, shape: cosine}}
`, filepath.Join(dir, "teacher"), manifest))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	run, err := adapt.Open(ctx, cfg, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer run.Close()
	err = run.Train(ctx, filepath.Join(dir, "model"), adapt.Options{Report: func(r adapt.Record) {
		fmt.Printf("%d of %d, stage %s, rate %.2g\n", r.Step, r.Steps, r.Stage, r.Rate)
	}})
	fmt.Println(err)
	// Output:
	// 1 of 5, stage front-end, rate 0.001
	// 2 of 5, stage front-end, rate 0
	// 3 of 5, stage all, rate 0.001
	// 4 of 5, stage all, rate 0.0005
	// 5 of 5, stage all, rate 0
	// <nil>
}
