// Package recipe decodes the YAML documents that people write for the tool: strictly, so that a typing mistake is an error
// with the line, the key and the nearest known one, and never a setting that silently does nothing.
package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Decode reads exactly one YAML document into the struct that into points to. Fields that the document does not name keep
// their value, so defaults are set before. Unknown keys, a second document and duplicate keys are errors; the message lists
// each with its line and, where one is near, the key that was probably meant.
func Decode(doc []byte, into any) error {
	n, err := count(doc)
	if err != nil {
		return err
	}
	if n > 1 {
		return errors.New("more than one YAML document")
	}
	return decodeAll(doc, 1, func() any { return into })
}

// DecodeAll reads one or more YAML documents as [Decode] does, each into a struct of its own.
func DecodeAll[T any](doc []byte) ([]*T, error) {
	n, err := count(doc)
	if err != nil {
		return nil, err
	}
	var all []*T
	return all, decodeAll(doc, n, func() any {
		all = append(all, new(T))
		return all[len(all)-1]
	})
}

// count reads over the documents, which must be YAML.
func count(doc []byte) (int, error) {
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	for n := 0; ; n++ {
		switch err := dec.Decode(new(yaml.Node)); {
		case errors.Is(err, io.EOF) && n == 0:
			return 0, errors.New("the document is empty")
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return 0, explain(err, nil)
		}
	}
}

func decodeAll(doc []byte, n int, next func() any) error {
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	dec.KnownFields(true)
	for range n {
		into := next()
		if err := dec.Decode(into); err != nil {
			return explain(err, keys(reflect.TypeOf(into)))
		}
	}
	return nil
}

var (
	unknownField = regexp.MustCompile(`^line (\d+): field (\S+) not found in type .+$`)
	wrongType    = regexp.MustCompile("^line (\\d+): cannot unmarshal (!!\\S+)(?: `(.*)`)? into (.+)$")
)

// most is how many mistakes a message lists.
const most = 5

func explain(err error, known []string) error {
	var typeErr *yaml.TypeError
	if !errors.As(err, &typeErr) {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	lines := make([]string, len(typeErr.Errors))
	for i, line := range typeErr.Errors {
		if m := unknownField.FindStringSubmatch(line); m != nil {
			line = fmt.Sprintf("line %s: unknown key %q", m[1], m[2])
			if near, ok := Nearest(m[2], known); ok {
				line += fmt.Sprintf(" (did you mean %q?)", near)
			}
		} else if m := wrongType.FindStringSubmatch(line); m != nil {
			got := map[string]string{"!!seq": "a list", "!!map": "keys with values"}[m[2]]
			if m[3] != "" {
				got = fmt.Sprintf("%q", m[3])
			}
			line = fmt.Sprintf("line %s: got %s, want %s", m[1], got, wanted(m[4]))
		}
		lines[i] = line
	}
	if n := len(lines) - most; n > 0 {
		lines = append(lines[:most], fmt.Sprintf("and %d more", n))
	}
	return errors.New(strings.Join(lines, "; "))
}

// wanted describes a Go type to somebody who writes YAML.
func wanted(goType string) string {
	switch {
	case goType == "string":
		return "text"
	case goType == "bool":
		return "true or false"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "uint"):
		return "a whole number, 0 or more"
	case strings.HasPrefix(goType, "int"):
		return "a whole number"
	case strings.HasPrefix(goType, "float"):
		return "a number"
	}
	return "keys with values"
}

// keys lists the YAML keys of a struct type and of every struct that it holds.
func keys(t reflect.Type) []string {
	found := map[string]bool{}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(t.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[t] {
			return
		}
		seen[t] = true
		for f := range t.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
				found[name] = true
			}
			walk(f.Type)
		}
	}
	walk(t)
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Nearest returns the candidate with the smallest edit distance to name, if that is at most a third of name's length (and
// at least one); ties go to the candidate that stands first. Case, dashes and underscores do not count.
func Nearest(name string, candidates []string) (string, bool) {
	fold := strings.NewReplacer("-", "", "_", "").Replace
	best, at := max(1, len(name)/3)+1, -1
	for i, c := range candidates {
		if d := distance(fold(strings.ToLower(name)), fold(strings.ToLower(c))); d < best {
			best, at = d, i
		}
	}
	if at < 0 {
		return "", false
	}
	return candidates[at], true
}

// distance counts the insertions, deletions, substitutions and swaps of neighbours that turn a into b (optimal string
// alignment), in bytes.
func distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := row[j]
			if a[i] != b[j] {
				cost++
			}
			next[j+1] = min(cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
