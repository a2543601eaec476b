package mert_test

import (
	"fmt"
	"log"
	"math"

	"github.com/nlpodyssey/spago/ag"

	"syncretic/adapt/mert"
	"syncretic/adapt/op"
	"syncretic/checkpoint"
)

// tone is a fifth of a second of 440 Hz.
func tone() []float32 {
	x := make([]float32, 4800)
	for i := range x {
		x[i] = float32(0.3 * math.Sin(2*math.Pi*440*float64(i)/24000))
	}
	return x
}

// Features of a clip, averaged over its frames, one row a layer: what a probe learns from.
func ExampleOpen() {
	encoder, err := mert.Open("testdata/post_group")
	if err != nil {
		log.Fatal(err)
	}
	features, err := encoder.Features(tone())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(features), "layers of", len(features[0]), "from", encoder.Frames(4800), "frames")
	// Output: 4 layers of 16 from 239 frames
}

func ExampleEncoder_HiddenStates() {
	encoder, err := mert.Open("testdata/post_group")
	if err != nil {
		log.Fatal(err)
	}
	states, err := encoder.HiddenStates(tone())
	if err != nil {
		log.Fatal(err)
	}
	dim := encoder.Config().HiddenSize
	fmt.Println(len(states), "states of", len(states[0])/dim, "frames")
	// Output: 4 states of 239 frames
}

// A fresh encoder, and a graph over a batch of two clips with its gradients.
func ExampleNew() {
	cfg, err := mert.ParseConfig([]byte(`{
		"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
		"conv_dim": [8, 8], "conv_kernel": [10, 4], "conv_stride": [5, 4],
		"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4
	}`))
	if err != nil {
		log.Fatal(err)
	}
	encoder, err := mert.New(cfg, 1)
	if err != nil {
		log.Fatal(err)
	}
	out, err := encoder.Forward(mert.Input{Samples: append(tone(), tone()...), Clips: 2, Train: true, Seed: 7})
	if err != nil {
		log.Fatal(err)
	}
	if err := ag.Backward(op.MeanSquare(out.Hidden[2])); err != nil {
		log.Fatal(err)
	}
	learned := 0
	for _, p := range encoder.Params() {
		if p.Value.HasGrad() {
			learned++
		}
	}
	fmt.Println(out.Hidden[2].Value().Shape(), "from", learned, "of", len(encoder.Params()), "parameters")
	// Output: [478 16] from 45 of 46 parameters
}

// An encoder is a checkpoint.Source, and takes one: a merge goes straight in, without a file.
func ExampleEncoder_SetWeights() {
	encoder, err := mert.Open("testdata/post_group")
	if err != nil {
		log.Fatal(err)
	}
	other, err := mert.New(encoder.Config(), 1)
	if err != nil {
		log.Fatal(err)
	}
	var merged checkpoint.Source = other // or arithmetic.Add(base, arithmetic.Scale(vector, 0.2))
	if err := encoder.SetWeights(merged); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(encoder.Tensors()), "weights replaced")
	// Output: 63 weights replaced
}
