package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"

	"syncretic/adapt"
	"syncretic/arithmetic"
	"syncretic/checkpoint"
	"syncretic/examples/corpus"
)

func (s *session) makeCorpora(ctx context.Context, rep *Report) error {
	for _, c := range s.cultures {
		manifest, err := corpus.Write(ctx, s.path("corpora"), c, corpus.Options{Seed: s.seed, Seconds: s.profile.Seconds,
			Train: s.profile.Train, Valid: s.profile.Valid, Test: s.profile.Test,
			Progress: func(done, total int) { s.report(c.Name, done, total, "clips") }})
		if err != nil {
			return err
		}
		s.manifests[c.Name] = manifest
	}
	return nil
}

// fitTeacher fits the teacher on all Western training clips and an eighth of every other culture's, so that its codes do not
// ignore what the Western corpus lacks.
func (s *session) fitTeacher(ctx context.Context, rep *Report) error {
	t, err := adapt.TeacherFor(ctx, s.teacherConfig(), nil)
	if err != nil {
		return err
	}
	s.teacher = t
	random, err := adapt.NewEncoder(s.profile.Encoder, t, s.seed)
	if err != nil {
		return err
	}
	s.models[modelRandom], err = adapt.NewModel(random, nil, t, s.config().Objective, s.seed)
	return err
}

func (s *session) teacherConfig() adapt.TeacherConfig {
	cfg := adapt.DefaultTeacher()
	cfg.Path, cfg.Seed = s.path("teacher"), s.seed
	for _, c := range s.cultures {
		share := 0.125
		if c.Western {
			share = 1
		}
		cfg.Fit = append(cfg.Fit, adapt.FitCorpus{Name: c.Name, Manifest: s.manifests[c.Name], Split: "train", Share: share})
	}
	return cfg
}

// config is the recipe that all trainings of the demonstration share.
func (s *session) config() adapt.Config {
	cfg := adapt.DefaultConfig()
	cfg.Seed, cfg.Teacher, cfg.Targets = s.seed, s.teacherConfig(), s.path("targets")
	cfg.Objective.CQTWeight = 20
	cfg.Objective.CodebookDim = s.profile.CodebookDim
	cfg.Objective.MixtureProb = 0
	cfg.Objective.FeatureGradMult = 1
	cfg.Batch = adapt.Batch{Clips: s.profile.Clips, Seconds: s.profile.CropSeconds, Accumulate: 1}
	return cfg
}

func (s *session) corpusConfig(c corpus.Culture, replay bool) adapt.CorpusConfig {
	return adapt.CorpusConfig{Name: c.Name, Manifest: s.manifests[c.Name], Split: "train", Replay: replay}
}

func (s *session) pretrain(ctx context.Context, rep *Report) error {
	cfg := s.config()
	cfg.Init = s.profile.Encoder
	cfg.Corpora = []adapt.CorpusConfig{s.corpusConfig(s.western, false)}
	cfg.Stages = []adapt.Stage{s.profile.Base}
	return s.train(ctx, modelBase, cfg, func(name string, r adapt.Record) { s.report(name, r.Step, r.Steps, parts(r)) })
}

func parts(r adapt.Record) string { return fmt.Sprintf("ce %.2f  cqt %.3f", r.CE(), r.CQT) }

