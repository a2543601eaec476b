package tokenizer

import (
	"errors"
	"slices"
	"testing"

	"syncretic/checkpoint"
)

func TestVocabSize(t *testing.T) {
	for _, test := range []struct {
		config string
		want   int
		bad    bool
	}{
		{``, 0, false}, {`{}`, 0, false}, {`{"vocab_size":32000}`, 32000, false}, {`{"vocab_size":null}`, 0, false},
		{`{"text_config":{"vocab_size":5},"vocab_size":7}`, 5, false}, {`{"text_config":{},"vocab_size":7}`, 7, false},
		{`{"text_config":null,"vocab_size":7}`, 7, false}, {`{"vocab_size":-1}`, 0, true}, {`{"vocab_size":1099511627776}`, 0, true},
		{`{"vocab_size":"7"}`, 0, true}, {`[]`, 0, true}, {`{"text_config":{"vocab_size":[]}}`, 0, true},
	} {
		got, err := VocabSize([]byte(test.config))
		if got != test.want || (err != nil) != test.bad || test.bad && !errors.Is(err, checkpoint.ErrInvalid) {
			t.Errorf("%s: %d, %v, want %d", test.config, got, err, test.want)
		}
	}
}

func TestTensors(t *testing.T) {
	info := func(name string, shape ...int) checkpoint.Info {
		return checkpoint.Info{Name: name, DType: checkpoint.BF16, Shape: shape}
	}
	infos := []checkpoint.Info{
		info("bert.embeddings.position_embeddings.weight", 512, 64), info("bert.embeddings.word_embeddings.weight", 100, 64),
		info("cls.predictions.bias", 100), info("cls.predictions.decoder.weight", 100, 64), info("decoder.weight", 64, 64),
		info("embed_tokens.weight", 90, 64), info("final_logits_bias", 1, 100), {Name: "input_ids.lm_head.bias", DType: checkpoint.I64, Shape: []int{100}},
		info("layers.0.linear.weight", 100, 64), info("layers.1.mlp.linear.weight", 64, 64), info("lm_head.bias", 100), info("lm_head.weight", 100, 64),
		info("model.unembed_tokens.weight", 100, 64), info("output.bias", 100), info("wte.weight", 100),
	}
	names, doubtful := Tensors(infos, 100)
	if want := []string{"bert.embeddings.word_embeddings.weight", "cls.predictions.bias", "cls.predictions.decoder.weight", "embed_tokens.weight",
		"layers.0.linear.weight", "lm_head.bias", "lm_head.weight"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if want := []string{"final_logits_bias", "model.unembed_tokens.weight", "output.bias", "wte.weight"}; !slices.Equal(doubtful, want) {
		t.Errorf("doubtful %q, want %q", doubtful, want)
	}
	if names, doubtful := Tensors(infos, 0); slices.Contains(names, "layers.0.linear.weight") || !slices.Contains(names, "lm_head.weight") || doubtful != nil {
		t.Errorf("of unknown size: %q, %q", names, doubtful)
	}
}
