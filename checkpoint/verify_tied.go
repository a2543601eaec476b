package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// The names that language models give to their output layer, and to the embedding that it may share.
const headName = "lm_head.weight"

func embeddingNames() []string {
	return []string{"model.embed_tokens.weight", "transformer.wte.weight"}
}

// checkTied holds config.json's tie_word_embeddings, where it says something, against the tensors: a model that shares nothing
// has an output layer of its own, and one that shares has none, or the same.
func (v *verifier) checkTied() {
	if v.dir == "" {
		return
	}
	path := filepath.Join(v.dir, "config.json")
	text, err := readSmall(path)
	if err != nil {
		return // not every model has one, and not every reader needs it
	}
	var config struct {
		Tie           *bool    `json:"tie_word_embeddings"`
		Architectures []string `json:"architectures"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		v.Broken = append(v.Broken, Broken{Rule: RuleJSON, Message: fmt.Sprintf("%s: %v", path, err)})
		return
	}
	if config.Tie == nil || len(config.Architectures) == 0 || !strings.HasSuffix(config.Architectures[0], "ForCausalLM") {
		return
	}
	head, embedding := v.find(headName), (*Model)(nil)
	var name string
	for _, name = range embeddingNames() {
		if embedding = v.find(name); embedding != nil {
			break
		}
	}
	switch {
	case embedding == nil:
	case !*config.Tie && head == nil:
		v.Broken = append(v.Broken, Broken{RuleTiedWeights, headName, fmt.Sprintf("%s: tie_word_embeddings is false, but there is no %s", path, headName)})
	case *config.Tie && head != nil && !sameTensor(head, headName, embedding, name):
		v.Broken = append(v.Broken, Broken{RuleTiedWeights, headName, fmt.Sprintf("%s: tie_word_embeddings is true, but %s differs from %s", path, headName, name)})
	}
}

// find is the file that has a tensor, nil if none has.
func (v *verifier) find(name string) *Model {
	for _, m := range v.models {
		if _, ok := Find(m, name); ok {
			return m
		}
	}
	return nil
}

// sameTensor tells whether two tensors have the same type, shape and bytes. What cannot be read was noted before.
func sameTensor(a *Model, nameA string, b *Model, nameB string) (same bool) {
	var err error
	defer catchFault(a.Path(), debug.SetPanicOnFault(true), &err)
	infoA, _ := Find(a, nameA)
	infoB, _ := Find(b, nameB)
	if infoA.DType != infoB.DType || !slices.Equal(infoA.Shape, infoB.Shape) {
		return false
	}
	var left, right buffers
	for n, lo := infoA.Elements(), 0; lo < n; lo += blockElements {
		x, errX := left.block(a, infoA, infoA.DType, lo, min(lo+blockElements, n))
		y, errY := right.block(b, infoB, infoB.DType, lo, min(lo+blockElements, n))
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			return false
		}
	}
	return true
}