// adaptCultures trains one model a culture and one on all four with the steps of one, two at a time.
func (s *session) adaptCultures(ctx context.Context, rep *Report) error {
	type job struct {
		name    string
		corpora []corpus.Culture
	}
	var jobs []job
	for _, c := range s.adapted() {
		jobs = append(jobs, job{c.Name, []corpus.Culture{c}})
	}
	jobs = append(jobs, job{modelMix, s.adapted()})

	var mu sync.Mutex
	steps := map[string]int{}
	total := 0
	for _, st := range s.profile.Stages {
		total += st.Steps
	}
	report := func(name string, r adapt.Record) {
		mu.Lock()
		defer mu.Unlock()
		steps[name] = r.Step
		done := 0
		for _, n := range steps {
			done += n
		}
		s.report("adapting", done, total*len(jobs), name+" "+parts(r))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(jobs))
	limit := make(chan struct{}, min(2, runtime.GOMAXPROCS(0)))
	var wg sync.WaitGroup
	for i, j := range jobs {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			if errs[i] = ctx.Err(); errs[i] != nil {
				return
			}
			cfg := s.config()
			cfg.Base = s.path("models", modelBase)
			for _, c := range j.corpora {
				cfg.Corpora = append(cfg.Corpora, s.corpusConfig(c, false))
			}
			cfg.Corpora = append(cfg.Corpora, s.corpusConfig(s.western, true))
			cfg.Stages = s.profile.Stages
			if errs[i] = s.train(ctx, j.name, cfg, report); errs[i] != nil {
				cancel()
				return
			}
			mu.Lock()
			defer mu.Unlock()
			steps[j.name] = total // also when it was there from an earlier run
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err // the cause; the others stopped because of it
		}
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// keep remembers a model; trainings that run side by side call it.
func (s *session) keep(name string, m *adapt.Model) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.models[name] = m
}

// train makes models/NAME, unless it is there from an earlier run, and opens it.
func (s *session) train(ctx context.Context, name string, cfg adapt.Config, report func(string, adapt.Record)) error {
	out := s.path("models", name)
	if _, err := os.Stat(out); errors.Is(err, fs.ErrNotExist) {
		run, err := adapt.Open(ctx, cfg, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer run.Close()
		err = run.Train(ctx, out, adapt.Options{Resume: true, Version: s.opts.Version, Report: func(r adapt.Record) { report(name, r) }})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	m, err := adapt.OpenModel(out, s.teacher, cfg.Objective)
	if err != nil {
		return err
	}
	m.Freeze()
	s.keep(name, m)
	return nil
}

// vector is a model's task vector, heads included: the masked loss of a merge needs merged heads.
func (s *session) vector(name string) (checkpoint.Source, error) {
	return arithmetic.Sub(s.models[name], s.models[modelBase])
}

// takeVectors writes the encoders' task vectors as files, and measures how the vectors stand to each other.
func (s *session) takeVectors(ctx context.Context, rep *Report) error {
	var names []string
	var vectors []checkpoint.Source
	base := s.models[modelBase].Encoder
	for i, c := range s.adapted() {
		tau, err := arithmetic.Sub(s.models[c.Name].Encoder, base)
		if err != nil {
			return err
		}
		meta, err := arithmetic.Provenance(s.models[c.Name].Encoder, base)
		if err != nil {
			return err
		}
		err = checkpoint.Write(ctx, s.path("vectors", c.Name+".safetensors"), tau, checkpoint.WriteOptions{Force: true, Metadata: meta})
		if err != nil {
			return err
		}
		names, vectors = append(names, c.Name), append(vectors, tau)
		s.report("vectors", i+1, len(s.adapted()), c.Name)
	}
	var err error
	rep.Interference, err = arithmetic.Interference(names, vectors)
	return err
}

// merge writes the merge at the lambda that the probes chose.
func (s *session) merge(ctx context.Context, rep *Report) error {
	var terms []arithmetic.Term
	for _, c := range s.adapted() {
		tau, err := s.vector(c.Name)
		if err != nil {
			return err
		}
		terms = append(terms, arithmetic.Term{Vector: tau, Lambda: rep.Lambda.ByProbe.Choice.Lambdas[c.Name]})
	}
	merged, err := arithmetic.Combine(s.models[modelBase], terms...)
	if err != nil {
		return err
	}
	m, err := s.scratch()
	if err != nil {
		return err
	}
	if err := m.SetWeights(merged); err != nil {
		return err
	}
	s.keep(modelMerged, m)
	return m.Write(ctx, s.path("models", modelMerged), s.out, checkpoint.WriteOptions{Force: true,
		Metadata: map[string]string{"syncretic.lambda": rep.Lambda.ByProbe.Choice.Lambdas.String(), "syncretic.version": s.opts.Version}})
}

// scratch opens another copy of the base, to read merged weights into.
func (s *session) scratch() (*adapt.Model, error) {
	m, err := adapt.OpenModel(s.path("models", modelBase), s.teacher, s.config().Objective)
	if err != nil {
		return nil, err
	}
	m.Freeze()
	return m, nil
}
