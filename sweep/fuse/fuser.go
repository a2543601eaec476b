package fuse

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"syncretic/arithmetic/mergekit"
	"syncretic/checkpoint"
)

// Options are what a sweep's choices share.
type Options struct {
	Groups   Groups // nil for DefaultGroups of the base
	Seed     uint64 // of methods that draw random numbers; recipes say it in a comment where it is not 0
	Memory   int64  // bytes of what methods find out that are kept from trial to trial; 0 for DefaultMemory
	BaseHash string // checkpoint.Hash of the base, for who has it already; "" computes it where a vector's file names its base

	Interrupt func() error // asked between parts of long computations; an error ends them
}

// DefaultMemory is enough for thresholds and masks of a dozen settings of a model of 95M parameters.
const DefaultMemory = 512 << 20

// bitsMemory is what `syncretic merge` allows for masks when it is not told otherwise: a part of a recipe's meaning in memory alone.
const bitsMemory = 400_000_000

// Fuser makes merges of one base and its task vectors. It is safe for concurrent use.
type Fuser struct {
	opts   Options
	base   string
	paths  map[string]string // of vectors, by name
	names  []string          // of vectors, sorted
	groups Groups
	models *mergekit.Models
}

// Open maps the base, a MODEL, and the vectors: by name, either the file of a task vector in any form, whose provenance must name this
// base, or a tuned MODEL with the base's tensors. Paths go into recipes as they are given. The files are read by the models alone.
//
// Errors are those of package mergekit, and [ErrChoice] for groups that the model does not have.
func Open(base string, vectors map[string]string, o Options) (*Fuser, error) {
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	f := &Fuser{opts: o, base: base, paths: maps.Clone(vectors), names: slices.Sorted(maps.Keys(vectors)), groups: o.Groups, models: mergekit.NewModels(o.Memory)}
	if err := f.open(); err != nil {
		_ = f.Close() // of files that were only read
		return nil, err
	}
	return f, nil
}

func (f *Fuser) open() error {
	if len(f.names) == 0 {
		return fmt.Errorf("%w: no task vectors", ErrChoice)
	}
	seen := map[string]string{filepath.Clean(f.base): "the base"}
	for _, name := range f.names {
		path := f.paths[name]
		if !utf8.ValidString(path) || !utf8.ValidString(f.base) {
			return fmt.Errorf("%w: path %q: not UTF-8, so no recipe can name it", ErrChoice, path)
		}
		if other, ok := seen[filepath.Clean(path)]; ok {
			return fmt.Errorf("%w: vectors: %s: %s is %s too", ErrChoice, name, path, other)
		}
		seen[filepath.Clean(path)] = name
	}
	weights := make(map[string]Weight)
	for _, name := range f.names {
		weights[name] = Weight{Value: 1}
	}
	all, err := f.Model(Choice{Method: "task_arithmetic", Weights: weights})
	if err != nil {
		return err
	}
	infos := all.Tensors()
	if f.groups == nil {
		if f.groups, err = DefaultGroups(infos, all.plan.Config()); err != nil {
			return err
		}
	}
	return f.groups.check(infos)
}

// Vectors lists the vectors' names, sorted: the order in which they are added.
func (f *Fuser) Vectors() []string { return slices.Clone(f.names) }

// Groups are the groups that a [Weight] may name.
func (f *Fuser) Groups() Groups { return slices.Clone(f.groups) }

// Close closes the files. No model that was made may be read any more.
func (f *Fuser) Close() error { return f.models.Close() }

// Model compiles a choice, from what is known without reading weights: a few milliseconds. Errors wrap [ErrChoice], mergekit.ErrRecipe
// or [checkpoint.ErrInvalid]; the fuser can be used after them.
func (f *Fuser) Model(c Choice) (*Model, error) {
	m, err := f.check(c)
	if err != nil {
		return nil, err
	}
	text, err := f.write(c, m)
	if err != nil {
		return nil, err
	}
	docs, err := mergekit.Parse(text)
	if err != nil {
		return nil, err
	}
	opts := mergekit.Options{Models: f.models, Seed: f.opts.Seed, Memory: bitsMemory, Interrupt: f.opts.Interrupt}
	if f.opts.BaseHash != "" {
		opts.Opener.Hash = func(checkpoint.Source) (string, error) { return f.opts.BaseHash, nil }
	}
	plan, err := mergekit.Compile(docs, opts)
	if err != nil {
		return nil, err
	}
	return &Model{Merge: plan.Merge(), plan: plan, recipe: text}, nil
}
