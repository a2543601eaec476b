package sweep

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxDifferences is how many differing keys an error lists.
const maxDifferences = 3

// differences says how two JSON documents differ: "; rho is 0.95, the study has 0.98", up to three keys.
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
	listed := 0
	for _, key := range sortedKeys(all) {
		if was[key] == is[key] {
			continue
		}
		if listed++; listed > maxDifferences {
			out.WriteString("; and more")
			break
		}
		fmt.Fprintf(&out, "; %s is %s, the study has %s", key, orNothing(is[key]), orNothing(was[key]))
	}
	return out.String()
}

func orNothing(s string) string {
	if s == "" {
		return "absent"
	}
	return s
}

// flatten lists the leaves of a JSON tree by dotted path; arrays count as leaves.
func flatten(path string, tree any, leaves map[string]string) {
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
