package checkpoint

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// layout is one file to write: its header and where each tensor goes.
type layout struct {
	name    string
	header  []byte
	entries []entry // in the order of the data, DType as written
	inputs  []Info  // the same tensors as the source has them
	data    int64   // bytes after the header
}

// plan decides every output byte's place from headers alone, and refuses what cannot be written before any is.
func plan(src Source, opts WriteOptions) ([]layout, error) {
	if opts.DType != "" && !encodable(opts.DType) {
		return nil, fmt.Errorf("dtype %q: want F64, F32, F16, BF16, F8_E4M3 or F8_E5M2", opts.DType)
	}
	if opts.ShardBytes < 0 {
		return nil, fmt.Errorf("shard size of %d bytes, want 0 (one file) or more", opts.ShardBytes)
	}
	named := func(side SideFile) bool { return side.Name == opts.Weights }
	if opts.Weights != "" && (opts.ShardBytes > 0 || !plainName(opts.Weights) || !strings.HasSuffix(opts.Weights, ".safetensors") || slices.ContainsFunc(opts.SideFiles, named)) {
		return nil, invalid("weights file %q, shards of %d bytes: want a plain name that ends in .safetensors and is no side file's, and one file", opts.Weights, opts.ShardBytes)
	}
	var tensors []entry
	for _, info := range src.Tensors() {
		e := entry{Info: info}
		if opts.DType != "" && !info.DType.Integer() {
			e.DType = opts.DType
		}
		elements, ok := measureBits(info.Shape, max(info.DType.Bits(), e.DType.Bits()))
		switch {
		case info.DType.Bits() == 0 || !ok || elements*info.DType.Bits()%8 != 0:
			return nil, invalid("tensor %q: %s %d cannot be written", info.Name, info.DType, info.Shape)
		case info.Name == metadataKey || !utf8.ValidString(info.Name):
			return nil, invalid("tensor %q: this name cannot be stored", info.Name)
		case e.DType != info.DType && info.DType.opaque():
			return nil, invalid("tensor %q: %s is carried as bytes only, and cannot become %s", info.Name, info.DType, e.DType)
		case !encodable(e.DType):
			_, ok, err := rawBytes(src, info)
			if !ok && err == nil {
				ok, err = gathered(src, info.Name, 0, nil)
			}
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, noStored(info)
			}
		}
		e.end = e.DType.bytes(elements)
		tensors = append(tensors, e)
	}
	metadata := maps.Clone(opts.Metadata)
	if metadata == nil {
		metadata = make(map[string]string)
	}
	if metadata["format"] == "" {
		metadata["format"] = "pt" // transformers refuses a file that does not say so
	}
	for key, value := range metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, invalid("metadata %q: not valid UTF-8", key)
		}
	}
	var files []layout
	for _, shard := range split(tensors, opts.ShardBytes) {
		files = append(files, newLayout(shard, metadata))
		if n := len(files[len(files)-1].header) - 8; n > maxHeader {
			return nil, invalid("header of %d bytes, want at most %d", n, maxHeader)
		}
	}
	byName := make(map[string]Info)
	for _, info := range src.Tensors() {
		if _, ok := byName[info.Name]; ok {
			return nil, invalid("tensor %q: listed twice", info.Name)
		}
		byName[info.Name] = info
	}
	for i := range files {
		files[i].name = cmp.Or(opts.Weights, weightsName)
		if len(files) > 1 {
			files[i].name = fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(files))
		}
		for _, e := range files[i].entries {
			files[i].inputs = append(files[i].inputs, byName[e.Name])
		}
	}
	return files, nil
}

// split fills shards with tensors by name; a tensor larger than limit gets one of its own. There is always one shard.
func split(tensors []entry, limit int64) [][]entry {
	shards := [][]entry{nil}
	used := int64(0)
	for _, e := range tensors {
		last := len(shards) - 1
		if limit > 0 && len(shards[last]) > 0 && used+e.end > limit {
			shards = append(shards, nil)
			last, used = last+1, 0
		}
		shards[last] = append(shards[last], e)
		used += e.end
	}
	return shards
}

// newLayout places tensors as the reference does: wide types first, so that all are aligned, then by name.
func newLayout(tensors []entry, metadata map[string]string) layout {
	entries := slices.Clone(tensors)
	slices.SortFunc(entries, func(a, b entry) int {
		if x, y := a.DType.Bits(), b.DType.Bits(); x != y {
			return y - x
		}
		return strings.Compare(a.Name, b.Name)
	})
	l := layout{entries: entries}
	for i := range entries {
		size := entries[i].end - entries[i].begin
		entries[i].begin, entries[i].end = l.data, l.data+size
		l.data += size
	}
	text := formatHeader(entries, metadata)
	n := len(text)
	l.header = make([]byte, 8, 8+n)
	for i := range 8 {
		l.header[i] = byte(n >> (8 * i))
	}
	l.header = append(l.header, text...)
	return l
}
