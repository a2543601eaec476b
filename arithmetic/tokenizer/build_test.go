package tokenizer

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

func TestBuildRefuses(t *testing.T) {
	models := []Model{{Name: "a", Tokenizer: words(t, "x")}, {Name: "b", Tokenizer: words(t, "y")}}
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{Source: "c"}, `tokenizer source "c": want union, base or one of the models`},
		{Config{PadToMultipleOf: -1}, "pad_to_multiple_of -1"},
		{Config{PadToMultipleOf: 1 << 40}, "pad_to_multiple_of 1099511627776"},
		{Config{Tokens: []Token{{}}}, "an empty token"},
		{Config{Tokens: []Token{{Text: "x"}, {Text: "x"}}}, `"x" twice`},
		{Config{Tokens: []Token{{Text: "x", Source: FromModel("c")}}}, `"x": its source "c" is not among the models`},
		{Config{Tokens: []Token{{Text: "x", Source: FromID("a", -1)}}}, "row -1 of a"},
	} {
		if _, err := Build(models, 0, test.cfg); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.cfg, err, test.want)
		}
	}
	for _, bad := range []struct {
		models []Model
		base   int
	}{{nil, -1}, {models, 2}} {
		if _, err := Build(bad.models, bad.base, Config{}); err == nil {
			t.Errorf("%d models, base %d: no error", len(bad.models), bad.base)
		}
	}
	last, err := Load(inMemory(file(mainFile, `{"model":{"type":"WordLevel","vocab":{"x":1073741823}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Build([]Model{{Name: "a", Tokenizer: last}, models[1]}, 0, Config{}); !errors.Is(err, checkpoint.ErrInvalid) {
		t.Errorf("a token behind the last id: %v", err)
	}
	if _, err := Build([]Model{{Name: "a"}}, 0, Config{}); !errors.Is(err, checkpoint.ErrInvalid) {
		t.Errorf("a base without a tokenizer: %v", err)
	}
}

// TestTokenSourcesOutside: sources that the models have, but not where the rows are made.
func TestTokenSourcesOutside(t *testing.T) {
	models := []Model{{Name: "a", Tokenizer: words(t, "x")}, {Name: "b", Tokenizer: words(t, "y")}}
	inputs := []Input{{0, weights(t, 1, "w", 1, 2), "w"}, {1, weights(t, 2, "w", 1, 2), "w"}}
	for _, test := range []struct {
		source TokenSource
		inputs []Input
		want   string
	}{
		{FromToken("b", "z"), inputs, `its source b has no token "z"`},
		{FromID("b", 1), inputs, `row 1 of b, whose tensor "w" has 1 rows`},
		{FromModel("b"), inputs[:1], `its source b is not among the models that "w" is made from`},
	} {
		m, err := Build(models, 0, Config{Tokens: []Token{{Text: "x", Source: test.source, Force: true}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Align(test.inputs, 0); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.source, err, test.want)
		}
	}
}

// TestNoTokenizer: a model without one is taken to have the base's.
func TestNoTokenizer(t *testing.T) {
	m, err := Build([]Model{{Name: "a", Tokenizer: words(t, "x", "y")}, {Name: "b", VocabSize: 2}}, 0, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if row, ok := m.Row(1, 1); !ok || row != 1 {
		t.Errorf("row of y in b: %d %v", row, ok)
	}
	hasNote(t, m, "b has no tokenizer: it is taken to be that of a")
}

// TestAside: a model that is not merged gives the output its vocabulary and nothing else.
func TestAside(t *testing.T) {
	models := []Model{{Name: "a", Tokenizer: words(t, "x")}, {Name: "b", Tokenizer: words(t, "x", "y"), Aside: true}}
	m, err := Build(models, 0, Config{Source: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := m.Row(1, 0); ok || m.Size() != 2 {
		t.Errorf("%d rows; b has one of them: %v", m.Size(), ok)
	}
	hasNote(t, m, "no model has a row for", `"y"`)
	if m, err = Build(models, 0, Config{}); err != nil || m.Size() != 1 {
		t.Errorf("the union has %d rows, want those of a alone (%v)", m.Size(), err)
	}
	for base, bad := range [][]Model{{models[0], {Name: "c", Aside: true}}, models} {
		if _, err := Build(bad, base, Config{}); !errors.Is(err, checkpoint.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestNotes: what a user should know of what was done.
func TestNotes(t *testing.T) {
	padded, _ := model(t, "padded")
	other, _ := model(t, "other")
	base, _ := model(t, "base")
	m, err := Build([]Model{padded, other}, 0, Config{})
	if err != nil {
		t.Fatal(err)
	}
	hasNote(t, m, "padded: rows [8 16) belong to no token and are left out")
	if m, err = Build([]Model{base, base}, 0, Config{Source: SourceBase}); err != nil || len(m.Notes()) > 0 {
		t.Errorf("nothing happened, but: %q (%v)", m.Notes(), err)
	}
	third, _ := model(t, "third")
	if m, err = Build([]Model{third, other}, 0, Config{}); err != nil {
		t.Fatal(err)
	}
	hasNote(t, m, "added tokens with other settings", "<pad>")
}

// TestSharedID: two tokens with one id share a row, and the output has it once.
func TestSharedID(t *testing.T) {
	tok, err := Load(inMemory(file(mainFile, `{"model":{"type":"WordLevel","vocab":{"a":0,"b":1,"c":1}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Build([]Model{{Name: "a", Tokenizer: tok}}, 0, Config{})
	if err != nil || m.Size() != 2 {
		t.Fatalf("%d rows (%v)", m.Size(), err)
	}
	hasNote(t, m, "share its row", `"c"`)
}

// TestOrder: the same models give the same ids, whatever the order of a map.
func TestOrder(t *testing.T) {
	var names []string
	for i := range 300 {
		names = append(names, "t"+strconv.Itoa(i))
	}
	models := []Model{{Name: "a", Tokenizer: words(t, names[:10]...)}, {Name: "b", Tokenizer: words(t, names...)}}
	for range 5 {
		m, err := Build(models, 0, Config{})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range m.Vocabulary() {
			if e.Token != names[i] || e.ID != i {
				t.Fatalf("%d is %v, want %q", i, e, names[i])
			}
		}
	}
}
