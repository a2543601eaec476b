package fuse

import (
	"slices"

	"syncretic/arithmetic/mergekit"
)

// Model is the merged model of a choice: a [checkpoint.Versioned] source that computes what is read. It is valid until its fuser is
// closed, and safe for concurrent reads.
type Model struct {
	*mergekit.Merge
	plan   *mergekit.Plan
	recipe []byte
}

// Recipe is the merge recipe of the model, YAML as mergekit writes it: `syncretic merge RECIPE OUT` (with --seed where its first line says
// so), in the same working directory, makes a file of these very tensors.
func (m *Model) Recipe() []byte { return slices.Clone(m.recipe) }

// Notes are what a reader of the recipe would want to know.
func (m *Model) Notes() []string { return slices.Clone(m.plan.Notes) }
