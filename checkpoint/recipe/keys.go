package recipe

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Keys are the keys of a YAML mapping in the order of the document, which a Go map forgets.
type Keys []string

// UnmarshalYAML reads the keys and leaves the values to others.
func (k *Keys) UnmarshalYAML(node *yaml.Node) error {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: want keys with values", node.Line)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		*k = append(*k, node.Content[i].Value)
	}
	return nil
}
