package tokenizer

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// What mergekit 0.1.5 fails at, or gets wrong, and what happens here instead. TestDefectsAreThose holds the list against the
// goldens.

func testCase(t *testing.T, name string) golden {
	t.Helper()
	for _, g := range goldens(t) {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("no case %q", name)
	return golden{}
}

func TestDefectsAreThose(t *testing.T) {
	var failing []string
	for _, g := range goldens(t) {
		if g.Error != "" {
			failing = append(failing, g.Name)
		}
	}
	want := []string{"shorter", "short_words", "token_new_base", "token_no_source_needed", "token_absent", "short_model", "gap", "gap_added"}
	if !slices.Equal(failing, want) {
		t.Errorf("mergekit fails at %q, the tests below are about %q", failing, want)
	}
}

// rowOf reads a token's row of one view.
func rowOf(t *testing.T, m *Merged, views []checkpoint.Source, input int, name, token string) []float32 {
	t.Helper()
	id, ok := m.out.ID(token)
	if !ok {
		t.Fatalf("no token %q", token)
	}
	row := make([]float32, 4)
	if err := views[input].Read(name, 4*id, row); err != nil {
		t.Fatal(err)
	}
	return row
}

// stored reads a row of one of testdata/models.
func stored(t *testing.T, of, name string, row int) []float32 {
	t.Helper()
	_, weights := model(t, of)
	got := make([]float32, 4)
	if err := weights.Read(name, 4*row, got); err != nil {
		t.Fatal(err)
	}
	return got
}

func hasNote(t *testing.T, m *Merged, parts ...string) {
	t.Helper()
	for _, note := range m.Notes() {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(note, p) }) {
			return
		}
	}
	t.Errorf("no note with %q among %q", parts, m.Notes())
}

const head = "lm_head.weight"

// mergekit keeps the merge that makes a token it cuts; tokenizers then refuses the vocabulary.
func TestCutTokensTakeTheirMerges(t *testing.T) {
	g := testCase(t, "shorter")
	m, views, err := g.build(t)
	if err != nil {
		t.Fatal(err)
	}
	if m.Size() != 7 {
		t.Errorf("%d rows, want 7", m.Size())
	}
	hasNote(t, m, "shorter has 7 rows", `"abc", "<pad>"`)
	if got, want := rowOf(t, m, views[head], 0, head, "ab"), stored(t, "shorter", head, 6); !slices.Equal(got, want) {
		t.Errorf("row of ab: %v, want %v", got, want)
	}
	files, err := m.Files()
	if err != nil {
		t.Fatal(err)
	}
	tok, err := Load(inMemory(files...))
	if err != nil {
		t.Fatal(err)
	}
	if merges, _ := tok.model.get("merges"); strings.Join(strings.Fields(string(merges)), "") != `["ab"]` {
		t.Errorf("merges %s", merges)
	}
	if pad := tok.config.text("pad_token"); pad != "" {
		t.Errorf("pad_token %q is still there: loading would add it again, without a row", pad)
	}
}

// mergekit cuts BPE vocabularies only.
func TestCutOtherModels(t *testing.T) {
	g := testCase(t, "short_words")
	m, _, err := g.build(t)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := m.out.ID("three"); ok || m.Size() != 3 {
		t.Errorf("%d rows for %v", m.Size(), m.Vocabulary())
	}
	cut, err := load(t, "unigram").cut(2)
	if err != nil {
		t.Fatal(err)
	}
	if got := cut.Vocabulary(); !slices.Equal(got, []Entry{{"<unk>", 0}, {"▁he", 1}}) {
		t.Errorf("cut to 2: %v", got)
	}
}

// mergekit fails where a token is new to the base's own vocabulary, or takes a row of padding where the base has some.
func TestNewTokenOfBase(t *testing.T) {
	for _, name := range []string{"token_new_base", "token_new_padded"} {
		g := testCase(t, name)
		m, views, err := g.build(t)
		if err != nil {
			t.Fatal(err)
		}
		want := stored(t, "base", head, 0) // <s>
		for i := range g.Models {
			if got := rowOf(t, m, views[head], i, head, "<think>"); !slices.Equal(got, want) {
				t.Errorf("%s: %s: %v, want %v", name, g.Models[i], got, want)
			}
		}
	}
}

func TestTokenSourcesThatAreNotThere(t *testing.T) {
	for name, want := range map[string]string{
		"token_no_source_needed": `tokens: "<pad>": not all models have it, or force is set: it needs a source`,
		"token_absent":           `tokens: "f": its source base does not have it`,
	} {
		g := testCase(t, name)
		if _, _, err := g.build(t); !errors.Is(err, ErrConfig) || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// mergekit fails where a model's tokenizer has tokens beyond its last row and the output has them.
func TestTokenWithoutRow(t *testing.T) {
	g := testCase(t, "short_model")
	m, views, err := g.build(t)
	if err != nil {
		t.Fatal(err)
	}
	hasNote(t, m, "short has 8 rows, and none for these tokens", "<pad>")
	hasNote(t, m, "get zeros", "<pad>")
	if got := rowOf(t, m, views[head], 1, head, "<pad>"); !slices.Equal(got, make([]float32, 4)) {
		t.Errorf("row %v, want zeros", got)
	}
}

// mergekit wants ids without gaps.
func TestGaps(t *testing.T) {
	g := testCase(t, "gap")
	m, views, err := g.build(t)
	if err != nil {
		t.Fatal(err)
	}
	if m.Size() != 6 {
		t.Fatalf("%d rows, want 6", m.Size())
	}
	_, weights := model(t, "gap")
	want := make([]float64, 4)
	for _, id := range []int{0, 1, 3, 5} {
		row := stored(t, "gap", head, id)
		got := make([]float32, 4)
		if err := views[head][0].Read(head, 4*id, got); err != nil || !slices.Equal(got, row) {
			t.Errorf("row %d: %v, want %v (%v)", id, got, row, err)
		}
		for j, x := range row {
			want[j] += float64(x) / 4
		}
	}
	all, err := checkpoint.ReadAll(views[head][0], head)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int{2, 4} {
		for j, x := range all[4*id : 4*id+4] {
			if d := float64(x) - want[j]; d > meanTolerance || d < -meanTolerance {
				t.Errorf("row %d, which no token has: %v, want the mean %v", id, all[4*id:4*id+4], want)
				break
			}
		}
	}
	if _, ok := m.Row(0, 2); ok {
		t.Error("row 2 belongs to no token")
	}
	if info, _ := checkpoint.Find(weights, head); info.Shape[0] != 6 {
		t.Fatalf("the golden has %d rows", info.Shape[0])
	}
}

// mergekit gives a new token an id that another has, where the base's have a gap.
func TestGapsKeepIDsApart(t *testing.T) {
	g := testCase(t, "gap_union")
	m, _, err := g.build(t)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]string)
	for _, e := range m.Vocabulary() {
		if other, ok := seen[e.ID]; ok {
			t.Errorf("%q and %q both have id %d", e.Token, other, e.ID)
		}
		seen[e.ID] = e.Token
	}
	for _, e := range load(t, "gap").Vocabulary() {
		if id, _ := m.out.ID(e.Token); id != e.ID {
			t.Errorf("%q has id %d, want the base's %d", e.Token, id, e.ID)
		}
	}
}
