package mergekit

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"syncretic/arithmetic/method"
	"syncretic/arithmetic/tokenizer"
	"syncretic/checkpoint"
)

// vocabulary is the output's, and aligns the tensors that have a row a token.
type vocabulary struct {
	merged  *tokenizer.Merged
	models  []*input
	tensors map[string]bool // by name in the output
}

// readVocabulary decides the output's vocabulary, where the recipe asks for one.
func (m *merging) readVocabulary() error {
	cfg, err := m.vocabularyConfig()
	if cfg == nil || err != nil {
		return err
	}
	v := &vocabulary{tensors: make(map[string]bool)}
	base := -1
	var models []tokenizer.Model
	for _, s := range m.slices {
		for i, src := range s.sources {
			if slices.Contains(v.models, src.input) {
				continue
			}
			if i == s.origin {
				base = len(models)
			}
			model, err := m.readTokenizer(src.input, v)
			if err != nil {
				return err
			}
			models = append(models, model)
		}
	}
	if aside := cfg.Source; aside != "" && aside != tokenizer.SourceUnion && aside != tokenizer.SourceBase && !slices.ContainsFunc(models, func(o tokenizer.Model) bool { return o.Name == aside }) {
		in, err := m.openRef(Ref{Text: aside})
		if err != nil {
			return err
		}
		model, err := m.readTokenizer(in, v)
		if err != nil {
			return err
		}
		model.Aside = true
		models = append(models, model)
	}
	if v.merged, err = tokenizer.Build(models, base, *cfg); err != nil {
		return vocabularyError(err)
	}
	m.plan.Notes = append(m.plan.Notes, v.merged.Notes()...)
	m.vocab = v
	return nil
}

// readTokenizer reads one model's vocabulary, and notes which of its tensors have a row a token.
func (m *merging) readTokenizer(in *input, v *vocabulary) (tokenizer.Model, error) {
	tok, err := tokenizer.Load(in.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tokenizer.Model{}, fmt.Errorf("%s: %w", in.name, err)
	}
	size, err := tokenizer.VocabSize(in.config)
	if err != nil {
		return tokenizer.Model{}, fmt.Errorf("%s: config.json: %w", in.name, err)
	}
	names, doubtful := tokenizer.Tensors(in.src.Tensors(), size)
	for _, name := range names {
		v.tensors[name] = true
	}
	for _, name := range doubtful {
		m.note("%s: tensor %q has as many rows or columns as there are tokens, and is not aligned", in.name, name)
	}
	v.models = append(v.models, in)
	return tokenizer.Model{Name: in.name, Tokenizer: tok, VocabSize: size}, nil
}

// vocabularyError tells a mistake of the recipe from one of the models.
func vocabularyError(err error) error {
	if errors.Is(err, tokenizer.ErrConfig) {
		return wrong("tokenizer: %v", err)
	}
	return fmt.Errorf("tokenizer: %w", err)
}

// vocabularyConfig is what the recipe asks for, nil for nothing.
func (m *merging) vocabularyConfig() (*tokenizer.Config, error) {
	if m.doc.TokenizerSource != nil {
		return &tokenizer.Config{Source: m.doc.TokenizerSource.String()}, nil
	}
	if m.doc.Tokenizer == nil {
		return nil, nil
	}
	cfg := &tokenizer.Config{PadToMultipleOf: m.doc.Tokenizer.PadToMultipleOf}
	if m.doc.Tokenizer.Source != nil {
		cfg.Source = m.doc.Tokenizer.Source.String()
	}
	for _, text := range m.doc.Tokenizer.Tokens.Order {
		rule := m.doc.Tokenizer.Tokens.Rules[text]
		token := tokenizer.Token{Text: text}
		if rule != nil {
			token.Force = rule.Force
			switch s := rule.Source; {
			case s.Model != nil:
				token.Source = tokenizer.FromModel(s.Model.String())
			case s.Kind == "zero":
				token.Source = tokenizer.FromZero()
			case s.Kind == "model_token" && s.TokenID != nil:
				token.Source = tokenizer.FromID(s.From.String(), *s.TokenID)
			case s.Kind == "model_token":
				token.Source = tokenizer.FromToken(s.From.String(), s.Token)
			}
		}
		cfg.Tokens = append(cfg.Tokens, token)
	}
	return cfg, nil
}

