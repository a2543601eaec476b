package mergekit

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// The models of package tokenizer's goldens: chat was taught two tokens more than base.
func vocabularyBench(t *testing.T) bench {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "tokenizer", "testdata", "models"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	return bench{t}
}

const vocabularies = "merge_method: linear\nbase_model: base\nmodels: [{model: base, parameters: {weight: 1}}, {model: chat, parameters: {weight: 1}}]\n"

func TestVocabularies(t *testing.T) {
	b := vocabularyBench(t)
	for _, c := range []struct {
		name, recipe string
		rows         int
	}{
		{"union", "tokenizer: {source: union}", 10},
		{"legacy union", "tokenizer_source: union", 10},
		{"base", "tokenizer_source: base", 8},
		{"a model", "tokenizer: {source: chat}", 10},
		{"padded", "tokenizer: {source: union, pad_to_multiple_of: 8}", 16},
		{"new tokens in the recipe's order", "tokenizer: {source: base, tokens: {zz: {source: {kind: zero}}, aa: {source: {kind: model_token, model: chat, token: abc}}}}", 10},
		{"a model that is not merged", "tokenizer: {source: third}", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench{t}
			p := b.compile(vocabularies+c.recipe, Options{})
			head, ok := checkpoint.Find(p.Merge(), "lm_head.weight")
			if !ok || c.rows > 0 && head.Shape[0] != c.rows {
				t.Errorf("the head has shape %d, want %d rows", head.Shape, c.rows)
			}
			if c.rows > 0 && !strings.Contains(string(p.Config()), `"vocab_size": `+map[int]string{8: "8", 10: "10", 16: "16"}[c.rows]) {
				t.Errorf("config %s", p.Config())
			}
			files, err := p.SideFiles()
			b.must(err)
			found := false
			for _, f := range files {
				found = found || f.Name == "tokenizer.json"
			}
			if !found {
				t.Error("no tokenizer.json")
			}
		})
	}
	// A token that the base lacks gets the other's row for both, so the average is that row.
	p := b.compile(vocabularies+"tokenizer: {source: union}", Options{})
	chat, err := checkpoint.Open("chat")
	b.must(err)
	defer chat.Close()
	want, err := checkpoint.ReadAll(chat, "lm_head.weight")
	b.must(err)
	got, err := checkpoint.ReadAll(p.Merge(), "lm_head.weight")
	b.must(err)
	if w := len(want) / 10; got[8*w] != want[8*w] || got[9*w+1] != want[9*w+1] {
		t.Errorf("new rows %v, want chat's %v", got[8*w:], want[8*w:])
	}
}

func TestVocabularyErrors(t *testing.T) {
	b := vocabularyBench(t)
	for recipe, says := range map[string]string{
		"tokenizer: {source: union, pad_to_multiple_of: -1}":    "pad_to_multiple_of",
		"tokenizer: {source: union, tokens: {x: {forced: 1}}}":  `unknown key "forced" (did you mean "force"?)`,
		"tokenizer: {tokens: {x: {source: {kind: random}}}}":    "want zero or model_token",
		"tokenizer: {source: union}\ntokenizer_source: union":   "exclude each other",
		"tokenizer: {tokens: {x: {source: nowhere, force: 1}}}": "true or false",
	} {
		if err := b.fail(vocabularies+recipe, Options{}); !errors.Is(err, ErrRecipe) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", recipe, err, says)
		}
	}
}

func TestChatTemplates(t *testing.T) {
	b := vocabularyBench(t)
	for setting, says := range map[string]string{"chatml": "<|im_start|>", `"{% for m in messages %}{{ m.content }}{% endfor %}"`: "m.content"} {
		p := b.compile(vocabularies+"tokenizer_source: union\nchat_template: "+setting, Options{})
		files, err := p.SideFiles()
		b.must(err)
		found := false
		for _, f := range files {
			found = found || f.Name == "chat_template.jinja" && strings.Contains(string(f.Data), says)
		}
		if !found {
			t.Errorf("%s: no such template among the files", setting)
		}
	}
	p := b.compile(vocabularies+"tokenizer_source: union\nchat_template: mystery", Options{})
	if _, err := p.SideFiles(); !errors.Is(err, ErrRecipe) {
		t.Errorf("an unknown template: %v", err)
	}
}
