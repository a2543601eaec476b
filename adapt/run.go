package adapt

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"syncretic/adapt/audio"
	"syncretic/adapt/mert"
	"syncretic/checkpoint"
)

// Run is a recipe with everything open that it names, ready to train.
type Run struct {
	cfg     Config
	model   *Model
	teacher *Teacher
	corpora []*Corpus
	targets map[*Corpus]*Targets
	inputs  map[string]string // sha-256 of what the run starts from
	now     func() time.Time  // the clock of SaveMinutes
	disk    disk
	heldout *monitor
	team    team // the processes that train together

	index   Index
	workers int             // that load batches; 0 is one a core
	unread  []audio.Skipped // files met in training that could not be read
}

// Open checks a recipe, opens its corpora, its teacher (fitting it when it does not exist yet) and its base, and computes
// the targets that are not cached. Everything that can be wrong with a recipe or its inputs is found here, before a step is
// taken. progress may be nil.
func Open(ctx context.Context, cfg Config, progress func(what string, done, total int)) (*Run, error) {
	return Opening{Progress: progress}.Open(ctx, cfg)
}

// Opening says how to open a recipe. All of it may be nil.
type Opening struct {
	Group    Group // the processes that train one model; nil for this one alone
	Progress func(what string, done, total int)
	Index    func(Index) // before anything is computed
}

// Open is the package's Open. With a Group it opens the recipe in every process of it, for data-parallel training; all need the same
// recipe and the same files.
//
// Micro-batches (batch.accumulate of the recipe) are what a step has to share out: of W processes the r-th takes r, r+W, ...,
// gradients are summed, and every process takes the same AdamW step. The draws of a micro-batch are a function of its
// number, so the model and its loss curve do not depend on the number of processes, except for rounding: a run may be
// resumed with another number. batch.accumulate must be a multiple of it ([ErrConfig]). With one number of processes two
// runs give the same bits.
//
// Process 0 alone fits teachers, computes targets and writes; the others open what it has made, or, where they have a disk
// of their own with the same teacher, keep targets there. An error in one process, or its interruption, ends all of them,
// at the same step: they return the text of the first that failed, wrapping [ErrElsewhere].
func (o Opening) Open(ctx context.Context, cfg Config) (*Run, error) {
	if o.Group != nil {
		return o.together(ctx, cfg)
	}
	return o.alone(ctx, cfg)
}

func (o Opening) alone(ctx context.Context, cfg Config) (_ *Run, err error) {
	cfg, err = cfg.checked()
	if err != nil {
		return nil, err
	}
	progress := o.Progress
	r := &Run{cfg: cfg, targets: map[*Corpus]*Targets{}, inputs: map[string]string{}, now: time.Now, disk: disk{checkpoint.Write, checkpoint.Free}}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if err := r.openCorpora(ctx, false); err != nil {
		return nil, err
	}
	if o.Index != nil {
		o.Index(r.index)
	}
	if r.heldout, err = openMonitor(cfg, r.corpora); err != nil {
		return nil, err
	}
	if progress != nil {
		progress("teacher", 0, 1)
	}
	asked := cfg.Teacher
	asked.exclude = cfg.Exclude
	if r.teacher, err = TeacherFor(ctx, asked, r.corpora); err != nil {
		return nil, err
	}
	if r.cfg.Teacher, err = r.teacher.settings(cfg.Teacher); err != nil {
		return nil, err
	}
	if r.inputs["teacher"], err = r.teacher.hash(); err != nil {
		return nil, err
	}
	for _, c := range r.corpora {
		r.inputs["corpus "+c.Name] = c.hash()
		tokens, err := r.teacher.identities(ctx, c)
		if err != nil {
			return nil, err
		}
		if tokens != nil {
			r.inputs["tokens of "+c.Name] = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(tokens, "\n"))))
		}
	}
	if progress != nil {
		progress("teacher", 1, 1)
	}
	if err := r.openModel(); err != nil {
		return nil, err
	}
	if err := r.loader().check(); err != nil {
		return nil, err
	}
	for _, s := range r.cfg.Stages {
		if err := s.apply(r.model.Params()); err != nil {
			return nil, err
		}
		if _, err := NewSampler(cfg.Seed, r.corpora, s.Replay, cfg.Batch.Seconds, r.teacher.Hop()); err != nil {
			return nil, err
		}
	}
	for _, c := range r.corpora {
		report := func(done, total int) {
			if progress != nil {
				progress("targets of "+c.Name, done, total)
			}
		}
		targets, err := OpenTargets(ctx, cfg.targetsDir(), r.teacher, c, report)
		if err != nil {
			return nil, err
		}
		r.targets[c] = targets
	}
	if err := r.heldout.prepare(ctx, r.teacher, progress); err != nil {
		return nil, err
	}
	return r, nil
}

