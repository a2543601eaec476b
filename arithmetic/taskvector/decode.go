package taskvector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// File is what [Decode] reads: an opened checkpoint.Model, or an [Encoded] before it is one.
type File interface {
	checkpoint.RawSource
	Metadata() map[string]string
}

// Decode is the task vector in a file of any form, as F32 tensors that are computed block by block where they are read; a dense
// file is given back as it is. It stays valid as long as the file, and is safe for concurrent use.
//
// Of the sparse form positions are read here, once, and checked: a file that breaks a rule of the package comment is an error that
// names tensor and part and wraps [ErrInvalid], as does a form or version that is not known. Nothing is allocated for what a file
// says of itself before its length bears it out; beside a read's blocks, memory is 1/16 of the positions' bytes at most.
func Decode(file File) (checkpoint.Source, error) {
	what := "the task vector"
	if p, ok := file.(interface{ Path() string }); ok && p.Path() != "" {
		what = p.Path()
	}
	meta := file.Metadata()
	form, version := Form(meta[FormKey]), meta[VersionKey]
	switch {
	case form == "" && version == "":
		return file, nil // as they were before there were forms
	case version != Version:
		return nil, invalid("%s: version %q of task vector files, want %s: was it made by a later release?", what, version, Version)
	case form == Dense:
		return file, nil
	case form != Sparse && form != LowRank:
		return nil, invalid("%s: a task vector of form %q, want %s, %s or %s", what, form, Dense, Sparse, LowRank)
	}
	d := &decoding{src: file, out: newSource(what)}
	if err := d.decode(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return &decoded{d.out, what}, nil
}

// decoded is a vector with the path of its file, which messages name.
type decoded struct {
	*source
	path string
}

// Path is the file's path.
func (v *decoded) Path() string { return v.path }

// decoding is a vector on its way out of a file.
type decoding struct {
	src checkpoint.RawSource
	out *source
}

// decode puts parts together.
func (d *decoding) decode() error {
	all := map[string]map[string]checkpoint.Info{}
	for _, info := range d.src.Tensors() {
		at := strings.LastIndexByte(info.Name, '.')
		if at < 1 {
			return invalid("tensor %q: no part of a task vector's tensor", info.Name)
		}
		name, part := info.Name[:at], info.Name[at+1:]
		if all[name] == nil {
			all[name] = map[string]checkpoint.Info{}
		}
		all[name][part] = info
	}
	names := slices.Sorted(maps.Keys(all))
	shapes, tensors := make([][]int, len(names)), make([]tensor, len(names))
	if err := each(len(names), func(i int, s *scratch) (err error) {
		shapes[i], tensors[i], err = d.tensor(all[names[i]], s)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", names[i], err)
		}
		return nil
	}); err != nil {
		return err
	}
	for i, name := range names {
		d.out.add(checkpoint.Info{Name: name, DType: checkpoint.F32, Shape: shapes[i]}, tensors[i])
	}
	return nil
}

// tensor decides by the parts that are there.
func (d *decoding) tensor(parts map[string]checkpoint.Info, s *scratch) ([]int, tensor, error) {
	switch strings.Join(slices.Sorted(maps.Keys(parts)), " ") {
	case partDense:
		info := parts[partDense]
		if _, ok := elements(info.Shape); !ok {
			return nil, nil, invalid("shape %d has too many elements", info.Shape)
		}
		return info.Shape, stored{d.src, info.Name}, floats(partDense, info)
	case partLeft + " " + partRight:
		return d.decodeFactors(parts)
	case partMask + " " + partOctets + " " + partShape + " " + partValues:
		return d.decodeSparse(parts, s)
	}
	return nil, nil, invalid("its parts are %s, want dense, or left and right, or shape, octets, mask and values",
		strings.Join(slices.Sorted(maps.Keys(parts)), ", "))
}

// floats wants a part to be of floats.
func floats(part string, info checkpoint.Info) error {
	if !floating(info.DType) {
		return invalid("%s is %s, want floats", part, info.DType)
	}
	return nil
}

// mostDimensions is a rank beyond that of any tensor.
const mostDimensions = 64

// decodeSparse checks the parts of a sparse tensor.
func (d *decoding) decodeSparse(parts map[string]checkpoint.Info, s *scratch) ([]int, tensor, error) {
	for part, dtype := range map[string]checkpoint.DType{partShape: checkpoint.I64, partOctets: checkpoint.U8, partMask: checkpoint.U8, partValues: ""} {
		info := parts[part]
		if len(info.Shape) != 1 {
			return nil, nil, invalid("%s has shape %d, want one dimension", part, info.Shape)
		}
		if dtype != "" && info.DType != dtype {
			return nil, nil, invalid("%s is %s, want %s", part, info.DType, dtype)
		}
	}
	if err := floats(partValues, parts[partValues]); err != nil {
		return nil, nil, err
	}
	shape, n, err := d.shape(parts[partShape])
	if err != nil {
		return nil, nil, err
	}
	if got, want := parts[partOctets].Shape[0], (n+flagElements-1)/flagElements; got != want {
		return nil, nil, invalid("octets has %d bytes, want %d for shape %d", got, want, shape)
	}
	k, err := newKept(n, d.bytes(parts[partOctets].Name), d.bytes(parts[partMask].Name), parts[partMask].Shape[0], s)
	if err != nil {
		return nil, nil, err
	}
	if got, want := parts[partValues].Shape[0], k.total().values; got != want {
		return nil, nil, invalid("%d values, want %d, one a set bit of mask", got, want)
	}
	return shape, spread{d.src, parts[partValues].Name, k}, nil
}

// shape reads the part of that name.
func (d *decoding) shape(info checkpoint.Info) (shape []int, n int, err error) {
	if info.Elements() > mostDimensions {
		return nil, 0, invalid("%d dimensions, want at most %d", info.Elements(), mostDimensions)
	}
	dimensions, err := checkpoint.ReadIntegers(d.src, info.Name)
	if err != nil {
		return nil, 0, err
	}
	for _, x := range dimensions {
		if x < 0 || x > mostElements {
			return nil, 0, invalid("shape %d, want dimensions from 0 to %d", dimensions, mostElements)
		}
		shape = append(shape, int(x))
	}
	n, ok := elements(shape)
	if !ok {
		return nil, 0, invalid("shape %d has too many elements", shape)
	}
	return shape, n, nil
}

// bytes reads a U8 tensor. It goes through Read, not Raw: where the file is closed, or cut while it is mapped, that is an error.
func (d *decoding) bytes(name string) bytesAt {
	return func(at int, dst []byte, s *scratch) error {
		numbers := room(&s.numbers, len(dst))
		if err := d.src.Read(name, at, numbers); err != nil {
			return err
		}
		for i, x := range numbers {
			dst[i] = byte(x)
		}
		return nil
	}
}
