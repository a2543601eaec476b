package tokenizer

import (
	"bytes"
	"encoding/json"
	"maps"
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

// add takes a token in as Hugging Face's tokenizers do. One that the vocabulary has becomes an added token with the id it has
// there; another gets the id after the last added token's, or the number of the model's own tokens if that is more. In a
// vocabulary with gaps that id can be another token's already: apart then takes the id after the last one. The model's own
// vocabulary gets it too, with all other added tokens, which pins their ids for whoever loads the file.
func (t *Tokenizer) add(a Added, apart bool) {
	if a.Content == "" {
		return
	}
	id, known := t.ID(a.Content)
	if at, ok := t.added[a.Content]; ok && t.settings[at] == a {
		return
	}
	if !known {
		id = max(t.size, t.last+1)
		if apart && id <= t.top {
			id = t.top + 1
			t.added[a.Content] = id
			maps.Copy(t.vocab, t.added)
			t.size = len(t.vocab)
		}
	}
	t.added[a.Content] = id
	t.settings[id] = a
	t.last, t.top = max(t.last, id), max(t.top, id)
	t.changed = true
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
