package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// rawBytes asks a source for stored bytes. ok is false where it has none for this tensor.
func rawBytes(src Source, info Info) (raw []byte, ok bool, err error) {
	rs, ok := src.(RawSource)
	if !ok {
		return nil, false, nil
	}
	raw, err = rs.Raw(info.Name)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, false, nil
	}
	if err == nil && int64(len(raw)) != info.Bytes() {
		err = invalid("tensor %q: source has %d bytes, want %d for %s %d", info.Name, len(raw), info.Bytes(), info.DType, info.Shape)
	}
	return raw, err == nil, err
}

// view is a Source whose tensors come from others, perhaps under other names.
type view struct {
	infos []Info
	at    map[string]place
}

type place struct {
	src  Source
	name string
}

func (v *view) Tensors() []Info { return v.infos }

func (v *view) Read(name string, offset int, dst []float32) error {
	p, ok := v.at[name]
	if !ok {
		return invalid("tensor %q: not present", name)
	}
	return p.src.Read(p.name, offset, dst)
}

func (v *view) Raw(name string) ([]byte, error) {
	p, ok := v.at[name]
	if !ok {
		return nil, invalid("tensor %q: not present", name)
	}
	if rs, ok := p.src.(RawSource); ok {
		return rs.Raw(p.name)
	}
	return nil, fmt.Errorf("tensor %q: no bytes as stored: %w", name, errors.ErrUnsupported)
}

// Union joins all tensors of several sources. A name in two of them is an error.
func Union(sources ...Source) (Source, error) {
	v := &view{at: make(map[string]place)}
	for _, src := range sources {
		for _, info := range src.Tensors() {
			if _, ok := v.at[info.Name]; ok {
				return nil, invalid("tensor %q: in two of the joined sources", info.Name)
			}
			v.at[info.Name] = place{src, info.Name}
			v.infos = append(v.infos, info)
		}
	}
	slices.SortFunc(v.infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return v, nil
}

// Prefix renames every tensor of src to prefix + name.
func Prefix(src Source, prefix string) Source {
	v := &view{at: make(map[string]place)}
	for _, info := range src.Tensors() { // one prefix keeps the order
		inner := info.Name
		info.Name = prefix + inner
		v.at[info.Name] = place{src, inner}
		v.infos = append(v.infos, info)
	}
	return v
}

// Select has only the tensors of src whose names keep accepts. It asks once a name, now.
func Select(src Source, keep func(name string) bool) Source {
	v := &view{at: make(map[string]place)}
	for _, info := range src.Tensors() {
		if keep(info.Name) {
			v.at[info.Name] = place{src, info.Name}
			v.infos = append(v.infos, info)
		}
	}
	return v
}