// openCorpora opens what the recipe takes of its corpora and counts it.
func (r *Run) openCorpora(ctx context.Context, noVerify bool) error {
	everywhere, err := openExclusions(r.cfg.Exclude)
	if err != nil {
		return err
	}
	for _, k := range r.cfg.Corpora {
		c, err := openCorpus(ctx, k, selection{seed: r.cfg.Seed, samples: samplesOf(r.cfg.Batch.Seconds), exclude: everywhere, noVerify: noVerify})
		if err != nil {
			return err
		}
		r.corpora = append(r.corpora, c)
	}
	r.index, err = indexOf(r.cfg, r.corpora, everywhere, r.cfg.Teacher.CQT.Hop)
	return err
}

// Index says what the run trains on.
func (r *Run) Index() Index { return r.index }

func (c Config) targetsDir() string {
	if c.Targets != "" {
		return c.Targets
	}
	return filepath.Join(c.Teacher.Path, "targets")
}

// openModel opens the base with its heads, or draws a fresh encoder.
func (r *Run) openModel() error {
	var encoder *mert.Encoder
	if r.cfg.Base != "" {
		e, err := mert.Open(r.cfg.Base)
		if err != nil {
			return err
		}
		encoder = e
		if r.inputs["base"], err = checkpoint.Hash(e); err != nil {
			return err
		}
	} else {
		var err error
		if encoder, err = NewEncoder(r.cfg.Init, r.teacher, r.cfg.Seed); err != nil {
			return err
		}
	}
	file, err := openHeads(r.cfg)
	if err != nil {
		return err
	}
	r.cfg = r.cfg.withHeadsWarmup(file == nil)
	if file == nil {
		r.model, err = NewModel(encoder, nil, r.teacher, r.cfg.Objective, r.cfg.Seed)
		return err
	}
	defer file.Close()
	fail := func(err error) error {
		return fmt.Errorf("%s: %w (heads: fresh, in the recipe, draws new ones)", file.Path(), err)
	}
	heads, err := headsIn(file, r.teacher)
	if err != nil {
		return fail(err)
	}
	if r.model, err = NewModel(encoder, heads, r.teacher, r.cfg.Objective, r.cfg.Seed); err != nil {
		return fail(err)
	}
	r.inputs["heads"], err = checkpoint.Hash(heads)
	return err
}

// NewEncoder draws a fresh encoder from config.json keys. For an encoder that takes the spectrum as a further input
// (feature_extractor_cqt), the transform and its scale are the teacher's.
func NewEncoder(keys map[string]any, t *Teacher, seed uint64) (*mert.Encoder, error) {
	keys = maps.Clone(keys)
	if on, _ := keys["feature_extractor_cqt"].(bool); on {
		k := t.cfg.CQT
		maps.Copy(keys, map[string]any{"feature_extractor_cqt_bins": k.Bins, "feature_extractor_cqt_fmin": k.FMin,
			"feature_extractor_cqt_bins_per_octave": k.BinsPerOctave, "feature_extractor_cqt_max_window": k.MaxWindow,
			"feature_extractor_cqt_log_floor": t.cfg.LogFloor, "feature_extractor_cqt_mean": t.all[0], "feature_extractor_cqt_std": t.all[1]})
	}
	doc, err := json.Marshal(keys)
	if err != nil {
		return nil, fmt.Errorf("%w: init: %w", ErrConfig, err)
	}
	cfg, err := mert.ParseConfig(doc)
	if err != nil {
		return nil, fmt.Errorf("%w: init: %w", ErrConfig, err)
	}
	return mert.New(cfg, seed)
}

func (r *Run) loader() *loader {
	return &loader{encoder: r.model.Encoder, teacher: r.teacher, targets: r.targets, obj: r.cfg.Objective,
		samples: samplesOf(r.cfg.Batch.Seconds)}
}

// Model is the model being trained.
func (r *Run) Model() *Model { return r.model }

// Teacher is the run's teacher.
func (r *Run) Teacher() *Teacher { return r.teacher }

// Skipped names the recordings that were left out of all corpora, held-out ones too, and of those that the teacher was fitted on, and those
// that a crop of could not be read in training, each once.
func (r *Run) Skipped() []audio.Skipped {
	var all []audio.Skipped
	add := func(list []audio.Skipped) {
		for _, s := range list {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	for _, c := range r.corpora {
		add(c.Skipped)
	}
	add(r.teacher.skipped)
	if r.heldout != nil {
		add(r.heldout.Skipped())
	}
	add(r.unread)
	return all
}

// Close releases the mapped targets, the tokens and the corpora's open files.
func (r *Run) Close() error {
	var errs []error
	for _, c := range r.corpora {
		errs = append(errs, c.files.Close())
	}
	for _, t := range r.targets {
		errs = append(errs, t.Close())
	}
	errs = append(errs, r.heldout.close())
	if r.teacher != nil {
		errs = append(errs, r.teacher.Close())
	}
	return errors.Join(errs...)
}

// Targets are the cached targets of the named corpus, nil when the recipe has none of that name.
func (r *Run) Targets(corpus string) *Targets {
	for c, t := range r.targets {
		if c.Name == corpus {
			return t
		}
	}
	return nil
}
