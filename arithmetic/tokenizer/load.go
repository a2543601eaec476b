package tokenizer

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// The files that a tokenizer is made of. The first three are read for what they say; the others go with it.
const (
	mainFile   = "tokenizer.json"
	configFile = "tokenizer_config.json"
	mapFile    = "special_tokens_map.json"
	addedFile  = "added_tokens.json"
	chatFile   = "chat_template.jinja"
)

// slowFiles hold vocabularies for tools that do not read tokenizer.json.
func slowFiles() []string {
	return []string{"tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "merges.txt", "vocab.txt", "tekken.json"}
}

// Tokenizer is a vocabulary and the files it is from. It does not change.
type Tokenizer struct {
	files map[string][]byte

	doc, model object // tokenizer.json, and the part of it that has the vocabulary
	kind       string // BPE, Unigram, WordLevel or WordPiece
	vocab      map[string]int
	pieces     []piece // Unigram's vocabulary, whose ids are places in the list
	size       int     // how many tokens the model has, as tokenizers counts them

	added    map[string]int
	settings map[int]Added
	last     int // the largest id of an added token, -1 for none
	top      int // the largest id, -1 for none

	config, names object // tokenizer_config.json and special_tokens_map.json, nil where there is none
	changed       bool   // since it was loaded
}

// Load reads a tokenizer from the files of a model's directory. files returns one by name, with an error that wraps fs.ErrNotExist
// where there is none, as [checkpoint.Model.SideFile] does.
//
// Ids are those that Hugging Face's tools arrive at: an added token that the model's own vocabulary has takes its id there, the
// others follow the model's last, in the order of the file and whatever ids it gives them; then come the tokens that only
// tokenizer_config.json, special_tokens_map.json or added_tokens.json name. Settings that only exist as defaults of a Python
// class are not known here.
//
// It is strict where those tools guess: a key twice, an id that is not a whole number in [0, 2^30) and text that is not UTF-8
// are errors. Memory is proportional to the files, never to an id.
func Load(files func(name string) ([]byte, error)) (*Tokenizer, error) {
	t := &Tokenizer{files: make(map[string][]byte), last: -1, top: -1, added: make(map[string]int), settings: make(map[int]Added)}
	for _, name := range append([]string{mainFile, configFile, mapFile, addedFile, chatFile}, slowFiles()...) {
		data, err := files(name)
		switch {
		case err == nil:
			t.files[name] = data
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	text, ok := t.files[mainFile]
	if !ok {
		return nil, t.missing()
	}
	if err := t.parse(text); err != nil {
		return nil, fmt.Errorf("%s: %w", mainFile, err)
	}
	for _, part := range []struct {
		name string
		dst  *object
	}{{configFile, &t.config}, {mapFile, &t.names}} {
		text, ok := t.files[part.name]
		if !ok {
			continue
		}
		err := checkText(text)
		if err == nil {
			*part.dst, err = parseObject(text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if err := t.addFromConfig(); err != nil {
		return nil, err
	}
	t.changed = false // by what the files themselves say
	return t, nil
}

// missing says what to do about a directory without tokenizer.json. One with a vocabulary of another form is an invalid input: it has
// a tokenizer, which must not be taken for none.
func (t *Tokenizer) missing() error {
	const cure = "make it with transformers: AutoTokenizer.from_pretrained(DIR, use_fast=True).save_pretrained(DIR)"
	for _, name := range slowFiles() {
		if _, ok := t.files[name]; ok {
			return invalid("%s is missing, there is only %s: %s", mainFile, name, cure)
		}
	}
	return fmt.Errorf("%s is missing: %s: %w", mainFile, cure, fs.ErrNotExist)
}

// Entry is one token with its id.
type Entry struct {
	Token string
	ID    int
}

// Vocabulary lists all tokens, the added ones among them, in the order of their ids.
func (t *Tokenizer) Vocabulary() []Entry {
	list := make([]Entry, 0, len(t.vocab)+len(t.added))
	for token, id := range t.vocab {
		if at, ok := t.added[token]; ok {
			id = at
		}
		list = append(list, Entry{token, id})
	}
	for token, id := range t.added {
		if _, ok := t.vocab[token]; !ok {
			list = append(list, Entry{token, id})
		}
	}
	slices.SortFunc(list, byID)
	return list
}

// ID is a token's id, if the vocabulary has it.
func (t *Tokenizer) ID(token string) (int, bool) {
	if id, ok := t.added[token]; ok {
		return id, true
	}
	id, ok := t.vocab[token]
	return id, ok
}

// Added lists the added tokens with their settings, in the order of their ids.
func (t *Tokenizer) Added() []Added {
	list := make([]Added, 0, len(t.settings))
	for _, e := range t.addedByID() {
		list = append(list, t.settings[e.ID])
	}
	return list
}
