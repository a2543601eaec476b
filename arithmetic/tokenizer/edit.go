package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (t *Tokenizer) clone() *Tokenizer {
	c := *t
	c.vocab, c.added, c.settings = maps.Clone(t.vocab), maps.Clone(t.added), maps.Clone(t.settings)
	return &c
}

// cut returns the tokenizer without the tokens whose ids are not below size, which are then not in the files either: neither in
// the vocabulary, nor in merges that make or need them.
func (t *Tokenizer) cut(size int) (*Tokenizer, error) {
	if t.top < size {
		return t, nil
	}
	c := *t
	c.vocab, c.added, c.settings = make(map[string]int), make(map[string]int), make(map[int]Added)
	c.last, c.top, c.changed = -1, -1, true
	if t.kind == "Unigram" {
		c.setPieces(t.pieces[:min(size, len(t.pieces))])
	} else {
		for token, id := range t.vocab {
			if id < size {
				c.vocab[token] = id
				c.top = max(c.top, id)
			}
		}
		c.size = len(c.vocab)
	}
	for _, e := range t.addedByID() {
		if e.ID < size {
			c.set(t.settings[e.ID], e.ID)
		}
	}
	if t.kind != "BPE" {
		return &c, nil
	}
	merges, err := c.keptMerges()
	if err != nil {
		return nil, err
	}
	if merges != nil {
		c.model = c.model.with("merges", merges)
	}
	return &c, nil
}

// keptMerges are the merges of a BPE model whose three tokens the vocabulary has, nil where it has no list.
func (t *Tokenizer) keptMerges() (json.RawMessage, error) {
	text, ok := t.model.get("merges")
	if !ok {
		return nil, nil
	}
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: model: merges: %w", mainFile, malformed(err))
	}
	continuing := t.model.text("continuing_subword_prefix")
	var b bytes.Buffer
	for _, item := range all {
		left, right, err := parseMerge(item)
		if err != nil {
			return nil, err
		}
		kept := true
		for _, token := range []string{left, right, left + strings.TrimPrefix(right, continuing)} {
			_, ok := t.vocab[token]
			kept = kept && ok
		}
		if kept {
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			b.Write(item)
		}
	}
	return slices.Concat([]byte("["), b.Bytes(), []byte("]")), nil
}

// parseMerge reads "left right" or ["left", "right"].
func parseMerge(item json.RawMessage) (left, right string, err error) {
	var pair []string
	var text string
	if json.Unmarshal(item, &text) == nil {
		pair = strings.Split(text, " ")
	} else if err := json.Unmarshal(item, &pair); err != nil {
		return "", "", fmt.Errorf("%s: model: merges: %w", mainFile, malformed(err))
	}
	if len(pair) != 2 {
		return "", "", fmt.Errorf("%s: model: %w", mainFile, invalid("merge %s, want two tokens", item))
	}
	return pair[0], pair[1], nil
}
