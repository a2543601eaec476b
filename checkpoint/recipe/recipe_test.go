package recipe_test

import (
	"fmt"
	"strings"
	"testing"

	"syncretic/checkpoint/recipe"
)

type inner struct {
	Peak float64 `yaml:"peak"`
}

type document struct {
	Name   string           `yaml:"name"`
	Steps  int              `yaml:"steps"`
	Stages []inner          `yaml:"stages"`
	Free   map[string]any   `yaml:"free"`
	By     map[string]inner `yaml:"by"`
}

func TestDecodeErrors(t *testing.T) {
	for _, test := range []struct{ name, doc, want string }{
		{"empty", "", "the document is empty"},
		{"unknown with a near key", "nmae: x", `line 1: unknown key "nmae" (did you mean "name"?)`},
		{"unknown, nested", "stages:\n- peek: 1", `line 2: unknown key "peek" (did you mean "peak"?)`},
		{"unknown, far from all", "temperature: 1", `line 1: unknown key "temperature"`},
		{"two mistakes, both named", "nmae: x\nstep: 3", `did you mean "steps"?`},
		{"text for a number", "steps: many", `line 1: got "many", want a whole number`},
		{"list for a number", "steps: [1]", `line 1: got a list, want a whole number`},
		{"text for a share", "stages: [{peak: high}]", `line 1: got "high", want a number`},
		{"text for a list", "stages: no", `line 1: got "no", want a list`},
		{"text for everything", "a,b,c", `line 1: got "a,b,c", want keys with values`},
		{"more mistakes than a line holds", "a1: 1\na2: 1\na3: 1\na4: 1\na5: 1\na6: 1\na7: 1", `line 5: unknown key "a5"; and 2 more`},
		{"key twice", "name: a\nname: b", "already defined"},
		{"two documents", "name: a\n---\nname: b", "more than one YAML document"},
		{"not YAML", "name: [", "line"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := recipe.Decode([]byte(test.doc), new(document))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestDecodeKeepsDefaultsAndFreeMaps(t *testing.T) {
	d := document{Name: "before", Steps: 7}
	if err := recipe.Decode([]byte("steps: 8\nfree: {anything: goes}\nby: {a: {peak: 2}}"), &d); err != nil {
		t.Fatal(err)
	}
	if d.Name != "before" || d.Steps != 8 || d.Free["anything"] != "goes" || d.By["a"].Peak != 2 {
		t.Errorf("got %+v", d)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"density", "gamma", "weight", "max_trials"}
	for _, test := range []struct {
		name, want string
		ok         bool
	}{
		{"densty", "density", true}, {"Weight", "weight", true}, {"wieght", "weight", true}, {"max-trials", "max_trials", true}, {"MaxTrial", "max_trials", true}, {"epsilon", "", false}, {"", "", false},
	} {
		if got, ok := recipe.Nearest(test.name, known); got != test.want || ok != test.ok {
			t.Errorf("Nearest(%q) = %q, %v, want %q, %v", test.name, got, ok, test.want, test.ok)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: x\nstages: [{peak: 1}]"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("&a [*a,*a,*a]"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		_ = recipe.Decode(doc, new(document)) // must not panic
	})
}

func ExampleDecode() {
	cfg := struct {
		Steps int `yaml:"steps"`
	}{Steps: 100}
	fmt.Println(recipe.Decode([]byte("stesp: 10"), &cfg))
	// Output: line 1: unknown key "stesp" (did you mean "steps"?)
}

func TestKeysKeepTheirOrder(t *testing.T) {
	var d struct {
		Free recipe.Keys `yaml:"free"`
	}
	if err := recipe.Decode([]byte("free: {z: 1, a: 2, m: {b: 3}}"), &d); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(d.Free, " "); got != "z a m" {
		t.Errorf("keys %s, want z a m", got)
	}
	if err := recipe.Decode([]byte("free: [1]"), &d); err == nil {
		t.Error("a list passes for keys")
	}
}
