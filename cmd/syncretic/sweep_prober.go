package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"syncretic/adapt"
	"syncretic/adapt/mert"
	"syncretic/checkpoint"
	"syncretic/probe"
	"syncretic/probe/metric"
	"syncretic/sweep"
)

// Replicates of the bootstraps: of a trial's intervals, which are drawn as bands, and of the test's.
const (
	trialReplicates     = 200
	bootstrapReplicates = 1000
)

// prober scores models on a sweep's datasets through one encoder, whose weights it replaces.
type prober struct {
	cfg      sweep.Config
	enc      *mert.Encoder
	datasets []*probe.Dataset
	loss     *lossProber // nil where the sweep measures none
	rungs    rungs       // what is known of the model in hand
}

// openProber opens datasets and corpora.
func openProber(ctx context.Context, a *app, cfg sweep.Config) (_ *prober, err error) {
	p := &prober{cfg: cfg}
	for _, d := range cfg.Probe.Datasets {
		ds, err := probe.OpenConfig(d)
		if err != nil {
			return nil, err
		}
		if cfg.Halving != nil {
			if err := checkParts(ds, cfg.Halving.Parts, cfg.Seed); err != nil {
				return nil, err
			}
		}
		p.datasets = append(p.datasets, ds)
	}
	if cfg.MaskedLoss != nil {
		if p.loss, err = openLossProber(ctx, a, cfg); err != nil {
			return nil, err
		}
		p.enc = p.loss.model.Encoder
	} else if p.enc, err = mert.Open(cfg.Base); err != nil {
		return nil, err
	}
	p.enc.Reuse(reuseBytes)
	return p, setNormalize(p.enc, cfg.Probe.Normalize)
}

// reuseBytes is the memory for hidden states of layers that do not change from one trial to the next, as when only the upper layers'
// lambda does.
const reuseBytes = 1 << 30

func (p *prober) close() error {
	if p.loss != nil {
		return p.loss.evaluation.Close()
	}
	return nil
}

// clock adds up what an evaluation spends on what.
type clock map[string]float64

func (c clock) time(what string, f func() error) error {
	started := time.Now()
	err := f()
	c[what] += time.Since(started).Seconds()
	return err
}

// validate is the sweep's Evaluate: it reads train and valid items only.
func (p *prober) validate(ctx context.Context, model checkpoint.Source, part float64) (sweep.Scores, error) {
	spent := clock{}
	scores := sweep.Scores{Tasks: map[string]sweep.Task{}, Losses: map[string]sweep.Loss{}, Seconds: spent}
	if p.rungs.model != model { // a larger part of the data comes with the same model
		p.rungs = rungs{}
		if err := spent.time("merge", func() error { return p.enc.SetWeights(model) }); err != nil {
			return scores, err
		}
		p.rungs.model = model
	}
	for i, ds := range p.datasets {
		task, err := p.task(ctx, ds, part, spent)
		if err != nil {
			return scores, err
		}
		task.Western = p.cfg.Probe.Datasets[i].Western
		scores.Tasks[ds.Name] = task
	}
	if p.loss == nil {
		return scores, nil
	}
	if p.rungs.losses == nil { // parts are of the probes' recordings
		if err := spent.time("loss", func() (err error) { p.rungs.losses, err = p.loss.measure(ctx); return err }); err != nil {
			return scores, err
		}
	}
	scores.Losses = maps.Clone(p.rungs.losses)
	return scores, nil
}

// task fits a probe of one dataset and scores it on the valid items.
func (p *prober) task(ctx context.Context, ds *probe.Dataset, part float64, spent clock) (task sweep.Task, err error) {
	var chosen *probe.Dataset
	var train, valid probe.Split
	err = spent.time("extract", func() (err error) {
		chosen, train, valid, err = p.rungs.extract(ctx, ds, p.enc, p.options(probe.Train, probe.Valid), part, p.cfg.Seed)
		return err
	})
	if err != nil {
		return task, err
	}
	var fitted *probe.Fitted
	if err := spent.time("fit", func() (err error) { fitted, err = probe.Fit(ctx, train, valid, p.head()); return err }); err != nil {
		return task, err
	}
	return task, spent.time("score", func() error {
		scores, err := fitted.Scores(valid.Features)
		if err != nil {
			return err
		}
		r, err := metric.MultiLabel(scores, valid.Labels, fitted.Chosen.Threshold)
		if err != nil {
			return err
		}
		task = taskOf(r, ds.Tags)
		task.Intervals = taskIntervals(scores, valid.Labels, recordingsIn(chosen, valid), p.cfg.Seed)
		return nil
	})
}

