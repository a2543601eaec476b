package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"syncretic/checkpoint"
	"syncretic/probe"
	"syncretic/sweep"
)

// rungs holds what is known of one model: its features of the parts of each dataset that were asked for so far, since a larger part takes
// in the smaller one, and its losses. So nothing is encoded twice.
type rungs struct {
	model  checkpoint.Source
	seen   map[string]*itemRows // by dataset
	losses map[string]sweep.Loss
}

// itemRows are the features of some items of a dataset, by the item's index.
type itemRows struct {
	layers, dim int
	rows        map[int][]float32 // [rows of the item][layers][dim]
	skipped     map[int]probe.SkippedItem
}

// extract returns a part of a dataset, in (0, 1], with its train and valid features, encoding what is missing.
func (r *rungs) extract(ctx context.Context, ds *probe.Dataset, enc probe.Extractor, opts probe.ExtractOptions, part float64, seed uint64) (chosen *probe.Dataset, train, valid probe.Split, err error) {
	if r.seen == nil {
		r.seen = map[string]*itemRows{}
	}
	e := r.seen[ds.Name]
	if e == nil {
		e = &itemRows{rows: map[int][]float32{}, skipped: map[int]probe.SkippedItem{}}
		r.seen[ds.Name] = e
	}
	var items []int
	for _, split := range opts.Splits {
		items = append(items, partOf(ds, split, part, seed)...)
	}
	slices.Sort(items)
	if err := e.fill(ctx, ds, enc, opts, items); err != nil {
		return nil, train, valid, err
	}
	chosen, features := e.collect(ds, items)
	if train, err = features.Split(chosen, probe.Train); err == nil {
		valid, err = features.Split(chosen, probe.Valid)
	}
	return chosen, train, valid, err
}

// partOf are the items of a split that belong to a part, in the order of the dataset: those whose group, or else ID, comes first in an
// order that the seed draws. Smaller parts lie in larger ones.
func partOf(ds *probe.Dataset, split string, part float64, seed uint64) []int {
	items := ds.Indices(split)
	if part >= 1 {
		return items
	}
	order := func(i int) []byte {
		key := ds.Items[i].Group
		if key == "" {
			key = ds.Items[i].ID
		}
		sum := sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, seed), key...))
		return sum[:]
	}
	keys := make(map[int][]byte, len(items))
	for _, i := range items {
		keys[i] = order(i)
	}
	slices.SortStableFunc(items, func(a, b int) int { return bytes.Compare(keys[a], keys[b]) })
	items = items[:int(math.Ceil(part*float64(len(items))))]
	slices.Sort(items)
	return items
}

// checkParts refuses parts of a dataset by which nothing can be chosen, before hours are spent on the references.
func checkParts(ds *probe.Dataset, parts []float64, seed uint64) error {
	for _, part := range parts {
		for _, split := range []string{probe.Train, probe.Valid} {
			items := partOf(ds, split, part, seed)
			if !anyTagVaries(ds, items) {
				return fmt.Errorf("halving.parts: %v of dataset %q are %d %s items, among which no tag has both positive and negative ones: %w: take a larger part",
					part, ds.Name, len(items), split, sweep.ErrConfig)
			}
		}
	}
	return nil
}

// anyTagVaries reports whether a tag has both positive and negative ones among the items.
func anyTagVaries(ds *probe.Dataset, items []int) bool {
	for tag := range ds.Tags {
		positive := 0
		for _, i := range items {
			if ds.Items[i].Labels[tag] {
				positive++
			}
		}
		if positive > 0 && positive < len(items) {
			return true
		}
	}
	return false
}

// fill encodes the items that are not there.
func (e *itemRows) fill(ctx context.Context, ds *probe.Dataset, enc probe.Extractor, opts probe.ExtractOptions, items []int) error {
	missing := slices.DeleteFunc(slices.Clone(items), func(i int) bool {
		_, skipped := e.skipped[i]
		return e.rows[i] != nil || skipped
	})
	if len(missing) == 0 {
		return nil
	}
	some := sub(ds, missing)
	opts.Splits = slices.DeleteFunc(slices.Clone(opts.Splits), func(s string) bool { return len(some.Indices(s)) == 0 })
	features, err := probe.Extract(ctx, some, enc, opts)
	if err != nil {
		return err
	}
	e.layers, e.dim = features.Layers, features.Dim
	size := e.layers * e.dim
	for row, k := range features.Items {
		i := missing[k]
		e.rows[i] = append(e.rows[i], features.Values[row*size:(row+1)*size]...)
	}
	for _, s := range features.Skipped {
		e.skipped[missing[s.Item]] = s
	}
	return nil
}

// collect joins the features of items, and the dataset of these items alone.
func (e *itemRows) collect(ds *probe.Dataset, items []int) (*probe.Dataset, *probe.Features) {
	f := &probe.Features{Layers: e.layers, Dim: e.dim}
	size := e.layers * e.dim
	for k, i := range items {
		if s, skipped := e.skipped[i]; skipped {
			s.Item = k
			f.Skipped = append(f.Skipped, s)
			continue
		}
		for range len(e.rows[i]) / size {
			f.Items = append(f.Items, k)
		}
		f.Values = append(f.Values, e.rows[i]...)
	}
	return sub(ds, items), f
}

// sub is the dataset of some items.
func sub(ds *probe.Dataset, items []int) *probe.Dataset {
	out := *ds
	out.Items = nil
	for _, i := range items {
		out.Items = append(out.Items, ds.Items[i])
	}
	return &out
}
