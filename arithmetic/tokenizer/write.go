package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"syncretic/checkpoint"
)

// write makes the tokenizer's files, sorted by name.
func (t *Tokenizer) write() ([]checkpoint.SideFile, error) {
	files := maps.Clone(t.files)
	if t.changed {
		for _, name := range append(slowFiles(), addedFile) { // they have the vocabulary before the change
			delete(files, name)
		}
		var err error
		if files[mainFile], err = t.writeMain(); err != nil {
			return nil, err
		}
		if t.config != nil {
			if files[configFile], err = t.writeConfig().indent(); err != nil {
				return nil, err
			}
		}
		if t.names != nil {
			if files[mapFile], err = t.known(t.names).indent(); err != nil {
				return nil, err
			}
		}
	}
	var list []checkpoint.SideFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		list = append(list, checkpoint.SideFile{Name: name, Data: files[name]})
	}
	return list, nil
}

// writeMain is tokenizer.json with the vocabulary, the merges and the added tokens that there are now.
func (t *Tokenizer) writeMain() ([]byte, error) {
	var vocab bytes.Buffer
	if t.kind == "Unigram" {
		vocab.WriteByte('[')
		for i, p := range t.pieces {
			if i > 0 {
				vocab.WriteByte(',')
			}
			fmt.Fprintf(&vocab, "[%s,%s]", quote(p.token), p.score)
		}
		vocab.WriteByte(']')
	} else {
		list := t.ownEntries()
		vocab.WriteByte('{')
		for i, e := range list {
			if i > 0 {
				vocab.WriteByte(',')
			}
			fmt.Fprintf(&vocab, "%s:%d", quote(e.Token), e.ID)
		}
		vocab.WriteByte('}')
	}
	var added bytes.Buffer
	added.WriteByte('[')
	for i, e := range t.addedByID() {
		if i > 0 {
			added.WriteByte(',')
		}
		settings := t.settings[e.ID].fields()
		added.Write(append(object{{"id", json.RawMessage(strconv.Itoa(e.ID))}}, settings...).encode())
	}
	added.WriteByte(']')
	model := t.model.with("vocab", vocab.Bytes()).encode()
	return t.doc.with("added_tokens", added.Bytes()).with("model", model).indent()
}

// ownEntries are the tokens of the model's own vocabulary, in the order of their ids. Where that has gaps the added tokens are among
// them: their own ids do not count for whoever loads the file, so that they would move into the gaps.
func (t *Tokenizer) ownEntries() []Entry {
	list := make([]Entry, 0, len(t.vocab))
	top := -1
	for token, id := range t.vocab {
		list = append(list, Entry{token, id})
		top = max(top, id)
	}
	if top >= len(t.vocab) {
		for token, id := range t.added {
			if _, ok := t.vocab[token]; !ok {
				list = append(list, Entry{token, id})
			}
		}
	}
	slices.SortFunc(list, byID)
	return list
}

// fields are the settings in the order that Hugging Face's tools write them in.
func (a Added) fields() object {
	flag := func(b bool) json.RawMessage { return json.RawMessage(strconv.FormatBool(b)) }
	return object{{"content", quote(a.Content)}, {"single_word", flag(a.SingleWord)}, {"lstrip", flag(a.LStrip)}, {"rstrip", flag(a.RStrip)},
		{"normalized", flag(a.Normalized)}, {"special", flag(a.Special)}}
}

// writeConfig is tokenizer_config.json with the added tokens that there are now, if it lists any, and without roles of tokens that
// were cut: whoever loads it would add those again, behind the last row.
func (t *Tokenizer) writeConfig() object {
	config := t.known(t.config)
	if _, ok := config.get("added_tokens_decoder"); !ok {
		return config
	}
	var decoder object
	for _, e := range t.addedByID() {
		decoder = append(decoder, field{strconv.Itoa(e.ID), t.settings[e.ID].fields().encode()})
	}
	return config.with("added_tokens_decoder", decoder.encode())
}

// known is a file that names special tokens, without those that the vocabulary does not have.
func (t *Tokenizer) known(file object) object {
	var kept object
	for _, f := range file {
		if slices.Contains(listNames(), f.key) {
			f.value = t.knownItems(f.value)
		} else if t.gone(f.key, f.value) {
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

// gone tells a role whose token the vocabulary does not have.
func (t *Tokenizer) gone(key string, value json.RawMessage) bool {
	if !isRole(key) || !namesToken(value) {
		return false
	}
	a, ok, err := parseAdded(value, true)
	if err != nil || !ok {
		return false
	}
	_, ok = t.ID(a.Content)
	return !ok
}

// knownItems is a list of tokens, or an object of them, without those that the vocabulary does not have.
func (t *Tokenizer) knownItems(value json.RawMessage) json.RawMessage {
	if value[0] == '{' {
		o, err := parseObject(value)
		if err != nil {
			return value
		}
		return slices.DeleteFunc(o, func(f field) bool { return t.gone("_token", f.value) }).encode()
	}
	items, err := listItems(value)
	if err != nil || items == nil {
		return value
	}
	items = slices.DeleteFunc(items, func(v json.RawMessage) bool { return t.gone("_token", v) })
	return slices.Concat([]byte("["), bytes.Join(raws(items), []byte(",")), []byte("]"))
}

func raws(items []json.RawMessage) [][]byte {
	list := make([][]byte, len(items))
	for i, item := range items {
		list[i] = item
	}
	return list
}
