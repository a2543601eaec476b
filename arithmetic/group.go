package arithmetic

import (
	"slices"
	"strconv"
	"strings"
)

// Group is the part of a model that a tensor is reported under. `encoder.layers.3.attention.k_proj.weight` belongs to
// `encoder.layers.3`: a name is cut after the number that follows `layers`, `layer`, `blocks` or `h`. Others belong to
// their first component, or to the first two where the first is a container of layers in this sense
// (`encoder.pos_conv_embed`, `model.embed_tokens`).
func Group(tensor string) string {
	parts := strings.Split(tensor, ".")
	for i := 1; i < len(parts); i++ {
		if _, err := strconv.ParseUint(parts[i], 10, 31); err == nil && slices.Contains([]string{"layers", "layer", "blocks", "h"}, parts[i-1]) {
			return strings.Join(parts[:i+1], ".")
		}
	}
	if len(parts) > 2 && slices.Contains([]string{"encoder", "decoder", "model", "transformer"}, parts[0]) {
		return parts[0] + "." + parts[1]
	}
	return parts[0]
}

// sortedGroups orders groups by name, with numbers by value: layer 2 before layer 10.
func sortedGroups(groups map[string]*group) []string {
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
			i, errX := strconv.Atoi(x)
			j, errY := strconv.Atoi(y)
			if errX == nil && errY == nil && i != j {
				return i - j
			}
			return strings.Compare(x, y)
		})
	})
	return names
}
