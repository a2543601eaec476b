package tokenizer

import (
	"slices"

	"syncretic/checkpoint"
)

// Input is one model's tensor with a row a token.
type Input struct {
	Model  int // a place in the models of Build
	Source checkpoint.Source
	Name   string // of the tensor in Source
}

// rule is where one token's row comes from for the models that it is made for.
type rule struct {
	input int32 // a place in the inputs, or one of those below
	row   int32
	force bool // also for models that have the token
}

const (
	fromNone int32 = -1 - iota // not needed
	fromZero
	fromMean
	fromPadding
)

// alignment is one tensor of several models with the same rows.
type alignment struct {
	m      *Merged
	inputs []Input
	lone   []int // inputs, each model once
	width  int   // elements a row
	rules  []rule
}

// Align gives each of the inputs a Source with one tensor, of the input's name and dtype and with the output's rows: shape
// [Size()][...]. The inputs are one tensor of several models; what a model lacks comes from these, so the models that are asked
// are those of a slice. base is a place among the inputs, -1 for none.
//
// Rows are read from the inputs as they are asked for. Means are float64 sums in the inputs' order, rounded once; padding is the
// mean over all rows that belong to tokens, computed at its first use and held: 4 bytes a column.
//
// Shapes that differ beyond their first dimension, a tensor with fewer rows than its model's tokens need, and a token whose
// source the inputs do not have are errors.
func (m *Merged) Align(inputs []Input, base int) ([]checkpoint.Source, error) {
	a := &alignment{m: m, inputs: inputs}
	infos, err := a.check()
	if err != nil {
		return nil, err
	}
	seen := make(map[int]bool)
	for i, in := range inputs {
		if !seen[in.Model] {
			seen[in.Model] = true
			a.lone = append(a.lone, i)
		}
	}
	if err := a.decide(base); err != nil {
		return nil, err
	}
	views := make([]checkpoint.Source, len(inputs))
	for i, info := range infos {
		info.Shape = slices.Clone(info.Shape)
		info.Shape[0] = m.padded
		views[i] = newView(a, i, info)
	}
	return views, nil
}

// check holds the inputs against each other and against their models' tokens.
func (a *alignment) check() ([]checkpoint.Info, error) {
	infos := make([]checkpoint.Info, len(a.inputs))
	most := 0
	for i, in := range a.inputs {
		model := a.m.models[in.Model].Name
		info, ok := checkpoint.Find(in.Source, in.Name)
		if !ok {
			return nil, invalid("%s: tensor %q: not present", model, in.Name)
		}
		infos[i] = info
		if len(info.Shape) == 0 || len(infos[0].Shape) == 0 || !slices.Equal(info.Shape[1:], infos[0].Shape[1:]) {
			return nil, invalid("%s: tensor %q: shape %d, want that of %s but for its rows: %d", model, in.Name, info.Shape,
				a.m.models[a.inputs[0].Model].Name, infos[0].Shape)
		}
		if info.DType.Integer() {
			return nil, invalid("%s: tensor %q: dtype %s, want floats: a token that a model lacks gets a mean", model, in.Name, info.DType)
		}
		for k, row := range a.m.from[in.Model] {
			if int(row) >= info.Shape[0] {
				return nil, invalid("%s: tensor %q: %d rows, but token %q has row %d", model, in.Name, info.Shape[0], a.m.tokens[k].Token, row)
			}
		}
		most = max(most, info.Shape[0])
		a.width = checkpoint.Info{Shape: info.Shape[1:]}.Elements()
	}
	if a.m.size-len(a.m.tokens) > most {
		return nil, invalid("the vocabulary has ids up to %d, but only %d tokens, and no model more than %d rows", a.m.size-1, len(a.m.tokens), most)
	}
	return infos, nil
}

// decide finds the source of each token that not all inputs have, or whose source the recipe gives.
func (a *alignment) decide(base int) error {
	a.rules = make([]rule, len(a.m.tokens))
	for k := range a.m.tokens {
		var have int
		only := -1
		for _, i := range a.lone {
			if a.row(i, k) >= 0 {
				have++
				only = i
			}
		}
		cfg := a.m.config[k]
		r := rule{input: fromMean}
		switch {
		case have == len(a.lone) && (cfg == nil || !cfg.Force):
			r.input = fromNone
		case cfg != nil:
			var err error
			if r, err = a.configured(k, cfg); err != nil {
				return err
			}
		case have == 0:
			r.input = fromZero
		case have == 1:
			r = rule{input: int32(only), row: a.row(only, k)}
		case base >= 0 && a.row(base, k) >= 0:
			r = rule{input: int32(base), row: a.row(base, k)}
		}
		a.rules[k] = r
	}
	return nil
}

// row is an input's own row for a token, -1 if it has none.
func (a *alignment) row(input, k int) int32 { return a.m.from[a.inputs[input].Model][k] }

// configured is the rule of a token whose source the recipe gives.
func (a *alignment) configured(k int, cfg *Token) (rule, error) {
	s := cfg.Source
	switch s.kind {
	case kindNone:
		return rule{}, wrong("tokens: %q: not all models have it, or force is set: it needs a source", cfg.Text)
	case kindZero:
		return rule{input: fromZero, force: cfg.Force}, nil
	}
	i := slices.IndexFunc(a.inputs, func(in Input) bool { return a.m.models[in.Model].Name == s.model })
	if i < 0 {
		return rule{}, wrong("tokens: %q: its source %s is not among the models that %q is made from", cfg.Text, s.model, a.inputs[0].Name)
	}
	row := int(a.row(i, k))
	switch s.kind {
	case kindToken:
		id, ok := a.m.own[a.inputs[i].Model].ID(s.token)
		if !ok {
			return rule{}, wrong("tokens: %q: its source %s has no token %q", cfg.Text, s.model, s.token)
		}
		row = id
	case kindID:
		row = s.id
	}
	if row < 0 {
		return rule{}, wrong("tokens: %q: its source %s does not have it", cfg.Text, s.model)
	}
	in := a.inputs[i]
	if info, _ := checkpoint.Find(in.Source, in.Name); row >= info.Shape[0] {
		return rule{}, wrong("tokens: %q: row %d of %s, whose tensor %q has %d rows", cfg.Text, row, s.model, in.Name, info.Shape[0])
	}
	return rule{input: int32(i), row: int32(row), force: cfg.Force}, nil
}
