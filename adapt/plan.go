package adapt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"syncretic/adapt/audio"
	"syncretic/adapt/cqt"
)

// Plan is what a recipe would do: see [PlanFor].
type Plan struct {
	Index    Index        `json:"index"`
	Teacher  string       `json:"teacher"` // "exists" or "to be fitted"
	Targets  []TargetPlan `json:"targets"`
	Spectrum string       `json:"spectrum"` // see TeacherConfig.Spectrum
	Prepare  Span         `json:"prepare"`  // fitting and targets
	Estimate Estimate     `json:"estimate"`
	Total    Span         `json:"total"`
}

// TargetPlan is what the cached targets of one corpus are, or will be.
type TargetPlan struct {
	Corpus  string `json:"corpus"`
	Bytes   int64  `json:"bytes"`
	Missing bool   `json:"missing"` // some of it, at least
}

// PlanFor opens what a recipe names, as Open does, but fits no teacher, computes no targets and writes nothing: it tells what there is, what
// would have to be computed first, and how long all of that would take. For the estimate some micro-batches are computed, of the
// corpora's audio with codes that mean nothing where there are no targets yet, and the spectrum of some seconds of noise; nothing is
// kept of them, and no disk is measured. Corpora with skip_bad are not decoded: what a header does not tell shows in the run only.
func PlanFor(ctx context.Context, cfg Config) (_ *Plan, err error) {
	if cfg, err = cfg.checked(); err != nil {
		return nil, err
	}
	r := &Run{cfg: cfg, targets: map[*Corpus]*Targets{}, inputs: map[string]string{}, now: time.Now}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := r.openCorpora(ctx, true); err != nil {
		return nil, err
	}
	p := &Plan{Index: r.index, Teacher: "exists"}
	r.teacher, err = teacherFor(ctx, cfg.Teacher, r.corpora, func(_ context.Context, cfg TeacherConfig, _ []*Corpus) (*Teacher, error) {
		p.Teacher = "to be fitted"
		return blankTeacher(cfg)
	})
	if err != nil {
		return nil, err
	}
	r.teacher.crop = cfg.Teacher.croppedSpectrum()
	p.Spectrum = r.teacher.SpectrumFrom()
	if r.cfg.Teacher, err = r.teacher.settings(cfg.Teacher); err != nil {
		return nil, err
	}
	if err := r.openModel(); err != nil {
		return nil, err
	}
	if err := r.loader().check(); err != nil {
		return nil, err
	}
	if err := r.planTargets(ctx, p); err != nil {
		return nil, err
	}
	p.Estimate, err = r.estimate(ctx, 0, "", func(s *Sampler, stage, step, micro int) (*batch, error) {
		l := r.loader()
		l.blank = true
		l.redraw = func(c *Corpus, slot, attempt int) Crop { return s.Redraw(c, stage, step, micro, slot, attempt) }
		return l.load(s.Draw(stage, step, micro, r.cfg.Batch.Clips), r.cfg.Seed, "train", stage, step, micro)
	})
	if err != nil {
		return nil, err
	}
	p.Total = p.Prepare.plus(p.Estimate.Total)
	return p, nil
}

// blankTeacher stands for one that is to be fitted: of its sizes, but with nothing learnt.
func blankTeacher(cfg TeacherConfig) (*Teacher, error) {
	transform, err := cqt.New(cfg.CQT)
	if err != nil {
		return nil, fmt.Errorf("%w: teacher: %w", ErrConfig, err)
	}
	t := &Teacher{cfg: cfg, transform: transform, mean: make([]float32, cfg.CQT.Bins), dev: make([]float32, cfg.CQT.Bins), all: [2]float32{0, 1}}
	for i := range t.dev {
		t.dev[i] = 1
	}
	return t, nil
}

// planTargets sums up what is cached of the targets and what has to be computed.
func (r *Run) planTargets(ctx context.Context, p *Plan) error {
	var samples float64 // whose spectrum is to be computed
	for _, c := range r.corpora {
		t := TargetPlan{Corpus: c.Name, Missing: p.Teacher != "exists"}
		targets := &Targets{}
		all := 0
		for _, rec := range c.Recordings {
			n := r.teacher.frames(rec)
			targets.frames = append(targets.frames, n)
			t.Bytes += int64(n) * int64(2*r.teacher.cfg.Codebooks)
			if !r.teacher.crop {
				t.Bytes += int64(n) * int64(2*r.teacher.Bins())
			}
			all += rec.Len
		}
		if !t.Missing {
			names, err := targets.files(ctx, r.cfg.targetsDir(), r.teacher, c)
			if err != nil {
				return err
			}
			for _, name := range names {
				if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
					t.Missing = true
				}
			}
		}
		p.Targets = append(p.Targets, t)
		if t.Missing && (r.teacher.tokens == nil || !r.teacher.crop) {
			samples += float64(all)
		}
		if p.Teacher != "exists" && len(r.cfg.Teacher.Fit) == 0 {
			samples += float64(all)
		}
	}
	if samples == 0 {
		return nil
	}
	noise := make([]float32, 30*audio.SampleRate)
	rng := stream(r.cfg.Seed, "estimate")
	for i := range noise {
		noise[i] = rng.Float32() - 0.5
	}
	var s Span
	for range 2 {
		began := time.Now()
		r.teacher.transform.Magnitudes(noise)
		s = s.with(time.Since(began).Seconds())
	}
	// Several recordings are worked on at once, but a core more is not always a core's work more: between one core and all of them.
	each := s.times(samples / float64(len(noise)))
	p.Prepare = Span{each.Low / float64(runtime.GOMAXPROCS(0)), each.High}
	return nil
}
