package mergekit

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// recipes are those of the goldens, and what they leave out.
func recipes(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	all := []string{
		"name: x\nmerge_method: linear\nmodels: [{model: {model: {path: a, revision: b}, lora: {path: c}}}]\n---\nmerge_method: linear\nmodels: [{model: x}]\n",
		"merge_method: ties\nbase_model: a\nmodels: [{model: a+b@c}]\ntokenizer: {source: union, pad_to_multiple_of: 8, tokens: {'<s>': {source: {kind: model_token, model: a, token_id: 3}, force: true}}}\nchat_template: chatml\n",
		"modules: {text: {slices: [{sources: [{model: a, layer_range: [0, 2]}], parameters: {t: [{filter: mlp, value: [0, 1]}]}}]}}\nmerge_method: slerp\n",
	}
	for _, c := range cases {
		all = append(all, c.Recipe)
	}
	return all
}

// parses holds a text to what Parse promises: no panic, and errors that are about the recipe.
func parses(t testing.TB, text string) {
	docs, err := Parse([]byte(text))
	if err != nil && !errors.Is(err, ErrRecipe) {
		t.Fatalf("%q: %v is no ErrRecipe", text, err)
	}
	if err == nil && len(docs) == 0 {
		t.Fatalf("%q: no document and no error", text)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range recipes(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { parses(t, text) })
}

// TestMutatedRecipes tries a thousand damaged recipes. Memory stays within what the text justifies.
func TestMutatedRecipes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seeds := recipes(t)
	const perByte, fixed = 2000, 1 << 20 // YAML's nodes are large
	for range 1000 {
		text := []byte(seeds[r.IntN(len(seeds))])
		for range 1 + r.IntN(4) {
			at := r.IntN(len(text))
			switch r.IntN(5) {
			case 0:
				text[at] = byte(r.IntN(256))
			case 1:
				text = append(text[:at], text[min(len(text), at+1+r.IntN(20)):]...)
			case 2:
				text = append(text[:at:at], append([]byte("{[&*!|>'\"%@`:-\n\t"[r.IntN(16):]), text[at:]...)...)
			case 3:
				text = text[:at]
			case 4:
				text = append(text, text[at:]...)
			}
			if len(text) == 0 {
				text = []byte(" ")
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		parses(t, string(text))
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(fixed+perByte*len(text)) {
			t.Fatalf("%d bytes for a recipe of %d: %q", used, len(text), text)
		}
	}
}

// A few lines of aliases can mean billions of values.
func TestAliasBomb(t *testing.T) {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 12 {
		text += strings.ReplaceAll("aN: &aN [*aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM]\n", "N", string(rune('b'+i)))
		text = strings.ReplaceAll(text, "*aM", "*a"+map[bool]string{true: "0", false: string(rune('a' + i))}[i == 0])
	}
	text += "merge_method: linear\nparameters: {weight: *am}\nmodels: [{model: a}]\n"
	if _, err := Parse([]byte(text)); !errors.Is(err, ErrRecipe) {
		t.Errorf("got %v, want ErrRecipe", err)
	}
}
