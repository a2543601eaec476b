// Package demo runs the whole system in miniature, on synthesised audio, in minutes: a base encoder is pre-trained on Western
// music, adapted to four traditions in two stages each, saved as single-culture checkpoints, turned into task vectors and
// merged; lambda is chosen on validation data; a report tells what happened.
//
//	p, err := demo.FindProfile(demo.DefaultProfile)
//	rep, err := demo.Run(ctx, "out/demo", p, 1, demo.Options{})
//
// Everything below the output folder is what the single verbs make and read: corpora as WAV files with manifests, models as
// Hugging Face directories, vectors as safetensors, the sweep as a SQLite study. A run that was interrupted goes on where it
// stopped: what is complete is kept. The report says what was measured, with intervals, and claims nothing beyond them;
// nothing chooses by the test split.
//
// One file a step: models.go (corpora, teacher, trainings, vectors, merge), search.go (lambda), losses.go, probes.go, compare.go (differences with
// intervals), report.go (the figures as data) and page.go (as HTML); profile.go holds the sizes.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"syncretic/adapt"
	"syncretic/checkpoint"
	"syncretic/examples/corpus"
)

// Options of Run.
type Options struct {
	Force   bool                                            // start over when OUT holds a demonstration with other settings
	Version string                                          // of the tool, for the provenance
	Step    func(title string)                              // hears of each step as it begins; may be nil
	Report  func(what string, done, total int, note string) // hears of progress within a step; may be nil
}

// session is one run: where its files lie, and what its steps have made so far.
type session struct {
	out      string
	profile  Profile
	seed     uint64
	opts     Options
	cultures []corpus.Culture
	western  corpus.Culture

	manifests map[string]string // by culture
	teacher   *adapt.Teacher
	mu        sync.Mutex // guards models and the callbacks
	models    map[string]*adapt.Model
	times     map[string]float64 // s, by step
}

// The models that are compared, beside one for each culture.
const (
	modelRandom = "random"
	modelBase   = "base"
	modelMix    = "multi-culture"
	modelMerged = "merged"
)

// Run carries out the demonstration below out, and writes out/report.json and out/report.html. The same profile and seed give
// the same report.json byte for byte on the same kind of machine; how long the steps took stands in out/times.json.
func Run(ctx context.Context, out string, p Profile, seed uint64, opts Options) (*Report, error) {
	s := &session{out: out, profile: p, seed: seed, opts: opts, cultures: corpus.Cultures(), manifests: map[string]string{},
		models: map[string]*adapt.Model{}, times: map[string]float64{}}
	for _, c := range s.cultures {
		if c.Western {
			s.western = c
		}
	}
	if err := s.claim(); err != nil {
		return nil, err
	}
	rep := s.newReport()
	steps := []struct {
		title string
		run   func(context.Context, *Report) error
	}{
		{"synthesise five corpora", s.makeCorpora},
		{"fit the teacher", s.fitTeacher},
		{"pre-train the base on Western music", s.pretrain},
		{"adapt it to each culture, and to all at once", s.adaptCultures},
		{"take task vectors", s.takeVectors},
		{"search lambda on validation data", s.searchLambda},
		{"merge", s.merge},
		{"measure the masked loss on held-out audio", s.measureLosses},
		{"probe every model and test it", s.probeModels},
	}
	for i, step := range steps {
		if opts.Step != nil {
			opts.Step(fmt.Sprintf("%d/%d %s", i+1, len(steps)+1, step.title))
		}
		began := time.Now()
		if err := step.run(ctx, rep); err != nil {
			return nil, fmt.Errorf("%s: %w", step.title, err)
		}
		s.times[step.title] = time.Since(began).Seconds()
	}
	if opts.Step != nil {
		opts.Step(fmt.Sprintf("%d/%d write the report", len(steps)+1, len(steps)+1))
	}
	rep.check()
	return rep, s.writeReport(rep)
}

// stamp is what a folder's contents depend on.
type stamp struct {
	Schema  int     `json:"schema"`
	Profile Profile `json:"profile"`
	Seed    uint64  `json:"seed"`
}

// claim makes the output folder, or recognises one that an earlier run with the same settings made.
func (s *session) claim() error {
	want, err := json.MarshalIndent(stamp{Schema: 1, Profile: s.profile, Seed: s.seed}, "", "  ")
	if err != nil {
		return err
	}
	want = append(want, '\n')
	path := filepath.Join(s.out, "demo.json")
	got, err := os.ReadFile(path)
	switch {
	case err == nil && string(got) == string(want):
		return nil
	case err == nil && !s.opts.Force:
		return fmt.Errorf("%s: a demonstration with another profile or seed: %w", s.out, fs.ErrExist)
	case err == nil:
		for _, made := range []string{"corpora", "teacher", "targets", "models", "vectors", "sweep.db", "report.json", "report.html", "times.json"} {
			if err := os.RemoveAll(s.path(made)); err != nil { // what else lies there is not ours
				return err
			}
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	default:
		if entries, err := os.ReadDir(s.out); err == nil && len(entries) > 0 {
			return fmt.Errorf("%s: is not empty and holds no demonstration: %w", s.out, fs.ErrExist)
		}
	}
	return checkpoint.WriteFile(path, want, true)
}

func (s *session) path(parts ...string) string {
	return filepath.Join(append([]string{s.out}, parts...)...)
}

func (s *session) report(what string, done, total int, note string) {
	if s.opts.Report != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.opts.Report(what, done, total, note)
	}
}

// names of the single-culture models: every culture but the Western one.
func (s *session) adapted() []corpus.Culture {
	var cs []corpus.Culture
	for _, c := range s.cultures {
		if !c.Western {
			cs = append(cs, c)
		}
	}
	return cs
}

// order lists all models as tables show them.
func (s *session) order() []string {
	names := []string{modelRandom, modelBase}
	for _, c := range s.adapted() {
		names = append(names, c.Name)
	}
	return append(names, modelMix, modelMerged)
}
