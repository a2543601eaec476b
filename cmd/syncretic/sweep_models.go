package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
	"syncretic/sweep"
	"syncretic/sweep/fuse"
)

// sweepModels makes a sweep's models in memory, from inputs that are mapped once.
type sweepModels struct {
	fuser  *fuse.Fuser
	base   *checkpoint.Model
	multi  *checkpoint.Model // nil without one
	hashes map[string]string // of all models, by what they are
}

// openSweepModels maps the models of a config, and tries choices of every method, so that what does not fit is an error before any trial.
// The end of ctx ends long merges too.
func openSweepModels(ctx context.Context, cfg sweep.Config) (_ *sweepModels, err error) {
	s := &sweepModels{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.base, err = checkpoint.Open(cfg.Base); err != nil {
		return nil, err
	}
	if err := s.hashInputs(ctx, cfg); err != nil {
		return nil, err
	}
	options := fuse.Options{Seed: cfg.Seed, BaseHash: s.hashes["base"], Interrupt: ctx.Err}
	for _, g := range cfg.Groups {
		options.Groups = append(options.Groups, fuse.Group{Name: g.Name, Filters: g.Filters})
	}
	if s.fuser, err = fuse.Open(cfg.Base, cfg.Vectors, options); err != nil {
		return nil, err
	}
	for _, choice := range cfg.Space().Samples() {
		if _, _, err := s.Model(ctx, choice); err != nil {
			return nil, fmt.Errorf("method %s: %w", choice.Method, err)
		}
	}
	return s, nil
}

func (s *sweepModels) close() {
	for _, m := range []*checkpoint.Model{s.base, s.multi} {
		if m != nil {
			_ = m.Close() // what was only read closes without news
		}
	}
	if s.fuser != nil {
		_ = s.fuser.Close()
	}
}

// Model is the merge of a choice, with its recipe.
func (s *sweepModels) Model(_ context.Context, c sweep.Choice) (checkpoint.Source, []byte, error) {
	choice := fuse.Choice{Method: c.Method, Params: maps.Clone(c.Params), Weights: map[string]fuse.Weight{}}
	if choice.Params == nil {
		choice.Params = map[string]float64{}
	}
	for _, name := range s.fuser.Vectors() {
		switch c.Mode {
		case sweep.PerGroup:
			choice.Weights[name] = fuse.Weight{Groups: c.Lambdas}
		case sweep.PerCulture:
			choice.Weights[name] = fuse.Weight{Value: c.Lambdas[name]}
		default: // one coefficient of the merged task vector, where the method has it
			if scalesAll(c.Method) {
				choice.Params["lambda"], choice.Weights[name] = c.Lambdas[name], fuse.Weight{Value: 1}
			} else {
				choice.Weights[name] = fuse.Weight{Value: c.Lambdas[name]}
			}
		}
	}
	m, err := s.fuser.Model(choice)
	if err != nil {
		return nil, nil, err
	}
	return m, m.Recipe(), nil
}

// scalesAll reports whether a method scales the merged task vector by a parameter lambda.
func scalesAll(name string) bool {
	m, ok := method.Find(name)
	if !ok {
		return false
	}
	return slices.ContainsFunc(m.Params, func(p method.Param) bool { return p.Name == "lambda" && !p.Inert })
}

// Reference is a model that trials are compared with.
func (s *sweepModels) Reference(_ context.Context, r sweep.Reference) (checkpoint.Source, error) {
	if name, ok := r.Vector(); ok {
		return s.fuser.Model(s.fuser.Expert(name))
	}
	if r == sweep.Multi {
		return s.multi, nil
	}
	return s.base, nil
}

// hashInputs hashes all models, and checks that the vectors are of this base.
func (s *sweepModels) hashInputs(ctx context.Context, cfg sweep.Config) (err error) {
	s.hashes = map[string]string{}
	if s.hashes["base"], err = checkpoint.Hash(s.base); err != nil {
		return err
	}
	for _, name := range sortedNames(cfg.Vectors) {
		if err := ctx.Err(); err != nil { // a model is hashed in seconds, all of them may take minutes
			return err
		}
		m, err := checkpoint.Open(cfg.Vectors[name])
		if err != nil {
			return err
		}
		if _, err = taskVector(m, s.base, s.hashes["base"], false); err != nil {
			err = fmt.Errorf("vectors: %s: %w", name, err)
		} else {
			s.hashes["vector "+name], err = checkpoint.Hash(m)
		}
		_ = m.Close() // only read
		if err != nil {
			return err
		}
	}
	if cfg.Multi == "" {
		return nil
	}
	if s.multi, err = checkpoint.Open(cfg.Multi); err == nil {
		s.hashes["multi"], err = checkpoint.Hash(s.multi)
	}
	return err
}
