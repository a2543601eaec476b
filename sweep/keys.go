package sweep

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkKeys walks a YAML tree beside the Go value it will be decoded into and returns an error for the first key that
// no field carries. Keys of maps are free. Values of the wrong kind are left for the decoder to refuse.
func checkKeys(node *yaml.Node, into any) error {
	return walkKeys(node, reflect.TypeOf(into))
}

func walkKeys(node *yaml.Node, t reflect.Type) error {
	switch node.Kind {
	case yaml.DocumentNode:
		return walkKeys(node.Content[0], t)
	case yaml.AliasNode:
		return walkKeys(node.Alias, t) // t shrinks with every level, so a cycle ends
	case yaml.SequenceNode:
		if t.Kind() != reflect.Slice {
			return nil
		}
		for _, item := range node.Content {
			if err := walkKeys(item, t.Elem()); err != nil {
				return err
			}
		}
	case yaml.MappingNode:
		if t.Kind() != reflect.Struct {
			return nil
		}
		fields := map[string]reflect.Type{}
		for i := range t.NumField() {
			fields[t.Field(i).Tag.Get("yaml")] = t.Field(i).Type
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			field, ok := fields[key.Value]
			if !ok {
				return fmt.Errorf("line %d: unknown key %q; did you mean %q?", key.Line, key.Value, nearest(key.Value, sortedKeys(fields)))
			}
			if err := walkKeys(node.Content[i+1], field); err != nil {
				return err
			}
		}
	}
	return nil
}

// nearest is the candidate with the smallest edit distance, the first of equals.
func nearest(word string, candidates []string) string {
	return slices.MinFunc(candidates, func(a, b string) int {
		return editDistance(word, a) - editDistance(word, b)
	})
}

// editDistance is Levenshtein's, without regard to case, dashes and underscores.
func editDistance(a, b string) int {
	fold := func(s string) []rune {
		return []rune(strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s)))
	}
	x, y := fold(a), fold(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			substitute := diagonal
			if x[i] != y[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(y)]
}
