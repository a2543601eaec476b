package checkpoint

import (
	"errors"
	"strings"
	"testing"
)

// pairs is an index with the given pairs as its map.
func pairs(text string) string {
	return `{"metadata": {"total_size": 1}, "weight_map": {` + text + `}}`
}

// malformedIndexes are made by hand, each to break the one rule that it stands under.
func malformedIndexes() map[string][]string {
	deep := func(n int) string {
		return `{"x": ` + strings.Repeat("[", n) + strings.Repeat("]", n) + `, "weight_map": {}}`
	}
	const good = `"w": "a.safetensors"`
	return map[string][]string{
		RuleUTF8: {"\xff", "{\"weight_map\": {\"\xff\": \"a.safetensors\"}}", pairs("\"w\": \"\xc0\xaf.safetensors\""), pairs("\"\xed\xa0\x80\": \"a.safetensors\""),
			pairs("\"w\": \"\xf4\x90\x80\x80.safetensors\""), pairs(good) + "\x80", pairs(`"\ud800": "a.safetensors"`), pairs(`"w": "\udc00.safetensors"`),
			pairs(`"w": "\ud83c\u0041.safetensors"`), `{"\udfff": 1, "weight_map": {}}`},
		RuleJSON: {"", " ", "{", "}", "[]", "null", "true", "1", `"weight_map"`, "\ufeff{}", `{"weight_map"}`, `{"weight_map":}`, `{"weight_map": {}`, `{"weight_map": {}]`,
			`{"weight_map": {},}`, `{,"weight_map": {}}`, `{"weight_map" {}}`, `{'weight_map': {}}`, `{weight_map: {}}`, `{"weight_map": {} "x": 1}`, `{"weight_map": {}} 1`,
			`{"weight_map": {}}{}`, `{"weight_map": {}} x`, "{\"weight_map\": {}}\x00", "\x00{\"weight_map\": {}}", `{"weight_map": {}}}`, `{/**/"weight_map": {}}`,
			`{"x": 01, "weight_map": {}}`, `{"x": +1, "weight_map": {}}`, `{"x": .5, "weight_map": {}}`, `{"x": 1., "weight_map": {}}`, `{"x": NaN, "weight_map": {}}`,
			`{"x": 1e999, "weight_map": {}}`, `{"x": -1e999, "weight_map": {}}`, `{"x": nul, "weight_map": {}}`, `{"x": [1,], "weight_map": {}}`, `{"x": [1 2], "weight_map": {}}`,
			`{"x": {"a"}, "weight_map": {}}`, `{"x": "\x", "weight_map": {}}`, `{"x": "\u12", "weight_map": {}}`, "{\"x\": \"\n\", \"weight_map\": {}}",
			`{"weight_map": {"w"`, `{"weight_map": {"w": "a.safetensors`, pairs(good + ","), pairs(good + ` "v": "a.safetensors"`), pairs(`"w" "a.safetensors"`), pairs(`"w": `), pairs(`1: "a.safetensors"`)},
		RuleDepth: {deep(127), deep(128), deep(20000), strings.Repeat(`{"x": `, 1000), `{"x": ` + strings.Repeat(`[{"a": `, 70) + "1" + strings.Repeat("}]", 70) + `, "weight_map": {}}`},
		RuleDuplicateKey: {`{"weight_map": {}, "weight_map": {}}`, `{"weight_map": {` + good + `}, "weight_map": {` + good + `}}`, pairs(good + "," + good), pairs(good + `, "w": "b.safetensors"`),
			pairs(good + `, "\u0077": "b.safetensors"`), `{"metadata": {}, "metadata": {}, "weight_map": {}}`, `{"metadata": {"total_size": 1, "total_size": 2}, "weight_map": {}}`,
			`{"x": [{"a": 1, "a": 1}], "weight_map": {}}`, `{"weight_map": {}, "weight\u005fmap": {}}`},
		RuleWeightMap: {`{}`, `{"metadata": {}}`, `{"Weight_Map": {}}`, `{"weight_map ": {}}`, `{"x": {"weight_map": {}}}`, `{"weight_map": null}`, `{"weight_map": []}`, `{"weight_map": "a.safetensors"}`,
			`{"weight_map": 1}`, `{"weight_map": true}`, `{"weight_map": [["w", "a.safetensors"]]}`, pairs(`"w": 1`), pairs(`"w": null`), pairs(`"w": true`), pairs(`"w": ["a.safetensors"]`),
			pairs(`"w": {"file": "a.safetensors"}`), pairs(good + `, "v": 2`)},
		RuleShardName: {pairs(`"w": ""`), pairs(`"w": "."`), pairs(`"w": ".."`), pairs(`"w": "a"`), pairs(`"w": "a.bin"`), pairs(`"w": "a.safetensors "`), pairs(`"w": "a.safetensors.bin"`), pairs(`"w": "a.SAFETENSORS"`),
			pairs(`"w": "../a.safetensors"`), pairs(`"w": "..\\a.safetensors"`), pairs(`"w": "/a.safetensors"`), pairs(`"w": "//host/a.safetensors"`), pairs(`"w": "\\\\host\\a.safetensors"`),
			pairs(`"w": "C:\\a.safetensors"`), pairs(`"w": "C:a.safetensors"`), pairs(`"w": "b/a.safetensors"`), pairs(`"w": "./a.safetensors"`), pairs(`"w": "b/../a.safetensors"`),
			pairs(`"w": "b\\a.safetensors"`), pairs(`"w": "\u002e\u002e\u002fa.safetensors"`), pairs(`"w": "a\u0000.safetensors"`), pairs(`"w": "a\n.safetensors"`), pairs(`"w": "\u007f.safetensors"`),
			pairs(good + `, "v": "../a.safetensors"`), pairs(`"w": "file:///a.safetensors"`), pairs(`"w": "a.safetensors/"`)},
	}
}

