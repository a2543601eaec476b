package tokenizer

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Added is a token that is found in the text before the tokenizer's model sees it.
type Added struct {
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// plain is a token added without settings, as Hugging Face's tools add a string: special ones are not normalised.
func plain(content string, special bool) Added {
	return Added{Content: content, Special: special, Normalized: !special}
}

// parseAdded reads an entry of tokenizer.json's added_tokens, whose id does not count (see [Load]), or a value that names a
// special token in the files beside it: a string, or an object with the settings. null and "" are no token.
func parseAdded(value json.RawMessage, special bool) (a Added, ok bool, err error) {
	value = bytes.TrimSpace(value)
	switch {
	case len(value) == 0 || string(value) == "null":
		return Added{}, false, nil
	case value[0] == '"':
		var content string
		if err := json.Unmarshal(value, &content); err != nil {
			return Added{}, false, malformed(err)
		}
		return plain(content, special), content != "", nil
	}
	fields, err := parseObject(value)
	if err != nil {
		return Added{}, false, err
	}
	a = plain(fields.text("content"), special)
	for _, flag := range []struct {
		key string
		dst *bool
	}{{"single_word", &a.SingleWord}, {"lstrip", &a.LStrip}, {"rstrip", &a.RStrip}, {"normalized", &a.Normalized}, {"special", &a.Special}} {
		if value, ok := fields.get(flag.key); ok {
			if err := json.Unmarshal(value, flag.dst); err != nil {
				return Added{}, false, invalid("added token %q: %s: want true or false", a.Content, flag.key)
			}
		}
	}
	return a, a.Content != "", nil
}

// add takes tokens in, as one call of Hugging Face's tokenizers does. Those that the vocabulary has become added tokens with the
// ids they have there; the others get the ids after the last added token's, or from the number of the model's own tokens on if
// that is more. In a vocabulary with gaps these can be ids of other tokens already.
func (t *Tokenizer) add(tokens ...Added) {
	next := max(t.size, t.last+1)
	for _, a := range tokens {
		id, known := t.ID(a.Content)
		if !known {
			id = next
		}
		if t.set(a, id) && !known {
			next++
		}
	}
}

// addApart takes in a token that is new to a vocabulary, with an id that no other token has.
func (t *Tokenizer) addApart(a Added) {
	id, known := t.ID(a.Content)
	if !known {
		id = max(t.size, t.last+1, t.top+1)
	}
	t.set(a, id)
}

// set makes a an added token, and tells whether that changed anything.
func (t *Tokenizer) set(a Added, id int) bool {
	if at, ok := t.added[a.Content]; a.Content == "" || ok && t.settings[at] == a {
		return false
	}
	t.added[a.Content] = id
	t.settings[id] = a
	t.last, t.top = max(t.last, id), max(t.top, id)
	t.changed = true
	return true
}

// addedByID lists the added tokens in the order of their ids.
func (t *Tokenizer) addedByID() []Entry {
	list := make([]Entry, 0, len(t.settings))
	for id, a := range t.settings {
		list = append(list, Entry{a.Content, id})
	}
	slices.SortFunc(list, byID)
	return list
}

func byID(a, b Entry) int {
	if a.ID != b.ID {
		return a.ID - b.ID
	}
	return strings.Compare(a.Token, b.Token)
}
