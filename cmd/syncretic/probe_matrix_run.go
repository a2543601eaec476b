package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"syncretic/adapt/mert"
	"syncretic/probe"
	"syncretic/probe/matrix"
)

// The floors, as rows of the table are named.
const (
	randomFloor = "random-encoder"
	cqtFloor    = "log-cqt"
)

// floorSeed draws the weights of the random encoder: one for all studies, so that its features are computed once a dataset.
const floorSeed = 1

// matrixRun is one study under way.
type matrixRun struct {
	a       *app
	cfg     probe.Config
	cache   string // of features
	store   matrix.Store
	columns []matrix.Column
	models  []matrixModel
	base    string // name

	sizes     mert.Config // of the first model
	normalize bool        // of all encoders
	computed  int         // cells
	spoilt    []string
}

// name lists the models with their names, and finds the base among them.
func (m *matrixRun) name() error {
	paths := m.cfg.Models
	switch {
	case m.cfg.Model != "":
		return fmt.Errorf("%w: model is set, want models: the list of directories of the encoders to compare", probe.ErrConfig)
	case len(paths) == 0:
		return fmt.Errorf("%w: models is missing: the directories of the encoders to compare", probe.ErrConfig)
	}
	for i, name := range shortNames(paths) {
		if slices.Contains(paths[:i], paths[i]) {
			return fmt.Errorf("%w: models holds %s twice", probe.ErrConfig, paths[i])
		}
		m.models = append(m.models, matrixModel{Name: name, Path: paths[i]})
	}
	if m.cfg.Floors == nil || *m.cfg.Floors {
		for _, name := range []string{randomFloor, cqtFloor} {
			if slices.ContainsFunc(m.models, func(o matrixModel) bool { return o.Name == name }) {
				return fmt.Errorf("%w: models holds %s, which is the name of a floor", probe.ErrConfig, name)
			}
			m.models = append(m.models, matrixModel{Name: name, Floor: true})
		}
	}
	var names []string
	for _, o := range m.models {
		names = append(names, o.Name)
		if m.cfg.Base == "" || m.cfg.Base == o.Name || m.cfg.Base == o.Path {
			m.base = o.Name
			return nil
		}
	}
	return fmt.Errorf("%w: base is %q, want one of %q", probe.ErrConfig, m.cfg.Base, names)
}

// check opens every model once, so that one that cannot be read, or treats its windows otherwise than the first, is known before hours
// of work.
func (m *matrixRun) check() error {
	for i, path := range m.cfg.Models {
		enc, err := mert.Open(path)
		if err != nil {
			return err
		}
		normalize := enc.Normalises()
		if m.cfg.Normalize != nil {
			normalize = *m.cfg.Normalize
		}
		if i == 0 {
			m.sizes, m.normalize = enc.Config(), normalize
		}
		if normalize != m.normalize {
			return fmt.Errorf("%w: %s normalises its windows: %t, %s: %t, and a comparison needs one for all: set normalize", probe.ErrConfig,
				m.cfg.Models[0], m.normalize, path, normalize)
		}
	}
	return nil
}

// run computes the cells that are not kept, model by model, so that one encoder is in memory at a time.
func (m *matrixRun) run(ctx context.Context) ([]matrix.Found, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	var found []matrix.Found
	for i := range m.models {
		o := &m.models[i]
		row, err := m.open(o)
		if err != nil {
			return nil, err
		}
		f := matrix.Found{Model: o.Name, Floor: o.Floor}
		for _, c := range m.columns {
			cell, err := m.cell(ctx, row, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", o.Name, err)
			}
			f.Cells, o.Features = append(f.Cells, cell), append(o.Features, cell.Origin)
		}
		found = append(found, f)
	}
	return found, nil
}

// matrixRow is a model ready to be probed.
type matrixRow struct {
	name     string
	path     string // or the name of a floor: for people who look into the cache
	encoder  probe.Extractor
	identity map[string]string
	head     probe.HeadConfig
}

// open opens a model or makes a floor.
func (m *matrixRun) open(o *matrixModel) (matrixRow, error) {
	row := matrixRow{name: o.Name, path: cmp.Or(o.Path, o.Name), head: m.cfg.Head}
	if o.Name == cqtFloor && o.Floor {
		floor, err := matrix.NewLogCQT()
		if err != nil {
			return row, err
		}
		// Its values are on a scale of their own, and it has one layer.
		row.head.Layers, row.head.Standardise = "0", true
		row.encoder, row.identity = floor, floor.Identity()
		return row, nil
	}
	var enc *probed
	var err error
	if o.Floor {
		enc, err = m.random()
	} else {
		enc, err = openProbed(o.Path, m.cfg.Normalize)
	}
	if err != nil {
		return row, err
	}
	leanHeap()
	o.Hash, row.encoder, row.identity = enc.hash, enc, enc.identity
	return row, nil
}

// random is an encoder of the first model's sizes that has learnt nothing.
func (m *matrixRun) random() (*probed, error) {
	enc, err := mert.New(m.sizes, floorSeed)
	if err != nil {
		return nil, err
	}
	return identify(enc, randomFloor, &m.normalize)
}

// cell is one cell, from the store where it is kept.
func (m *matrixRun) cell(ctx context.Context, row matrixRow, c matrix.Column) (*matrix.Stored, error) {
	opts := m.cfg.ExtractOptions()
	bar := m.a.progress("features of " + c.Name + " by " + row.name)
	defer bar.stop()
	opts.Cache, opts.Encoder, opts.Model, opts.InFlight = m.cache, row.identity, row.path, clipsInFlight()
	opts.Progress = func(done, total int) { bar.set(done, total, "") }
	origin, err := probe.OriginOf(c.Dataset, opts)
	if err != nil {
		return nil, err
	}
	key, err := matrix.Key(origin, c.Dataset, row.head, m.cfg.Seeds)
	if err != nil {
		return nil, err
	}
	if kept, err := m.store.Get(key); err != nil || kept != nil {
		return kept, err
	}
	features, err := probe.Extract(ctx, c.Dataset, row.encoder, opts)
	if err != nil {
		return nil, err
	}
	defer features.Close()
	m.spoilt = append(m.spoilt, features.Spoilt...)
	var splits [3]probe.Split
	for i, name := range []string{probe.Train, probe.Valid, probe.Test} {
		if splits[i], err = features.Split(c.Dataset, name); err != nil {
			return nil, err
		}
	}
	ev, err := probe.FitAndScore(ctx, splits[0], splits[1], splits[2], row.head, m.cfg.Seeds)
	if err != nil {
		return nil, fmt.Errorf("dataset %q: %w", c.Name, err)
	}
	m.computed++
	cell := matrix.NewStored(key, ev, features, slices.Compact(slices.Clone(splits[2].Features.Items)))
	return cell, m.store.Put(cell)
}
