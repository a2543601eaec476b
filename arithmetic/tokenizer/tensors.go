package tokenizer

import (
	"encoding/json"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// The ends of names of tensors that have a row a token, as mergekit's architectures list them; those of the second list are used
// for other things as well, and count only where they have as many rows as config.json's vocab_size.
func knownNames() []string {
	return []string{"embed_tokens.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight", "embed_in.weight",
		"shared.weight", "lm_head.weight", "lm_head.bias", "lm_head.linear.weight", "lm_head.linear.bias", "lm_head.decoder.weight",
		"lm_head.decoder.bias", "embed_out.weight", "vocab_projector.weight", "vocab_projector.bias", "cls.predictions.decoder.weight",
		"cls.predictions.decoder.bias", "cls.predictions.bias"}
}

func sharedNames() []string {
	return []string{"output.weight", "output_layer.weight", "embeddings.weight", "embedding.weight", "embed.weight", "proj_out.weight",
		"decoder.weight", "decoder.bias", "linear.weight", "linear.bias", "head.weight", "head.bias", "predictions.bias"}
}

// Tensors finds the tensors that have a row a token: matrices [vocabSize][hidden] and vectors [vocabSize] by their names' last
// parts. It is names that decide, as in mergekit, so that a model whose config.json is wrong about its size is aligned all the
// same, or refused by [Merged.Align]; names that other models use for something else need the right number of rows too.
//
// doubtful are tensors with as many rows, or columns, as there are tokens under names that are not known here: they may be
// in the vocabulary's order, and are not aligned. vocabSize 0 is not known.
func Tensors(infos []checkpoint.Info, vocabSize int) (names, doubtful []string) {
	for _, info := range infos {
		dims := 2
		if strings.HasSuffix(info.Name, ".bias") {
			dims = 1
		}
		rows := vocabSize > 0 && len(info.Shape) > 0 && info.Shape[0] == vocabSize
		switch {
		case info.DType.Integer():
		case len(info.Shape) == dims && (endsIn(info.Name, knownNames()) || rows && endsIn(info.Name, sharedNames())):
			names = append(names, info.Name)
		case vocabSize > 1 && slices.Contains(info.Shape, vocabSize):
			doubtful = append(doubtful, info.Name)
		}
	}
	return names, doubtful
}

// endsIn tells whether the last parts of a name are one of those listed.
func endsIn(name string, endings []string) bool {
	return slices.ContainsFunc(endings, func(e string) bool {
		front, ok := strings.CutSuffix(name, e)
		return ok && (front == "" || strings.HasSuffix(front, "."))
	})
}

// VocabSize is the number of rows that config.json gives: the vocab_size of the text part of a composed model, or the model's own.
// 0 means that it gives none.
func VocabSize(config []byte) (int, error) {
	if len(config) == 0 {
		return 0, nil
	}
	fields, err := parseObject(config)
	if err != nil {
		return 0, err
	}
	value, ok := fields.get("vocab_size")
	if part, composed := fields.get("text_config"); composed && part[0] == '{' {
		text, err := parseObject(part)
		if err != nil {
			return 0, err
		}
		if own, given := text.get("vocab_size"); given {
			value, ok = own, true
		}
	}
	if !ok {
		return 0, nil
	}
	var n int32
	if err := json.Unmarshal(value, &n); err != nil || n < 0 {
		return 0, invalid("vocab_size %s, want a whole number in [0, 2^31)", value)
	}
	return int(n), nil
}
