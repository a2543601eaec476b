package checkpoint

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// formatHeader spells a header: metadata first, then tensors by name, padded with spaces so that the data, 8 bytes
// further on, is aligned to 8.
func formatHeader(entries []entry, metadata map[string]string) []byte {
	text := []byte{'{'}
	comma := func() {
		if len(text) > 1 {
			text = append(text, ',')
		}
	}
	if len(metadata) > 0 {
		text = append(appendString(text, metadataKey), ":{"...)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if i > 0 {
				text = append(text, ',')
			}
			text = append(appendString(text, key), ':')
			text = appendString(text, metadata[key])
		}
		text = append(text, '}')
	}
	sorted := slices.SortedFunc(slices.Values(entries), func(a, b entry) int { return strings.Compare(a.Name, b.Name) })
	for _, e := range sorted {
		comma()
		text = append(appendString(text, e.Name), `:{"dtype":`...)
		text = append(appendString(text, string(e.DType)), `,"shape":[`...)
		for i, d := range e.Shape {
			if i > 0 {
				text = append(text, ',')
			}
			text = strconv.AppendInt(text, int64(d), 10)
		}
		text = strconv.AppendInt(append(text, `],"data_offsets":[`...), e.begin, 10)
		text = strconv.AppendInt(append(text, ','), e.end, 10)
		text = append(text, "]}"...)
	}
	text = append(text, '}')
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return text
}

// appendString appends a JSON string. Marshal of a string cannot fail; it replaces invalid UTF-8.
func appendString(dst []byte, s string) []byte {
	quoted, _ := json.Marshal(s)
	return append(dst, quoted...)
}
