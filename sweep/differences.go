package sweep

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxDifferences is how many differing keys an error lists.
const maxDifferences = 3

// differences says how two JSON documents differ: "; rho is 0.95, the study has 0.98", up to three keys. What follows from the
// configuration, such as space.values from config.lambda.values, is not said twice.
func differences(stored, wanted json.RawMessage) string {
	was, is := map[string]string{}, map[string]string{}
	for raw, leaves := range map[*json.RawMessage]map[string]string{&stored: was, &wanted: is} {
		var tree any
		if json.Unmarshal(*raw, &tree) == nil {
			flatten("", tree, leaves)
		}
	}
	all := map[string]bool{}
	for _, leaves := range []map[string]string{was, is} {
		for key := range leaves {
			all[key] = true
		}
	}
	var out strings.Builder
	listed, said := 0, map[string]bool{}
	for _, key := range sortedKeys(all) {
		if was[key] == is[key] {
			continue
		}
		same := fmt.Sprintf("%s\x00%s\x00%s", key[strings.LastIndexByte(key, '.')+1:], was[key], is[key])
		if said[same] {
			continue
		}
		said[same] = true
		if listed++; listed > maxDifferences {
			out.WriteString("; and more")
			break
		}
		fmt.Fprintf(&out, "; %s is %s, the study has %s", strings.TrimPrefix(key, "config."), shown(key, is), shown(key, was))
	}
	return out.String()
}

// shown is a leaf's value, the beginning of a hash, or a word for a key that is absent.
func shown(key string, leaves map[string]string) string {
	switch text := leaves[key]; {
	case text == "":
		return "none"
	case strings.HasPrefix(key, "inputs.") && len(text) > 14:
		return text[:13] + `..."`
	default:
		return text
	}
}

// flatten lists the leaves of a JSON tree by dotted path; arrays count as leaves, except those of objects.
func flatten(path string, tree any, leaves map[string]string) {
	if list, ok := tree.([]any); ok && len(list) > 0 {
		if _, ok := list[0].(map[string]any); ok {
			for i, child := range list {
				flatten(fmt.Sprintf("%s[%d]", path, i), child, leaves)
			}
			return
		}
	}
	object, ok := tree.(map[string]any)
	if !ok {
		text, err := json.Marshal(tree)
		if err == nil {
			leaves[path] = string(text)
		}
		return
	}
	for key, child := range object {
		name := key
		if path != "" {
			name = path + "." + key
		}
		flatten(name, child, leaves)
	}
}
