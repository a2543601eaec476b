package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// piece is a token of a Unigram vocabulary. The score stays as it is written.
type piece struct {
	token string
	score json.RawMessage
}

// idBits bounds ids, so that those of tokens that are added behind them fit 32 bits.
const idBits = 30

// parse reads tokenizer.json.
func (t *Tokenizer) parse(text []byte) error {
	err := checkText(text)
	if err != nil {
		return err
	}
	if t.doc, err = parseObject(text); err != nil {
		return err
	}
	model, ok := t.doc.get("model")
	if !ok {
		return invalid("no model")
	}
	if t.model, err = parseObject(model); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	vocab, ok := t.model.get("vocab")
	if !ok {
		return invalid("model: no vocab")
	}
	if t.kind, err = t.modelKind(vocab); err != nil {
		return err
	}
	if t.kind == "Unigram" {
		err = t.parsePieces(vocab)
	} else {
		err = t.parseVocab(vocab)
	}
	if err != nil {
		return fmt.Errorf("model: vocab: %w", err)
	}
	if err := t.parseAddedList(); err != nil {
		return fmt.Errorf("added_tokens: %w", err)
	}
	return nil
}

// modelKind is the model's type. Old files do not give it: what else they have tells it.
func (t *Tokenizer) modelKind(vocab json.RawMessage) (string, error) {
	kind := t.model.text("type")
	switch kind {
	case "BPE", "Unigram", "WordLevel", "WordPiece":
		return kind, nil
	case "":
	default:
		return "", invalid("model: type %q, want BPE, Unigram, WordLevel or WordPiece", kind)
	}
	if vocab[0] == '[' {
		return "Unigram", nil
	}
	if _, ok := t.model.get("merges"); ok {
		return "BPE", nil
	}
	if _, ok := t.model.get("max_input_chars_per_word"); ok {
		return "WordPiece", nil
	}
	return "WordLevel", nil
}

// parseVocab reads {token: id}. text is one JSON value, which the decoder has checked: what is scanned here ends where it must.
func (t *Tokenizer) parseVocab(text []byte) error {
	if text[0] != '{' {
		return invalid("want an object")
	}
	t.vocab = make(map[string]int)
	for at := 1; ; {
		at += leading(text[at:], " \t\r\n,")
		if text[at] == '}' {
			break
		}
		end := at + 1
		for text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		token := string(text[at+1 : end])
		if strings.Contains(token, `\`) {
			if err := json.Unmarshal(text[at:end+1], &token); err != nil {
				return malformed(err)
			}
		}
		at = end + 1
		at += leading(text[at:], " \t\r\n:")
		digits := leading(text[at:], "0123456789.eE+-")
		if digits == 0 {
			return invalid("token %q: want a number as its id", token)
		}
		id, err := strconv.ParseUint(string(text[at:at+digits]), 10, idBits)
		if err != nil {
			return invalid("token %q: id %s, want a whole number in [0, 2^%d)", token, text[at:at+digits], idBits)
		}
		at += digits
		if _, ok := t.vocab[token]; ok {
			return invalid("token %q twice", token)
		}
		t.vocab[token] = int(id)
		t.top = max(t.top, int(id))
	}
	t.size = len(t.vocab)
	return nil
}

// leading is how many of the first bytes are in set.
func leading(text []byte, set string) int {
	for i, c := range text {
		if strings.IndexByte(set, c) < 0 {
			return i
		}
	}
	return len(text)
}

// parsePieces reads [[token, score], ...]. Of a piece that is there twice the last counts, as in tokenizers.
func (t *Tokenizer) parsePieces(text []byte) error {
	var pieces []piece
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := expect(dec, '[', "a list"); err != nil {
		return err
	}
	for dec.More() {
		var p piece
		pair := []any{&p.token, &p.score}
		if err := dec.Decode(&pair); err != nil {
			return invalid("piece %d: want [token, score]: %v", len(pieces), err)
		}
		if len(pair) != 2 || pair[0] == nil {
			return invalid("piece %d: want [token, score]", len(pieces))
		}
		if _, err := strconv.ParseFloat(string(p.score), 64); err != nil {
			return invalid("piece %q: score %s, want a number", p.token, p.score)
		}
		pieces = append(pieces, p)
	}
	if err := expect(dec, ']', "the end of the list"); err != nil {
		return err
	}
	t.setPieces(pieces)
	return nil
}

func (t *Tokenizer) setPieces(pieces []piece) {
	t.pieces = pieces
	t.vocab = make(map[string]int, len(pieces))
	for i, p := range pieces {
		t.vocab[p.token] = i
	}
	t.size, t.top = len(pieces), len(pieces)-1
}

// parseAddedList reads tokenizer.json's added_tokens.
func (t *Tokenizer) parseAddedList() error {
	text, ok := t.doc.get("added_tokens")
	if !ok {
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return malformed(err)
	}
	var tokens []Added
	for i, item := range list {
		a, _, err := parseAdded(item, false)
		if err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
		tokens = append(tokens, a)
	}
	t.add(tokens...)
	return nil
}