func TestIndexRefuses(t *testing.T) {
	tried := 0
	for rule, texts := range malformedIndexes() {
		for _, text := range texts {
			tried++
			files, err := parseIndex([]byte(text), ".safetensors")
			if files != nil || Rule(err) != rule {
				t.Errorf("%s: %v, error %v of rule %q, want rule %q", cut(text), files, err, Rule(err), rule)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("%s: a message of %d bytes", cut(text), len(err.Error()))
			}
		}
	}
	if tried < 100 {
		t.Errorf("%d indexes tried, want at least 100", tried)
	}
}

// An index costs no more than its length justifies.
func TestIndexAllocation(t *testing.T) {
	texts := []string{pairs(`"w": "a.safetensors"` + keys(1e5, `"a.safetensors"`)), `{"x": [0` + repeat(",0", 1e6) + `], "weight_map": {}}`, pairs(`"w": "` + repeat("a", 1e6) + `.bin"`)}
	for _, group := range malformedIndexes() {
		texts = append(texts, group...)
	}
	for _, text := range texts {
		got := allocated(func() {
			if files, err := parseIndex([]byte(text), ".safetensors"); err == nil && files == nil {
				t.Error("neither files nor an error")
			}
		})
		if most := uint64(perHeader + perHeaderByte*len(text)); got > most {
			t.Errorf("%s: %d bytes allocated for %d, want at most %d", cut(text), got, len(text), most)
		}
	}
}

// Where a message must lead to the place.
func TestIndexErrorsNameThePlace(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no map", `{"metadata": {}}`, "index has no weight_map"},
		{"map is a list", `{"weight_map": []}`, "weight_map: [ where an object"},
		{"file is a number", pairs(`"w": 1`), `weight_map: tensor "w": 1 where a string`},
		{"tensor twice", pairs(`"w": "a.safetensors", "w": "b.safetensors"`), `weight_map: key "w" appears twice`},
		{"parent", pairs(`"w": "../a.safetensors"`), `weight_map: tensor "w": file "../a.safetensors", want the name of a .safetensors file in the same directory`},
		{"cut", `{"weight_map": {"w"`, "index is not valid JSON: unexpected E"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseIndex([]byte(c.text), ".safetensors"); !errors.Is(err, ErrInvalid) || !contains(err, c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestIndexAccepts(t *testing.T) {
	for _, text := range []string{
		pairs(`"w": "a.safetensors"`), " \n\t\r{\"weight_map\":{\"w\":\"a.safetensors\"}}\n", `{"x": {"y": [1e308, null, {"a": {"a": "\ud83c\udfb5"}}]}, "weight_map": {"w": "a.safetensors"}}`,
		`{"weight_map": {"\u0077": "\u0061.safetensors"}, "metadata": null}`, `{"x": ` + strings.Repeat("[", 126) + strings.Repeat("]", 126) + `, "weight_map": {"w": "a.safetensors"}}`,
	} {
		if files, err := parseIndex([]byte(text), ".safetensors"); err != nil || len(files) != 1 || files["w"] != "a.safetensors" {
			t.Errorf("%s: %v, %v; want w in a.safetensors", text, files, err)
		}
	}
}

func TestIndexRoundTrip(t *testing.T) {
	want := map[string]string{"a.b": "x.safetensors", "é\"": "y.safetensors"}
	got, err := parseIndex(formatIndex(want, 12), ".safetensors")
	if err != nil || len(got) != 2 || got["a.b"] != "x.safetensors" || got["é\""] != "y.safetensors" {
		t.Errorf("parseIndex(formatIndex) = %q, %v; want %q", got, err, want)
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata": {"total_size": 1}, "weight_map": {"w": "a.safetensors"}}`))
	for _, texts := range malformedIndexes() {
		for _, text := range texts {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		files, err := parseIndex(text, ".safetensors")
		if err != nil {
			if rule := Rule(err); rule == "" || rule == RuleOtherBrokenRule {
				t.Fatalf("error %v: rule %q, want one of the format's", err, rule)
			}
			return
		}
		for name, file := range files {
			if strings.ContainsAny(file, "/\\:\x00") {
				t.Fatalf("tensor %q in %q, outside of the directory", name, file)
			}
		}
	})
}
