package lora

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"syncretic/checkpoint"
)

// The names of an adapter's files, and what stands before the names of its tensors.
const (
	configName  = "adapter_config.json"
	weightsName = "adapter_model.safetensors"
	prefix      = "base_model.model."
)

// Adapter is an opened adapter. It is safe for concurrent use.
type Adapter struct {
	dir     string
	config  config
	weights *checkpoint.Model
	changes map[string]*change // by the name of the base's tensor
}

// change is what an adapter does to one tensor of the base: it replaces it, or adds scale·B·A, or scale times a bias.
type change struct {
	full string // the adapter's tensor that replaces it
	a, b string // its factors
	bias string // what is added to a bias

	embedding bool
	scale     float64
	rank      int
}

// Open opens a directory with adapter_config.json and adapter_model.safetensors, or adapter_model.bin. Close it after use. The
// error wraps fs.ErrNotExist where a file is missing, and [checkpoint.ErrInvalid] where the contents are wrong, or nothing that can
// be added to weights.
func Open(dir string) (*Adapter, error) {
	raw, err := os.ReadFile(filepath.Join(dir, configName))
	if err != nil {
		return nil, err
	}
	a := &Adapter{dir: dir, changes: map[string]*change{}}
	if a.config, err = parseConfig(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	path := filepath.Join(dir, weightsName)
	a.weights, err = checkpoint.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if second, err2 := checkpoint.Open(strings.TrimSuffix(path, ".safetensors") + ".bin"); !errors.Is(err2, fs.ErrNotExist) {
			a.weights, err = second, err2
		}
	}
	if err != nil {
		return nil, err
	}
	if err := a.sort(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", a.weights.Path(), err), a.Close())
	}
	return a, nil
}

// Close closes the adapter's file. What [Apply] made of it must not be read afterwards.
func (a *Adapter) Close() error { return a.weights.Close() }

// Base is the name or path of the base model, as the adapter's configuration has it; "" where it has none.
func (a *Adapter) Base() string { return a.config.Base }

// sort finds out what each tensor is, and which of the base's it changes.
func (a *Adapter) sort() error {
	for _, info := range a.weights.Tensors() {
		name, ok := strings.CutPrefix(info.Name, prefix)
		if !ok {
			return invalid("tensor %q: its name does not begin with %q", info.Name, prefix)
		}
		if err := a.place(info, name); err != nil {
			return err
		}
	}
	for name, c := range a.changes {
		if c.full != "" && c.a+c.b+c.bias != "" {
			return invalid("tensors %q and %q both change %q", c.full, c.a+c.b+c.bias, name)
		}
		if (c.a == "") != (c.b == "") {
			return invalid("tensor %q: its other factor is missing", c.a+c.b)
		}
		if c.a == "" {
			continue
		}
		if err := a.pair(name, c); err != nil {
			return err
		}
	}
	return a.biases()
}

// place notes one tensor of the adapter, whose name without the prefix is given.
func (a *Adapter) place(info checkpoint.Info, name string) error {
	at := func(target string) *change {
		if a.changes[target] == nil {
			a.changes[target] = new(change)
		}
		return a.changes[target]
	}
	for _, kind := range []struct {
		suffix string
		to     func(module string)
	}{
		{".lora_A.weight", func(module string) { at(module + ".weight").a = info.Name }},
		{".lora_B.weight", func(module string) { at(module + ".weight").b = info.Name }},
		{".lora_B.bias", func(module string) { at(module + ".bias").bias = info.Name }},
		{".lora_embedding_A", func(module string) { at(module+".weight").a, at(module+".weight").embedding = info.Name, true }},
		{".lora_embedding_B", func(module string) { at(module+".weight").b, at(module+".weight").embedding = info.Name, true }},
	} {
		if module, ok := strings.CutSuffix(name, kind.suffix); ok {
			kind.to(module)
			return nil
		}
	}
	if strings.Contains(name, "lora_") || strings.Contains(name, "token_adapter") {
		return invalid("tensor %q: not of a plain LoRA adapter", info.Name)
	}
	for _, wrapper := range []string{".modules_to_save.default.", ".modules_to_save.", ".base_layer."} {
		name = strings.Replace(name, wrapper, ".", 1)
	}
	c := at(name)
	if c.full != "" {
		return invalid("tensors %q and %q both replace %q", c.full, info.Name, name)
	}
	c.full = info.Name
	return nil
}

// pair checks two factors against each other, and finds their scaling.
func (a *Adapter) pair(name string, c *change) error {
	left, _ := checkpoint.Find(a.weights, c.b)
	right, _ := checkpoint.Find(a.weights, c.a)
	if len(left.Shape) < 2 || len(right.Shape) != len(left.Shape) || left.Shape[1] != right.Shape[0] || right.Shape[0] == 0 {
		return invalid("tensors %q and %q: shapes %d and %d, want [out][r] and [r][in]", c.b, c.a, left.Shape, right.Shape)
	}
	for _, n := range left.Shape[2:] {
		if n != 1 {
			return invalid("tensor %q: shape %d, want a kernel of 1", c.b, left.Shape)
		}
	}
	c.rank = right.Shape[0]
	var err error
	c.scale, err = a.config.scaling(strings.TrimSuffix(name, ".weight"), c.rank)
	return err
}

// biases finds the scaling of what is added to biases: that of the module's factors.
func (a *Adapter) biases() error {
	for name, c := range a.changes {
		if c.bias == "" {
			continue
		}
		weight := a.changes[strings.TrimSuffix(name, ".bias")+".weight"]
		if weight == nil || weight.a == "" {
			return invalid("tensor %q: there are no factors beside it", c.bias)
		}
		c.scale = weight.scale
	}
	return nil
}
