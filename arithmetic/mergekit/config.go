package mergekit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// Heads are often tied to embeddings: one tensor for both, stored under the embedding's name, as config.json's
// tie_word_embeddings says.
const headName = "lm_head.weight"

// embeddingNames are what the tensor that a head is tied to ends in.
var embeddingNames = []string{"embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight", "tok_embeddings.weight", "shared.weight"}

// tied is the tensor that stands for a head which this model does not store, "" for other tensors and models.
func (in *input) tied(name string) string {
	if name != headName || !in.ties() {
		return ""
	}
	for _, info := range in.src.Tensors() {
		for _, ending := range embeddingNames {
			if strings.HasSuffix(info.Name, ending) {
				return info.Name
			}
		}
	}
	return ""
}

// ties tells whether the model's config says that its head is its embedding. Without the key it is not, as in transformers' base
// class; models whose class ties by default say so in their config.
func (in *input) ties() bool {
	var c struct {
		Tie *bool `json:"tie_word_embeddings"`
	}
	return json.Unmarshal(in.config, &c) == nil && c.Tie != nil && *c.Tie
}

// outputConfig edits the donor's config.json: number of layers, type of the weights, whether the head is tied, size of the
// vocabulary. Keys keep their order.
func (m *merging) outputConfig() ([]byte, error) {
	donor := m.donor()
	if donor.config == nil {
		return nil, nil
	}
	edits := make(map[string]any)
	if m.doc.OutDType != "" || m.doc.DType != "" {
		name := m.doc.OutDType
		if name == "" {
			name = m.doc.DType
		}
		d, err := parseDType(name)
		if err != nil {
			return nil, err
		}
		key := "torch_dtype"
		if hasKey(donor.config, "dtype") {
			key = "dtype"
		}
		edits[key] = d.Torch()
	}
	if len(m.doc.Slices) > 0 {
		layers := 0
		for _, s := range m.slices {
			layers += s.layers
		}
		edited := false
		for _, key := range layerKeys {
			if hasKey(donor.config, key) {
				edits[key], edited = layers, true
			}
		}
		if !edited {
			m.note("config.json has no number of layers to set to %d", layers)
		}
	}
	if stored, tie := m.stores(headName), donor.ties(); stored && tie && !m.allTie() {
		edits["tie_word_embeddings"] = false
	}
	if m.vocab != nil {
		key, value, err := vocabularyEdit(donor.config, m.vocab.merged.Size())
		if err != nil {
			return nil, invalid("%s: config.json: %v", donor.name, err)
		}
		edits[key] = value
	}
	out, err := editJSON(donor.config, edits)
	if err != nil {
		return nil, invalid("%s: config.json: %v", donor.name, err)
	}
	return out, nil
}

// vocabularyEdit sets vocab_size where the model has it: in the text part of a composed model, else at the top.
func vocabularyEdit(config []byte, size int) (key string, value any, err error) {
	var parts struct {
		Text json.RawMessage `json:"text_config"`
	}
	if json.Unmarshal(config, &parts) != nil || !hasKey(parts.Text, "vocab_size") {
		return "vocab_size", size, nil
	}
	text, err := editJSON(parts.Text, map[string]any{"vocab_size": size})
	return "text_config", json.RawMessage(text), err
}

func (m *merging) note(format string, args ...any) {
	m.plan.Notes = append(m.plan.Notes, fmt.Sprintf(format, args...))
}

// stores tells whether the output has a tensor.
func (m *merging) stores(name string) bool {
	return slices.ContainsFunc(m.tensors, func(t tensor) bool { return t.name == name })
}

func (m *merging) allTie() bool {
	for _, s := range m.slices {
		for _, src := range s.sources {
			if !src.ties() {
				return false
			}
		}
	}
	return true
}

func hasKey(doc []byte, key string) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(doc, &fields) != nil {
		return false
	}
	_, ok := fields[key]
	return ok
}

// editJSON sets keys of an object at its top level, in place where they stand and at the end where they do not.
func editJSON(doc []byte, edits map[string]any) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("want an object")
	}
	type field struct {
		key   string
		value json.RawMessage
	}
	var fields []field
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, ok := t.(string)
		if !ok {
			return nil, fmt.Errorf("want an object")
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		fields = append(fields, field{key, value})
	}
	for _, key := range sorted(edits) {
		value, err := json.Marshal(edits[key])
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(fields, func(f field) bool { return f.key == key }); i >= 0 {
			fields[i].value = value
		} else {
			fields = append(fields, field{key, value})
		}
	}
	var text bytes.Buffer
	text.WriteString("{")
	for i, f := range fields {
		if i > 0 {
			text.WriteString(",")
		}
		key, err := json.Marshal(f.key)
		if err != nil {
			return nil, err
		}
		text.Write(key)
		text.WriteString(":")
		text.Write(f.value)
	}
	text.WriteString("}")
	var out bytes.Buffer
	if err := json.Indent(&out, text.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// finish makes the plan's lists, config and files.
func (m *merging) finish() error {
	slices.SortFunc(m.tensors, func(a, b tensor) int { return strings.Compare(a.name, b.name) })
	for _, t := range m.tensors {
		m.plan.Tensors = append(m.plan.Tensors, t.Tensor)
	}
	if len(m.tensors) == 0 {
		return invalid("nothing to merge: the models have no tensors in common")
	}
	donor := m.donor()
	m.plan.Donor = donor.name
	m.plan.merge = newMerge(m.tensors, m.opts)
	var err error
	if m.plan.config, err = m.outputConfig(); err != nil {
		return err
	}
	m.plan.sides = func() ([]checkpoint.SideFile, error) { return m.sideFiles(donor) }
	return nil
}
