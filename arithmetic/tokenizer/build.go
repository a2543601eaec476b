package tokenizer

import (
	"fmt"
	"slices"
	"strings"
)

// Merged is the output's vocabulary, and where its tokens are in the models. It is safe for concurrent use.
type Merged struct {
	models []Model
	own    []*Tokenizer // by model
	out    *Tokenizer
	tokens []Entry        // of the output, one an id, ascending
	from   [][]int32      // by model and token: the model's row, -1 where it has none
	config map[int]*Token // by place in tokens
	size   int            // rows of the vocabulary
	padded int            // with padding
	notes  []string
}

// Build decides the output's vocabulary. base is a place in models, -1 for none: then the first model's vocabulary is what
// "base" names and what a union starts from, but rows that a model lacks are means, not the first one's.
// Time and memory are proportional to the vocabularies.
func Build(models []Model, base int, cfg Config) (*Merged, error) {
	if len(models) == 0 || base >= len(models) {
		return nil, wrong("vocabularies of %d models, base %d", len(models), base)
	}
	base = max(base, 0)
	m := &Merged{models: models, own: make([]*Tokenizer, len(models))}
	if err := cfg.check(models); err != nil {
		return nil, err
	}
	if models[base].Tokenizer == nil || models[base].Aside {
		return nil, invalid("%s: no tokenizer that the output's vocabulary could start from", models[base].Name)
	}
	first, err := m.cutBase(models[base])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", models[base].Name, err)
	}
	for i, model := range models {
		switch {
		case i == base:
			m.own[i] = first
		case model.Tokenizer == nil && model.Aside:
			return nil, invalid("%s: no tokenizer, and nothing else is asked of it", model.Name)
		case model.Tokenizer == nil:
			m.own[i] = first
			m.note("%s has no tokenizer: it is taken to be that of %s", model.Name, models[base].Name)
		default:
			m.own[i] = model.Tokenizer
		}
	}
	switch cfg.Source {
	case SourceBase:
		m.out = first.clone()
	case SourceUnion, "":
		m.out, err = m.union(base)
	default:
		at := slices.IndexFunc(models, func(o Model) bool { return o.Name == cfg.Source })
		m.out = m.own[at].clone()
	}
	if err != nil {
		return nil, err
	}
	for i := range cfg.Tokens {
		if _, ok := m.out.ID(cfg.Tokens[i].Text); !ok {
			m.out.addApart(plain(cfg.Tokens[i].Text, false))
		}
	}
	if m.out.top >= 1<<idBits {
		return nil, invalid("the output's vocabulary has ids up to %d, want them in [0, 2^%d)", m.out.top, idBits)
	}
	m.place(cfg)
	return m, nil
}

// check finds what is wrong with a config for these models.
func (c *Config) check(models []Model) error {
	known := make(map[string]bool)
	for _, m := range models {
		known[m.Name] = true
	}
	if c.Source != "" && c.Source != SourceUnion && c.Source != SourceBase && !known[c.Source] {
		return wrong("tokenizer source %q: want union, base or one of the models", c.Source)
	}
	if c.PadToMultipleOf < 0 || c.PadToMultipleOf > maxPad {
		return wrong("pad_to_multiple_of %d: want 0 to %d", c.PadToMultipleOf, maxPad)
	}
	seen := make(map[string]bool)
	for _, token := range c.Tokens {
		switch s := token.Source; {
		case token.Text == "":
			return wrong("tokens: an empty token")
		case seen[token.Text]:
			return wrong("tokens: %q twice", token.Text)
		case s.model != "" && !known[s.model]:
			return wrong("tokens: %q: its source %q is not among the models", token.Text, s.model)
		case s.kind == kindID && s.id < 0:
			return wrong("tokens: %q: row %d of %s", token.Text, s.id, s.model)
		}
		seen[token.Text] = true
	}
	return nil
}

// cutBase is the base's tokenizer without the tokens for which it has no row.
func (m *Merged) cutBase(base Model) (*Tokenizer, error) {
	if base.VocabSize <= 0 || base.Tokenizer.top < base.VocabSize {
		return base.Tokenizer, nil
	}
	first, err := base.Tokenizer.cut(base.VocabSize)
	if err != nil {
		return nil, err
	}
	m.noteTokens(base.Tokenizer.beyond(base.VocabSize), "%s has %d rows, and its tokenizer tokens beyond them, which are left out: %s", base.Name, base.VocabSize)
	return first, nil
}

// beyond lists the tokens whose ids are not below size.
func (t *Tokenizer) beyond(size int) (tokens []string) {
	if t.top < size {
		return nil
	}
	for _, e := range t.Vocabulary() {
		if e.ID >= size {
			tokens = append(tokens, e.Token)
		}
	}
	return tokens
}

// union is the base's vocabulary with the other models' tokens behind it: those of their models, in the models' order and then
// the ids', then their added tokens, with the settings of the first model that has them.
func (m *Merged) union(base int) (*Tokenizer, error) {
	out := m.own[base].clone()
	roles, err := out.roles()
	if err != nil {
		return nil, err
	}
	for _, r := range roles { // those that were cut come back, as mergekit loads the tokenizer again
		if _, ok := out.added[r.token.Content]; !ok {
			out.addApart(r.token)
		}
	}
	order := []int{base}
	for i := range m.models {
		if i != base && m.own[i] != m.own[base] && !m.models[i].Aside {
			order = append(order, i)
		}
	}
	var added []Added
	first := make(map[string]Added)
	var differ, common []string
	differs := make(map[string]bool)
	for _, i := range order {
		t := m.own[i]
		for _, e := range t.Vocabulary() {
			if _, ok := t.added[e.Token]; !ok && e.ID < m.rows(i) {
				common = append(common, e.Token)
			}
		}
		for _, e := range t.addedByID() {
			a := t.settings[e.ID]
			if e.ID >= m.rows(i) {
				continue
			}
			if have, ok := first[a.Content]; !ok {
				first[a.Content] = a
				added = append(added, a)
			} else if have != a && !differs[a.Content] {
				differs[a.Content] = true
				differ = append(differ, a.Content)
			}
		}
	}
	for _, token := range common {
		_, isAdded := first[token]
		if _, ok := m.own[base].ID(token); !ok && !isAdded {
			out.addApart(plain(token, false))
		}
	}
	for _, a := range added {
		out.addApart(a)
	}
	m.noteTokens(differ, "added tokens with other settings in other models keep the first one's: %s")
	return out, nil
}

// rows is how many rows of a model's embeddings may belong to tokens.
func (m *Merged) rows(model int) int {
	if n := m.models[model].VocabSize; n > 0 {
		return n
	}
	return m.own[model].top + 1
}

func (m *Merged) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

// shown is how many tokens a note names before it counts the rest.
const shown = 5

// noteTokens adds a note that ends in a list of tokens, if there are any.
func (m *Merged) noteTokens(tokens []string, format string, args ...any) {
	if len(tokens) == 0 {
		return
	}
	var quoted []string
	for _, t := range tokens[:min(shown, len(tokens))] {
		quoted = append(quoted, fmt.Sprintf("%q", t))
	}
	list := strings.Join(quoted, ", ")
	if more := len(tokens) - shown; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	m.note(format, append(args, list)...)
}
