package tokenizer

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// golden is a case of testdata/cases.json, see testdata/make.py.
type golden struct {
	Name      string
	Tokenizer json.RawMessage
	Models    []string
	Base      *string
	Size      int
	Vocab     map[string]int
	Added     []Added
	Error     string
}

func goldens(t testing.TB) []golden {
	var cases []golden
	if err := json.Unmarshal(read(t, "testdata/cases.json"), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 30 {
		t.Fatalf("%d cases: the goldens are not all there", len(cases))
	}
	return cases
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// dir reads files of a directory as Load wants them.
func dir(path string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(path, name)) }
}

func load(t testing.TB, name string) *Tokenizer {
	t.Helper()
	tok, err := Load(dir("testdata/models/" + name))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// model opens one of testdata/models.
func model(t testing.TB, name string) (Model, *checkpoint.Model) {
	t.Helper()
	m, err := checkpoint.Open("testdata/models/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	config, err := m.SideFile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	size, err := VocabSize(config)
	if err != nil {
		t.Fatal(err)
	}
	return Model{Name: name, Tokenizer: load(t, name), VocabSize: size}, m
}

// config reads mergekit's `tokenizer`, its tokens in the file's order.
func (g *golden) config(t *testing.T) Config {
	t.Helper()
	fields, err := parseObject(g.Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Source: strings.TrimPrefix(fields.text("source"), "./")}
	if pad, ok := fields.get("pad_to_multiple_of"); ok {
		if err := json.Unmarshal(pad, &c.PadToMultipleOf); err != nil {
			t.Fatal(err)
		}
	}
	tokens, ok := fields.get("tokens")
	if !ok {
		return c
	}
	listed, err := parseObject(tokens)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range listed {
		var entry struct {
			Source json.RawMessage
			Force  bool
		}
		if err := json.Unmarshal(f.value, &entry); err != nil {
			t.Fatal(err)
		}
		token := Token{Text: f.key, Force: entry.Force}
		var name string
		var form struct {
			Kind, Model, Token string
			ID                 *int `json:"token_id"`
		}
		switch {
		case entry.Source == nil:
		case json.Unmarshal(entry.Source, &name) == nil:
			token.Source = FromModel(strings.TrimPrefix(name, "./"))
		case json.Unmarshal(entry.Source, &form) != nil:
			t.Fatalf("%s: source %s", f.key, entry.Source)
		case form.Kind == "zero":
			token.Source = FromZero()
		case form.ID != nil:
			token.Source = FromID(strings.TrimPrefix(form.Model, "./"), *form.ID)
		default:
			token.Source = FromToken(strings.TrimPrefix(form.Model, "./"), form.Token)
		}
		c.Tokens = append(c.Tokens, token)
	}
	return c
}

// build makes the case's vocabulary here, and the models' tensors with its rows.
func (g *golden) build(t *testing.T) (*Merged, map[string][]checkpoint.Source, error) {
	t.Helper()
	var models []Model
	var opened []*checkpoint.Model
	base := -1
	for i, name := range g.Models {
		m, weights := model(t, name)
		models, opened = append(models, m), append(opened, weights)
		if g.Base != nil && *g.Base == name {
			base = i
		}
	}
	config := g.config(t)
	if s := config.Source; s != "" && s != SourceUnion && s != SourceBase && !slices.Contains(g.Models, s) {
		aside, _ := model(t, s)
		aside.Aside = true
		models = append(models, aside)
	}
	m, err := Build(models, base, config)
	if err != nil {
		return nil, nil, err
	}
	names, _ := Tensors(opened[0].Tensors(), models[0].VocabSize)
	if !slices.Equal(names, []string{"lm_head.weight", "model.embed_tokens.weight"}) {
		t.Fatalf("tensors of the vocabulary: %q", names)
	}
	views := make(map[string][]checkpoint.Source)
	for _, name := range names {
		var inputs []Input
		for i, weights := range opened {
			inputs = append(inputs, Input{i, weights, name})
		}
		if views[name], err = m.Align(inputs, base); err != nil {
			return m, nil, err
		}
	}
	return m, views, nil
}

func vocabulary(list []Entry) map[string]int {
	vocab := make(map[string]int)
	for _, e := range list {
		vocab[e.Token] = e.ID
	}
	return vocab
}

// differs are the cases where mergekit is wrong, and why; they are tested one by one in defects_test.go.
func differs() map[string]string {
	return map[string]string{
		"gap_union":        "gives two tokens one id",
		"token_new_padded": "takes a row of padding for a new token and ignores its source",
	}
}

// Copied rows are equal. Means and padding are rounded by torch at each addition, in float32, here once: values are at most 4,
// and a sum of three has two roundings, one of 14 rows 14.
const meanTolerance = 14 * 4 * 0x1p-24

func TestMergekit(t *testing.T) {
	expected, err := checkpoint.Open("testdata/expected.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer expected.Close()
	compared := 0
	for _, g := range goldens(t) {
		if g.Error != "" || differs()[g.Name] != "" {
			continue
		}
		t.Run(g.Name, func(t *testing.T) {
			m, views, err := g.build(t)
			if err != nil {
				t.Fatal(err)
			}
			if got := vocabulary(m.Vocabulary()); !maps.Equal(got, g.Vocab) {
				t.Errorf("vocabulary %v, mergekit's %v", got, g.Vocab)
			}
			if got := m.out.Added(); !slices.Equal(got, g.Added) {
				t.Errorf("added tokens\n%+v, mergekit's\n%+v", got, g.Added)
			}
			if m.Size() != g.Size {
				t.Fatalf("%d rows, mergekit has %d", m.Size(), g.Size)
			}
			for name, inputs := range views {
				for i, view := range inputs {
					got, err := checkpoint.ReadAll(view, name)
					if err != nil {
						t.Fatal(err)
					}
					want, err := checkpoint.ReadAll(expected, fmt.Sprintf("%s/%s/%s", g.Name, g.Models[i], name))
					if err != nil {
						t.Fatal(err)
					}
					compareRows(t, m, views[name], i, got, want, g.Models[i]+" "+name)
					compared++
				}
			}
		})
	}
	if compared < 100 {
		t.Errorf("%d tensors compared", compared)
	}
}

func compareRows(t *testing.T, m *Merged, views []checkpoint.Source, input int, got, want []float32, what string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	width := len(got) / m.Size()
	for id := range m.Size() {
		row, wanted := got[id*width:(id+1)*width], want[id*width:(id+1)*width]
		tolerance := 0.0
		if from, _ := views[input].(*view).place(id); from == int(fromMean) || from == int(fromPadding) {
			tolerance = meanTolerance
		}
		for j := range row {
			if d := math.Abs(float64(row[j]) - float64(wanted[j])); !(d <= tolerance) {
				t.Errorf("%s: row %d: %v, mergekit's %v", what, id, row, wanted)
				break
			}
		}
	}
}

// TestLoad holds vocabularies against those that transformers loads from the same directories.
func TestLoad(t *testing.T) {
	var loaded map[string]struct {
		Vocab map[string]int
		Added []Added
	}
	if err := json.Unmarshal(read(t, "testdata/loaded.json"), &loaded); err != nil {
		t.Fatal(err)
	}
	if len(loaded) < 14 {
		t.Fatalf("%d models", len(loaded))
	}
	for name, want := range loaded {
		tok := load(t, name)
		if got := vocabulary(tok.Vocabulary()); !maps.Equal(got, want.Vocab) {
			t.Errorf("%s: vocabulary %v, want %v", name, got, want.Vocab)
		}
		if got := tok.Added(); !slices.Equal(got, want.Added) {
			t.Errorf("%s: added tokens\n%+v, want\n%+v", name, got, want.Added)
		}
	}
}

// TestFilesLoadAgain: the output's files have its vocabulary, for a reader that knows only them.
func TestFilesLoadAgain(t *testing.T) {
	for _, g := range goldens(t) {
		m, _, err := g.build(t)
		if m == nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		files, err := m.Files()
		if err != nil {
			t.Fatalf("%s: %v", g.Name, err)
		}
		again, err := Load(inMemory(files...))
		if err != nil {
			t.Fatalf("%s: %v", g.Name, err)
		}
		if got, want := vocabulary(again.Vocabulary()), vocabulary(m.Vocabulary()); !maps.Equal(got, want) {
			t.Errorf("%s: files have %v, want %v", g.Name, got, want)
		}
		if got, want := again.Added(), m.out.Added(); !slices.Equal(got, want) {
			t.Errorf("%s: files have added tokens\n%+v, want\n%+v", g.Name, got, want)
		}
		for _, f := range files {
			if !m.Replaces(f.Name) {
				t.Errorf("%s: %s is written, but would be copied from the donor as well", g.Name, f.Name)
			}
		}
	}
}

// inMemory serves files as Load wants them.
func inMemory(files ...checkpoint.SideFile) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		for _, f := range files {
			if f.Name == name {
				return f.Data, nil
			}
		}
		return nil, os.ErrNotExist
	}
}
