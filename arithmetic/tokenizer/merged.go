package tokenizer

import (
	"slices"

	"syncretic/checkpoint"
)

// place lists the output's tokens and finds them in the models.
func (m *Merged) place(cfg Config) {
	all := m.out.Vocabulary()
	m.tokens = slices.CompactFunc(slices.Clone(all), func(a, b Entry) bool { return a.ID == b.ID })
	var shared []string
	for i, e := range all[min(1, len(all)):] {
		if e.ID == all[i].ID {
			shared = append(shared, e.Token)
		}
	}
	m.noteTokens(shared, "tokens that have another token's id share its row: %s")
	m.size = m.out.top + 1
	m.padded = m.size
	if n := cfg.PadToMultipleOf; n > 0 {
		m.padded = (m.size + n - 1) / n * n
	}
	absent := make([]bool, len(m.tokens)) // until a model has it
	for k := range absent {
		absent[k] = true
	}
	for i := range m.models {
		m.from = append(m.from, m.placeModel(i, absent))
	}
	m.config = make(map[int]*Token)
	for i := range cfg.Tokens {
		token := cfg.Tokens[i]
		id, _ := m.out.ID(token.Text)
		k, _ := slices.BinarySearchFunc(m.tokens, id, func(e Entry, id int) int { return e.ID - id })
		m.config[k] = &token
		absent[k] = false
	}
	var zeros []string
	for k, e := range m.tokens {
		if absent[k] {
			zeros = append(zeros, e.Token)
		}
	}
	m.noteTokens(zeros, "tokens that no model has a row for get zeros: %s")
}

// placeModel finds the output's tokens in one model.
func (m *Merged) placeModel(model int, absent []bool) []int32 {
	own, name, rows := m.own[model], m.models[model].Name, m.rows(model)
	from := make([]int32, len(m.tokens))
	for k := range from {
		from[k] = -1
	}
	if m.models[model].Aside {
		return from
	}
	var beyond []string
	for k, e := range m.tokens {
		id, ok := own.ID(e.Token)
		switch {
		case ok && id < rows:
			from[k], absent[k] = int32(id), false
		case ok:
			beyond = append(beyond, e.Token)
		}
	}
	m.noteTokens(beyond, "%s has %d rows, and none for these tokens of its tokenizer: %s", name, rows)
	if spare := rows - own.top - 1; spare > 0 {
		m.note("%s: rows [%d %d) belong to no token and are left out", name, own.top+1, rows)
	}
	return from
}

// Size is the number of rows of the output's embeddings, padding included: config.json's vocab_size.
func (m *Merged) Size() int { return m.padded }

// Vocabulary lists the output's tokens in the order of their ids.
func (m *Merged) Vocabulary() []Entry { return m.out.Vocabulary() }

// Row tells which row of a model belongs to the output's row id. ok is false where the model does not have the token, and for
// rows that no token has.
func (m *Merged) Row(model, id int) (row int, ok bool) {
	k, ok := m.find(id)
	if !ok || m.from[model][k] < 0 {
		return 0, false
	}
	return int(m.from[model][k]), true
}

// find is the place of an id in tokens: itself where the ids have no gaps.
func (m *Merged) find(id int) (int, bool) {
	if id < len(m.tokens) && m.tokens[id].ID == id {
		return id, true
	}
	return slices.BinarySearchFunc(m.tokens, id, func(e Entry, id int) int { return e.ID - id })
}

// Notes says what was left out, assumed or made up.
func (m *Merged) Notes() []string { return m.notes }

// Files are the output's tokenizer files: the source's own where nothing changed, otherwise tokenizer.json and the
// configuration that names its tokens, edited.
func (m *Merged) Files() ([]checkpoint.SideFile, error) { return m.out.write() }

// Replaces tells the files of any model's directory that [Merged.Files] stands for: they are not to be copied beside it, as they
// may hold another vocabulary.
func (m *Merged) Replaces(name string) bool {
	return name == mainFile || name == configFile || name == mapFile || name == addedFile || name == chatFile || slices.Contains(slowFiles(), name)
}