// options are those of extraction.
func (p *prober) options(splits ...string) probe.ExtractOptions {
	c := probe.Config{Window: p.cfg.Probe.Window, Pool: p.cfg.Probe.Pool, Resampler: p.cfg.Probe.Resampler, SkipBad: p.cfg.Probe.SkipBad, Cache: probe.NoCache, Head: p.head()}
	o := c.ExtractOptions()
	o.Splits, o.InFlight = splits, clipsInFlight()
	return o
}

func (p *prober) head() probe.HeadConfig {
	h := probe.HeadConfig(p.cfg.Probe.Head)
	h.Seed = p.cfg.Seed
	return h
}

// taskOf keeps a result's macro averages, and what every tag got.
func taskOf(r metric.Result, tags []string) sweep.Task {
	t := sweep.Task{ROCAUC: r.ROCAUC.Macro, AveragePrecision: r.AveragePrecision.Macro, F1: r.F1.Macro, Tags: map[string]sweep.TagScore{}}
	for i, tag := range tags {
		t.Tags[tag] = sweep.TagScore{ROCAUC: r.ROCAUC.PerTag[i], AveragePrecision: r.AveragePrecision.PerTag[i], F1: r.F1.PerTag[i]}
	}
	return t
}

// recordingsIn numbers the recordings that a split's items are parts of: intervals draw them whole, since two crops of one are no two
// observations.
func recordingsIn(ds *probe.Dataset, split probe.Split) []int {
	numbers := map[string]int{}
	var out []int
	for _, i := range slices.Compact(slices.Clone(split.Features.Items)) {
		path := ds.Items[i].Path
		if _, seen := numbers[path]; !seen {
			numbers[path] = len(numbers)
		}
		out = append(out, numbers[path])
	}
	return out
}

// taskIntervals are the bootstrap's of the two ranking metrics. One that is undefined is left out: the score itself says why.
func taskIntervals(scores [][]float64, labels [][]bool, recordings []int, seed uint64) map[sweep.Metric]sweep.Bounds {
	out := map[sweep.Metric]sweep.Bounds{}
	for m, statistic := range map[sweep.Metric]metric.Statistic{sweep.ROCAUC: metric.MacroROCAUC, sweep.AveragePrecision: metric.MacroAveragePrecision} {
		e, err := metric.Bootstrap(len(scores), statistic.Prepare(scores, labels), metric.Sampling{Replicates: trialReplicates, Seed: seed, Groups: recordings})
		if err == nil {
			out[m] = sweep.Bounds{Low: e.Low, High: e.High}
		}
	}
	return out
}

// lossProber measures the masked-prediction loss, with the same heads on every encoder.
type lossProber struct {
	evaluation *adapt.Evaluation
	model      *adapt.Model
	heads      string // sha-256
	western    []bool // by corpus
	names      []string
}

func openLossProber(ctx context.Context, a *app, cfg sweep.Config) (*lossProber, error) {
	want := cfg.MaskedLoss
	recipe, err := namedRecipe(adaptEvalOptions{recipe: want.Recipe}, nil)
	if err != nil {
		return nil, err
	}
	l := &lossProber{}
	var corpora []adapt.CorpusConfig
	for _, k := range want.Corpora {
		c := adapt.CorpusConfig{Name: k.Name, Manifest: k.Manifest, Split: k.Split, Resampler: cfg.Probe.Resampler, SkipBad: cfg.Probe.SkipBad}
		corpora = append(corpora, c)
		l.names, l.western = append(l.names, k.Name), append(l.western, k.Western)
	}
	bars := map[string]*progress{}
	l.evaluation, err = adapt.OpenEvaluation(ctx, recipe.Eval(corpora, cfg.Seed), func(what string, done, total int) {
		if bars[what] == nil {
			bars[what] = a.progress(what)
		}
		bars[what].set(done, total, "")
	})
	if err != nil {
		return nil, err
	}
	opened, err := l.evaluation.Open(cfg.Base, want.Heads)
	if err != nil {
		_ = l.evaluation.Close() // only read
		return nil, err
	}
	l.model, l.heads = opened.Model, opened.HeadsSHA256
	return l, nil
}

