package mergekit

import (
	"errors"
	"fmt"

	"syncretic/checkpoint/recipe"
)

// ErrRecipe is wrapped by every error about a recipe itself: its keys, its values, and what it asks of a method.
var ErrRecipe = errors.New("wrong recipe")

func wrong(format string, args ...any) error {
	return &recipeError{fmt.Sprintf(format, args...)}
}

// recipeError is an ErrRecipe whose message says only what is wrong.
type recipeError struct{ text string }

func (e *recipeError) Error() string        { return e.text }
func (e *recipeError) Is(target error) bool { return target == ErrRecipe }

// Recipe is one YAML document.
type Recipe struct {
	Name   string `yaml:"name"` // other documents of the file use it as a model
	Method string `yaml:"merge_method"`
	Base   *Ref   `yaml:"base_model"`

	// Exactly one of these. Modules is accepted with one module, which then is the model.
	Models  []Model           `yaml:"models"`
	Slices  []Slice           `yaml:"slices"`
	Modules map[string]Module `yaml:"modules"`

	Parameters Settings `yaml:"parameters"`

	DType    string `yaml:"dtype"`
	OutDType string `yaml:"out_dtype"`

	TokenizerSource *Ref       `yaml:"tokenizer_source"`
	Tokenizer       *Tokenizer `yaml:"tokenizer"`
	ChatTemplate    string     `yaml:"chat_template"`
}

// Model is one input of a merge of whole models. Statistics names a safetensors file of Fisher information or Gram matrices,
// for the methods that need one; mergekit does not have it.
type Model struct {
	Model      Ref      `yaml:"model"`
	Parameters Settings `yaml:"parameters"`
	Statistics string   `yaml:"statistics"`
}

// Slice is a run of output layers, made from as many layers of each source.
type Slice struct {
	Sources        []Source `yaml:"sources"`
	Base           *Ref     `yaml:"base_model"`
	ResidualWeight *float64 `yaml:"residual_weight"` // refused: mergekit reads it and does nothing with it
	Parameters     Settings `yaml:"parameters"`
}

// Source is a run of layers [from, to) of a model.
type Source struct {
	Model      Ref      `yaml:"model"`
	LayerRange []int    `yaml:"layer_range"`
	Parameters Settings `yaml:"parameters"`
}

// Module is a part of a model with merges of its own.
type Module struct {
	Models     []Model  `yaml:"models"`
	Slices     []Slice  `yaml:"slices"`
	Parameters Settings `yaml:"parameters"`
}

// Tokenizer is the vocabulary of the output.
type Tokenizer struct {
	Source          *Ref   `yaml:"source"`
	Tokens          Tokens `yaml:"tokens"`
	PadToMultipleOf int    `yaml:"pad_to_multiple_of"`
}

// Tokens are tokens with rules of their own, in the order of the recipe: new ones get ids in that order.
type Tokens struct {
	Order []string
	Rules map[string]*Token
}

// UnmarshalYAML reads a mapping from tokens to rules.
func (t *Tokens) UnmarshalYAML(unmarshal func(any) error) error {
	if err := unmarshal(&t.Rules); err != nil {
		return err
	}
	return unmarshal((*recipe.Keys)(&t.Order))
}

// Token says where one token's embedding comes from.
type Token struct {
	Source TokenSource `yaml:"source"`
	Force  bool        `yaml:"force"`
}

// TokenSource is a model, or one of mergekit's kinds.
type TokenSource struct {
	Model   *Ref   // of the plain form
	Kind    string // "model_token", "zero" or ""
	From    *Ref   // of kind model_token
	Token   string
	TokenID *int
}

// UnmarshalYAML reads `source: model` and `source: {kind: ..., ...}`.
func (s *TokenSource) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if unmarshal(&text) == nil {
		s.Model = &Ref{Text: text}
		return nil
	}
	var form struct {
		Kind    string `yaml:"kind"`
		Model   *Ref   `yaml:"model"`
		Token   string `yaml:"token"`
		TokenID *int   `yaml:"token_id"`
	}
	if err := unmarshal(&form); err != nil {
		return err
	}
	switch {
	case form.Kind != "zero" && form.Kind != "model_token":
		return fmt.Errorf("token source of kind %q, want zero or model_token", form.Kind)
	case form.Kind == "model_token" && (form.Model == nil || (form.Token == "") == (form.TokenID == nil)):
		return errors.New("token source of kind model_token: want model, and one of token and token_id")
	}
	*s = TokenSource{Kind: form.Kind, From: form.Model, Token: form.Token, TokenID: form.TokenID}
	return nil
}

// Parse reads the documents of a recipe file. Names are unique, and at most one document has none.
func Parse(text []byte) ([]*Recipe, error) {
	all, err := recipe.DecodeAll[Recipe](text)
	if err != nil {
		return nil, wrong("%v", err)
	}
	seen := make(map[string]bool)
	for i, r := range all {
		if seen[r.Name] {
			if r.Name == "" {
				return nil, wrong("document %d: a second document without a name", i+1)
			}
			return nil, wrong("document %d: the name %q is taken", i+1, r.Name)
		}
		seen[r.Name] = true
		if err := r.check(); err != nil {
			return nil, r.within(err)
		}
	}
	return all, nil
}

// within puts the document's name before an error.
func (r *Recipe) within(err error) error {
	if r.Name == "" || err == nil {
		return err
	}
	return fmt.Errorf("%s: %w", r.Name, err)
}

// check finds what is wrong with the document's shape, and turns a module into the model it is.
func (r *Recipe) check() error {
	if r.Modules != nil && r.Models == nil && r.Slices == nil {
		if len(r.Modules) != 1 {
			return wrong("modules: %d of them; only models of one module merge: use models or slices", len(r.Modules))
		}
		for name, m := range r.Modules {
			if m.Parameters != nil {
				return wrong("modules: %s: give its parameters at the top", name)
			}
			r.Models, r.Slices, r.Modules = m.Models, m.Slices, nil
		}
	}
	switch {
	case r.Method == "":
		return wrong("merge_method is missing")
	case (len(r.Models) > 0) == (len(r.Slices) > 0) || r.Modules != nil:
		return wrong("want either models or slices")
	case r.Tokenizer != nil && r.TokenizerSource != nil:
		return wrong("tokenizer and tokenizer_source exclude each other")
	}
	for i, s := range r.Slices {
		if s.ResidualWeight != nil {
			return wrong("slice %d: residual_weight has no effect in mergekit, and is not accepted here", i+1)
		}
		if len(s.Sources) == 0 {
			return wrong("slice %d: no sources", i+1)
		}
		for _, src := range s.Sources {
			if len(src.LayerRange) != 2 || src.LayerRange[0] < 0 || src.LayerRange[1] < src.LayerRange[0] {
				return wrong("slice %d: %s: layer_range %v, want [from, to)", i+1, src.Model, src.LayerRange)
			}
			if n, want := src.LayerRange[1]-src.LayerRange[0], s.Sources[0].LayerRange[1]-s.Sources[0].LayerRange[0]; n != want {
				return wrong("slice %d: %s: %d layers, but %s has %d: sources of a slice have the same number", i+1, src.Model, n, s.Sources[0].Model, want)
			}
		}
	}
	return nil
}
