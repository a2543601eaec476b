package adapt

import (
	"testing"

	"github.com/nlpodyssey/spago/ag"

	"syncretic/adapt/optim"
)

// BenchmarkStages takes steps on what each kind of stage trains: heads alone, the default first stage and all parameters, beside
// the forward pass alone, of an encoder of 7 million parameters.
func BenchmarkStages(b *testing.B) {
	dir := b.TempDir()
	cfg := tinyConfig(b, dir)
	for key, v := range map[string]any{"hidden_size": 256, "num_hidden_layers": 8, "num_attention_heads": 4, "intermediate_size": 1024,
		"conv_dim": []int{128, 128, 128}, "conv_kernel": []int{10, 8, 8}, "conv_stride": []int{5, 8, 8}, "num_conv_pos_embeddings": 16, "layerdrop": 0.0} {
		cfg.Init[key] = v
	}
	cfg.Batch = Batch{Clips: 4, Seconds: 0.7, Accumulate: 1}
	run := open(b, cfg)
	params := run.model.Params()
	sampler, err := NewSampler(1, run.corpora, 0, cfg.Batch.Seconds, run.teacher.Hop())
	if err != nil {
		b.Fatal(err)
	}
	batch, err := run.loader().load(sampler.Draw(0, 0, 0, cfg.Batch.Clips), 1, "train", 0, 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	for _, stage := range []struct {
		name  string
		train []string
	}{{"forward", nil}, {"heads", []string{headPrefix}}, {"front-end", FrontEnd()}, {"all", nil}} {
		b.Run(stage.name, func(b *testing.B) {
			if err := (Stage{Name: stage.name, Train: stage.train}).apply(params); err != nil {
				b.Fatal(err)
			}
			if stage.name == "forward" {
				run.model.Freeze()
			}
			adam := optim.NewAdamW(cfg.Optimizer.adamW(), params)
			for b.Loop() {
				loss, _, err := run.model.forward(batch, true, 1, 1)
				if err != nil {
					b.Fatal(err)
				}
				if err := ag.Backward(loss); err != nil {
					b.Fatal(err)
				}
				adam.ClipStep(1e-4, 10)
			}
		})
	}
}