// measure measures the encoder as it is.
func (l *lossProber) measure(ctx context.Context) (map[string]sweep.Loss, error) {
	measured, err := l.evaluation.Measure(ctx, l.model, nil)
	if err != nil {
		return nil, err
	}
	out := map[string]sweep.Loss{}
	for i, s := range measured {
		out[l.names[i]] = sweep.Loss{Value: s.Total, Western: l.western[i]}
	}
	return out, nil
}

// heldOut scores a test's models on the test items, with intervals paired to the base's. Losses, which need no labels, are those of the
// corpora and splits that the sweep names.
func (p *prober) heldOut(ctx context.Context, names []string, model func(string) (checkpoint.Source, error)) (out sweep.HeldOut, err error) {
	base := map[string]testScores{}
	for _, name := range names {
		m, err := model(name)
		if err != nil {
			return out, err
		}
		scores, differences, err := p.heldOutOne(ctx, m, base, name == string(sweep.Base))
		if err != nil {
			return out, err
		}
		switch name {
		case string(sweep.Base):
			out.Base = scores
		case sweep.Winner:
			out.Winner, out.Differences = scores, differences
		default:
			out.Others = append(out.Others, sweep.Measured{Model: sweep.Reference(name), Scores: scores, Differences: differences})
		}
	}
	return out, nil
}

// testScores are a model's scores on the test items of one dataset.
type testScores struct {
	scores     [][]float64
	labels     [][]bool
	recordings []int
}

// heldOutOne scores one model; the base's scores are kept in base, the others' compared with them.
func (p *prober) heldOutOne(ctx context.Context, m checkpoint.Source, base map[string]testScores, isBase bool) (out sweep.Scores, differences map[string]sweep.Difference, err error) {
	out, differences = sweep.Scores{Tasks: map[string]sweep.Task{}, Losses: map[string]sweep.Loss{}}, map[string]sweep.Difference{}
	p.rungs = rungs{}
	if err := p.enc.SetWeights(m); err != nil {
		return out, nil, err
	}
	for i, ds := range p.datasets {
		fitted, features, err := probe.FitOn(ctx, ds, p.enc, p.options(probe.Train, probe.Valid, probe.Test), p.head())
		if err != nil {
			return out, nil, err
		}
		test, err := features.Split(ds, probe.Test)
		if err != nil {
			return out, nil, err
		}
		now := testScores{labels: test.Labels, recordings: recordingsIn(ds, test)}
		if now.scores, err = fitted.Scores(test.Features); err != nil {
			return out, nil, err
		}
		r, err := metric.MultiLabel(now.scores, now.labels, fitted.Chosen.Threshold)
		if err != nil {
			return out, nil, err
		}
		task := taskOf(r, ds.Tags)
		task.Western = p.cfg.Probe.Datasets[i].Western
		out.Tasks[ds.Name] = task
		if isBase {
			base[ds.Name] = now
			continue
		}
		d, err := p.difference(now, base[ds.Name])
		if errors.Is(err, metric.ErrInvalid) {
			continue // undefined on so few items: the scores stand all the same
		}
		if err != nil {
			return out, nil, err
		}
		differences[ds.Name] = d
	}
	if p.loss != nil {
		losses, err := p.loss.measure(ctx)
		if err != nil {
			return out, nil, err
		}
		maps.Copy(out.Losses, losses)
	}
	return out, differences, nil
}

// difference is a model's scores less the base's.
func (p *prober) difference(now, base testScores) (d sweep.Difference, err error) {
	for _, m := range []struct {
		into      *sweep.Interval
		statistic metric.Statistic
	}{{&d.ROCAUC, metric.MacroROCAUC}, {&d.AveragePrecision, metric.MacroAveragePrecision}} {
		i, err := metric.Difference(len(now.labels), m.statistic.Prepare(now.scores, now.labels), m.statistic.Prepare(base.scores, base.labels),
			metric.Sampling{Replicates: bootstrapReplicates, Seed: p.cfg.Seed, Groups: now.recordings})
		if err != nil {
			return d, err
		}
		*m.into = sweep.Interval{Difference: i.Difference, Low: i.Low, High: i.High, Significant: i.Significant}
	}
	return d, nil
}
