package encodec

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// Open makes an encoder from a model directory: config.json beside model.safetensors, its shards, or pytorch_model.bin.
// Errors name the path and are [ErrConfig], [ErrInvalid], [checkpoint.ErrInvalid] or [fs.ErrNotExist].
func Open(path string) (*Encoder, error) {
	m, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	config, err := m.Config()
	if err != nil {
		return nil, err
	}
	cfg, err := ParseConfig(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, "config.json"), err)
	}
	e, err := Load(cfg, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}

// Load makes an encoder from the weights of src, converted to float32, in either spelling of weight norm. The decoder's
// tensors are passed over by name. Every other tensor that is missing, unknown, of another shape or not of floats is
// reported, all in one [ErrInvalid], before any memory is taken.
func Load(cfg Config, src checkpoint.Source) (*Encoder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	table := cfg.weights()
	names, err := match(table, src)
	if err != nil {
		return nil, err
	}
	values := make(map[string][]float32, len(table))
	tensors := make([]checkpoint.Tensor, len(table))
	for i, w := range table {
		data, err := read(src, names[i], w)
		if err != nil {
			return nil, err
		}
		values[w.name] = data
		tensors[i] = checkpoint.Tensor{Name: w.name, Shape: w.shape, Data: data}
	}
	memory, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		return nil, err
	}
	e := assemble(cfg, vars{get: func(name string, _ []int) []float32 { return values[name] }})
	e.hash, err = checkpoint.Hash(memory)
	return e, err
}

// read returns the elements of a tensor, all finite; a gain's direction must have a length to be divided by.
func read(src checkpoint.Source, name string, w weight) ([]float32, error) {
	data, err := checkpoint.ReadAll(src, name)
	if err != nil {
		return nil, fmt.Errorf("tensor %q: %w", name, err)
	}
	for i, v := range data {
		if d := float64(v); math.IsNaN(d) || math.IsInf(d, 0) {
			return nil, fmt.Errorf("%w: tensor %q: element %d is %g, want finite weights", ErrInvalid, name, i, v)
		}
	}
	if strings.HasSuffix(w.name, directionName) {
		for row := range slices.Chunk(data, len(data)/w.shape[0]) {
			if !slices.ContainsFunc(row, func(v float32) bool { return v != 0 }) {
				return nil, fmt.Errorf("%w: tensor %q: a channel is all zeros, which weight norm divides by", ErrInvalid, name)
			}
		}
	}
	return data, nil
}

// match finds the name in src of every tensor of the table, or reports all that does not fit.
func match(table []weight, src checkpoint.Source) ([]string, error) {
	var problems []string
	found := map[string]checkpoint.Info{}
	for _, info := range src.Tensors() {
		name := canonical(info.Name)
		if twin, ok := found[name]; ok {
			problems = append(problems, fmt.Sprintf("tensors %q and %q are the same weight", twin.Name, info.Name))
		}
		if !unused(name) {
			found[name] = info
		}
	}
	names := make([]string, len(table))
	missing := 0
	for i, w := range table {
		info, ok := found[w.name]
		switch {
		case !ok:
			missing++
			problems = append(problems, fmt.Sprintf("tensor %q is missing, want shape %v", w.name, w.shape))
		case !slices.Equal(info.Shape, w.shape):
			problems = append(problems, fmt.Sprintf("tensor %q: shape %v, want %v", info.Name, info.Shape, w.shape))
		case info.DType.Integer() || info.DType.Size() == 0 || info.DType == checkpoint.C64:
			problems = append(problems, fmt.Sprintf("tensor %q: dtype %s, want a floating-point type", info.Name, info.DType))
		}
		names[i] = info.Name
		delete(found, w.name)
	}
	for _, info := range src.Tensors() { // in the source's order
		if _, extra := found[canonical(info.Name)]; extra {
			problems = append(problems, fmt.Sprintf("tensor %q %v is not part of this model", info.Name, info.Shape))
		}
	}
	if len(problems) == 0 {
		return names, nil
	}
	const shown = 5
	more, hint := "", ""
	if n := len(problems) - shown; n > 0 {
		problems, more = problems[:shown], fmt.Sprintf("; and %d more", n)
	}
	if missing == len(table) {
		hint = " (no name matches: want transformers' EnCodec names, such as encoder.layers.0.conv.bias)"
	}
	return nil, fmt.Errorf("%w: weights do not fit the config: %s%s%s", ErrInvalid, strings.Join(problems, "; "), more, hint)
}