// align gives all inputs of a tensor the rows of the output's vocabulary.
func (v *vocabulary) align(row tensor, task *method.Task, infos []checkpoint.Info) error {
	if !v.tensors[row.name] {
		return nil
	}
	var inputs []tokenizer.Input
	base := -1
	for at, in := range task.Inputs {
		if o := row.slice.origin; o >= 0 && base < 0 && in.Model == row.slice.sources[o].name {
			base = at
		}
		i := slices.IndexFunc(v.models, func(m *input) bool { return m.name == in.Model })
		inputs = append(inputs, tokenizer.Input{Model: i, Source: in.Source, Name: in.Name})
	}
	aligned, err := v.merged.Align(inputs, base)
	if err != nil {
		return vocabularyError(err)
	}
	for i, src := range aligned {
		task.Inputs[i].Source, task.Inputs[i].Delta, infos[i] = src, nil, src.Tensors()[0]
	}
	return nil
}

// sides replaces the donor's tokenizer files by the output's.
func (v *vocabulary) sides(files []checkpoint.SideFile) ([]checkpoint.SideFile, error) {
	own, err := v.merged.Files()
	return append(slices.DeleteFunc(files, func(f checkpoint.SideFile) bool { return v.merged.Replaces(f.Name) }), own...), err
}

// chatTemplate sets the template that the recipe asks for.
func (m *merging) chatTemplate(files []checkpoint.SideFile) ([]checkpoint.SideFile, error) {
	var models []string
	for _, s := range m.slices {
		for _, src := range s.sources {
			text, err := tokenizer.Template(src.file)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", src.name, err)
			}
			models = append(models, text)
		}
	}
	text, err := tokenizer.ChatTemplate(m.doc.ChatTemplate, models)
	if err != nil {
		return nil, vocabularyError(err)
	}
	changed, err := tokenizer.SetChatTemplate(files, text)
	if err != nil {
		return nil, vocabularyError(err)
	}
	return changed, nil
}

// alignVocabulary gives the inputs of a vocabulary's tensor the same rows: those of the output's vocabulary where the recipe asks
// for one, or as many as the shortest has where the options say so.
func (m *merging) alignVocabulary(row tensor, task *method.Task, infos []checkpoint.Info) error {
	if m.vocab != nil {
		return m.vocab.align(row, task, infos)
	}
	if !m.opts.Truncate || !vocabularyNamed(task.Name) {
		return nil
	}
	rows := infos[0].Shape
	for _, info := range infos {
		if len(info.Shape) == 0 || len(info.Shape) != len(rows) || !slices.Equal(info.Shape[1:], rows[1:]) {
			return nil
		}
		if info.Shape[0] < rows[0] {
			rows = info.Shape
		}
	}
	for i := range infos {
		if infos[i].Shape[0] != rows[0] {
			m.note("UNSAFE vocabulary truncation: %s: tensor %q cut from %d to %d rows, whatever its tokens mean", task.Inputs[i].Model, infos[i].Name, infos[i].Shape[0], rows[0])
			task.Inputs[i].Source, task.Inputs[i].Delta = first{task.Inputs[i].Source, infos[i].Name, rows}, nil
			infos[i].Shape = rows
		}
	}
	return nil
}

// vocabularyNamed tells tensors that usually have a row a token.
func vocabularyNamed(name string) bool {
	return name == headName || name == "lm_head.bias" || slices.ContainsFunc(embeddingNames, func(e string) bool { return len(name) >= len(e) && name[len(name)-len(e):] == e })
}

// first is the first rows of one tensor.
type first struct {
	checkpoint.Source
	name  string
	shape []int
}

func (f first) Tensors() []checkpoint.Info {
	info, _ := checkpoint.Find(f.Source, f.name)
	info.Shape = f.shape
	return []checkpoint.Info{info}
}

// shapeHint says what to do where vocabularies differ.
func (m *merging) shapeHint(a, b checkpoint.Info) string {
	if len(a.Shape) == len(b.Shape) && len(a.Shape) > 0 && slices.Equal(a.Shape[1:], b.Shape[1:]) && vocabularyNamed(a.Name) {
		return "; vocabularies differ: give tokenizer: {source: base} or {source: union}"
	}
	return ""
}
