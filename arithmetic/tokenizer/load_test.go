package tokenizer

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

func file(name, text string) checkpoint.SideFile {
	return checkpoint.SideFile{Name: name, Data: []byte(text)}
}

const small = `{"added_tokens":[{"id":9,"content":"<s>","special":true,"normalized":false}],
	"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}`

func TestLoadRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "malformed JSON"},
		{"list", "[]", "want an object"},
		{"cut", small[:len(small)-4], "malformed JSON"},
		{"more", small + "{}", "2 bytes after the object"},
		{"no model", `{"added_tokens":[]}`, "no model"},
		{"model of another kind", `{"model":{"type":"Neural","vocab":{}}}`, `type "Neural"`},
		{"no vocab", `{"model":{"type":"BPE"}}`, "no vocab"},
		{"vocab null", `{"model":{"type":"BPE","vocab":null}}`, "no vocab"},
		{"vocab a list", `{"model":{"type":"BPE","vocab":["a"]}}`, "want an object"},
		{"pieces an object", `{"model":{"type":"Unigram","vocab":{"a":1}}}`, "want a list"},
		{"piece without score", `{"model":{"type":"Unigram","vocab":[["a"]]}}`, "piece 0"},
		{"piece of three", `{"model":{"type":"Unigram","vocab":[["a",0,1]]}}`, "piece 0"},
		{"piece without token", `{"model":{"type":"Unigram","vocab":[[null,0]]}}`, "piece 0"},
		{"score a string", `{"model":{"type":"Unigram","vocab":[["a","x"]]}}`, "want a number"},
		{"negative id", `{"model":{"type":"BPE","vocab":{"a":-1}}}`, `token "a": id -1`},
		{"huge id", `{"model":{"type":"BPE","vocab":{"a":1099511627776}}}`, `token "a": id 1099511627776`},
		{"fraction", `{"model":{"type":"BPE","vocab":{"a":1.5}}}`, `token "a": id 1.5`},
		{"exponent", `{"model":{"type":"BPE","vocab":{"a":1e3}}}`, `token "a": id 1e3`},
		{"id a string", `{"model":{"type":"BPE","vocab":{"a":"1"}}}`, `token "a": want a number as its id`},
		{"id a list", `{"model":{"type":"BPE","vocab":{"a":[1]}}}`, `token "a": want a number as its id`},
		{"id with a sign", `{"model":{"type":"BPE","vocab":{"a":1,"b":-0}}}`, `token "b": id -0`},
		{"token twice", `{"model":{"type":"BPE","vocab":{"a":0,"a":1}}}`, `token "a" twice`},
		{"token twice, escaped", `{"model":{"type":"BPE","vocab":{"a":0,"\u0061":1}}}`, `token "a" twice`},
		{"key twice", `{"model":{"vocab":{}},"model":{"vocab":{}}}`, `key "model" twice`},
		{"not UTF-8", "{\"model\":{\"vocab\":{\"\xff\":0}}}", "not valid UTF-8"},
		{"half a surrogate", `{"model":{"vocab":{"\ud800":0}}}`, "half of a surrogate"},
		{"other half", `{"model":{"vocab":{"\udc00":0}}}`, "half of a surrogate"},
		{"added tokens an object", `{"added_tokens":{},"model":{"vocab":{}}}`, "added_tokens"},
		{"added token a number", `{"added_tokens":[1],"model":{"vocab":{}}}`, "added_tokens: 0: "},
		{"flag a number", `{"added_tokens":[{"content":"x","special":1}],"model":{"vocab":{}}}`, "special: want true or false"},
	} {
		_, err := Load(inMemory(file(mainFile, test.text)))
		if !errors.Is(err, checkpoint.ErrInvalid) || !strings.HasPrefix(err.Error(), mainFile+": ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

func TestLoadRefusesBeside(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{configFile, `[]`, "want an object"},
		{configFile, `{"bos_token":"\ud800"}`, "half of a surrogate"},
		{configFile, `{"bos_token":5}`, "bos_token"},
		{configFile, `{"extra_special_tokens":5}`, "extra_special_tokens"},
		{configFile, `{"extra_special_tokens":[5]}`, "extra_special_tokens"},
		{configFile, `{"added_tokens_decoder":[]}`, "added_tokens_decoder"},
		{configFile, `{"added_tokens_decoder":{"x":{"content":"y"}}}`, "id x"},
		{configFile, `{"added_tokens_decoder":{"1099511627776":{"content":"y"}}}`, "id 1099511627776"},
		{mapFile, `{"a":1,"a":2}`, `key "a" twice`},
		{addedFile, `{"x":-1}`, "id -1"},
		{addedFile, `{"x":{}}`, "id {}"},
		{addedFile, "\xff", "not valid UTF-8"},
	} {
		_, err := Load(inMemory(file(mainFile, small), file(test.name, test.text)))
		if !errors.Is(err, checkpoint.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: %v, want %s", test.name, test.text, err, test.want)
		}
	}
}

func TestLoadWithoutMainFile(t *testing.T) {
	for _, test := range []struct {
		name, want string
		is         error
	}{
		{"tokenizer.model", "tokenizer.json is missing, there is only tokenizer.model: make it with transformers", checkpoint.ErrInvalid},
		{"vocab.json", "there is only vocab.json", checkpoint.ErrInvalid},
		{"README.md", "tokenizer.json is missing: make it with transformers", fs.ErrNotExist},
	} {
		_, err := Load(inMemory(file(test.name, "{}")))
		if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := Load(func(string) ([]byte, error) { return nil, errDisk }); !errors.Is(err, errDisk) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// TestLoadOldFiles: files of early versions do not say what their model is.
func TestLoadOldFiles(t *testing.T) {
	for _, test := range []struct{ kind, model string }{
		{"Unigram", `{"vocab":[["a",0]]}`},
		{"BPE", `{"vocab":{"a":0},"merges":[]}`},
		{"WordPiece", `{"vocab":{"a":0},"max_input_chars_per_word":100}`},
		{"WordLevel", `{"vocab":{"a":0}}`},
	} {
		tok, err := Load(inMemory(file(mainFile, `{"model":`+test.model+`}`)))
		if err != nil || tok.kind != test.kind || !slices.Equal(tok.Vocabulary(), []Entry{{"a", 0}}) {
			t.Errorf("%s: %v, want %s", test.model, err, test.kind)
		}
	}
}

// TestFilesUnchanged: what does not change is not written anew, and stale files of what does are left out.
func TestFilesUnchanged(t *testing.T) {
	slow := file("tokenizer.model", "a sentencepiece model")
	tok, err := Load(inMemory(file(mainFile, small), slow, file(configFile, `{"bos_token": "<s>"}`)))
	if err != nil {
		t.Fatal(err)
	}
	models := []Model{{Name: "a", Tokenizer: tok}}
	for _, test := range []struct {
		cfg  Config
		want []string
	}{
		{Config{Source: SourceBase}, []string{mainFile, "tokenizer.model", configFile}},
		{Config{}, []string{mainFile, "tokenizer.model", configFile}},
		{Config{Tokens: []Token{{Text: "new", Source: FromZero()}}}, []string{mainFile, configFile}},
	} {
		m, err := Build(models, 0, test.cfg)
		if err != nil {
			t.Fatal(err)
		}
		files, err := m.Files()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, f.Name)
			if len(test.cfg.Tokens) == 0 && f.Name == mainFile && string(f.Data) != small {
				t.Errorf("%+v: tokenizer.json was written anew", test.cfg)
			}
		}
		slices.Sort(test.want)
		if !slices.Equal(names, test.want) {
			t.Errorf("%+v: %q, want %q", test.cfg, names, test.want)
		}
	}
}

// FuzzLoad: no text makes Load or what follows panic or allocate by an id; what it accepts can be written and read again.
func FuzzLoad(f *testing.F) {
	names, err := os.ReadDir("testdata/models")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		config, err := os.ReadFile("testdata/models/" + name.Name() + "/" + configFile)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(read(f, "testdata/models/"+name.Name()+"/"+mainFile), config, 5)
	}
	f.Add([]byte(`{"model":{"type":"WordLevel","vocab":{"a":1073741823,"b":0,"c":7}}}`), []byte(`{}`), 3)
	f.Add([]byte(`{"model":{"type":"Unigram","vocab":[["a",0],["a",1],["b",2]]}}`), []byte(`{"pad_token":"b","extra_special_tokens":{"x_token":"q"}}`), 2)
	f.Fuzz(func(t *testing.T, text, config []byte, rows int) {
		tok, err := Load(inMemory(checkpoint.SideFile{Name: mainFile, Data: text}, checkpoint.SideFile{Name: configFile, Data: config}))
		if err != nil {
			return
		}
		other, err := Load(inMemory(file(mainFile, small)))
		if err != nil {
			t.Fatal(err)
		}
		models := []Model{{Name: "a", Tokenizer: tok, VocabSize: rows}, {Name: "b", Tokenizer: other}}
		m, err := Build(models, 0, Config{Tokens: []Token{{Text: "new", Source: FromZero()}}})
		if err != nil {
			return // merges that cannot be read
		}
		files, err := m.Files()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := Load(inMemory(files...))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if tok.top < len(tok.vocab)+len(tok.added) { // ids that two tokens share already are told apart by nobody
			for _, e := range m.Vocabulary() {
				if _, ok := again.ID(e.Token); !ok {
					t.Errorf("%q is lost", e.Token)
				}
			}
		}
		if _, err := m.Align([]Input{{0, weights(t, 1, "w", 8, 2), "w"}, {1, weights(t, 2, "w", 8, 2), "w"}}, 0); err != nil {
			return
		}
		if m.Size() > 8+len(m.tokens) {
			t.Errorf("%d rows for %d tokens", m.Size(), len(m.tokens))
		}
	})
}

// TestQuote: strings survive being written, those that HTML or JavaScript would have escaped too.
func TestQuote(t *testing.T) {
	for _, s := range []string{"", "<|im_start|>", "a&b", "\"\\\n\x00", "\u2028", "▁Ġ😀", "\ufffd"} {
		var got string
		if err := json.Unmarshal(quote(s), &got); err != nil || got != s {
			t.Errorf("%q: %s reads as %q (%v)", s, quote(s), got, err)
		}
	}
	if got := string(quote("<s>")); got != `"<s>"` {
		t.Errorf("<s> is written %s", got)
	}
}
