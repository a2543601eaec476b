package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"syncretic/adapt/mert"
	"syncretic/checkpoint"
	"syncretic/probe"
	"syncretic/probe/metric"
	"syncretic/sweep"
)

// bootstrapReplicates of the winner's intervals.
const bootstrapReplicates = 1000

func newSweepRun(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "run CONFIG.yml",
		Short: "Probe every merge of a grid, choose on validation, test the winner once",
		Long: "Score base + sum lambda_i tau_i for every point of the grid by probes on validation data; no merge is written to disk. The\n" +
			"winner has the best mean over non-Western datasets among those that keep rho times the base's Western score. It and the base\n" +
			"are then scored on the test splits, once a study. Trials stand in the SQLite study (Optuna can read it); an interrupted sweep\n" +
			"goes on where it stopped.",
		Example: "  syncretic sweep run examples/sweep/tiny.yml",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runSweep(cmd.Context(), a, args[0]) },
	}
}

func runSweep(ctx context.Context, a *app, config string) error {
	doc, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	cfg, err := sweep.ParseConfig(doc)
	if err != nil {
		return fmt.Errorf("%s: %w", config, err)
	}
	enc, err := mert.Open(cfg.Base)
	if err != nil {
		return err
	}
	base, err := checkpoint.Open(cfg.Base)
	if err != nil {
		return err
	}
	defer base.Close()
	setup := cfg.Setup()
	setup.Version, setup.Inputs = version(), map[string]string{}
	if setup.Inputs["base"], err = checkpoint.Hash(base); err != nil {
		return err
	}
	vectors := map[string]checkpoint.Source{}
	for name, path := range cfg.Vectors {
		m, err := checkpoint.Open(path)
		if err != nil {
			return err
		}
		defer m.Close()
		if vectors[name], err = taskVector(m, base, setup.Inputs["base"], false); err != nil {
			return fmt.Errorf("vectors: %s: %w", name, err)
		}
		if setup.Inputs["vector "+name], err = checkpoint.Hash(m); err != nil {
			return err
		}
	}
	for _, d := range cfg.Probe.Datasets {
		manifest, err := os.ReadFile(d.Manifest)
		if err != nil {
			return err
		}
		setup.Inputs["manifest "+d.Name] = fmt.Sprintf("%x", sha256.Sum256(manifest))
	}
	p, err := newProber(cfg, enc)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Study), 0o777); err != nil {
		return err
	}
	study, err := sweep.Open(ctx, cfg.Study, setup)
	if err != nil {
		return err
	}
	defer study.Close()
	bar := a.progress("sweeping")
	err = sweep.Run(ctx, study, base, vectors, p.validate, func(g sweep.Progress) { bar.set(g.Done, g.Total, "lambda "+g.Trial.Lambdas.String()) })
	bar.stop()
	if err != nil {
		return err
	}
	record, err := sweep.Test(ctx, study, base, vectors, p.test)
	if err != nil && !errors.Is(err, sweep.ErrTested) {
		return err
	}
	return a.result(record, sweepText(cfg, record))
}

func sweepText(cfg sweep.Config, r *sweep.TestRecord) string {
	text := fmt.Sprintf("lambda %s: %s\n", r.Selection.Lambdas, r.Selection.Reason)
	if r.Scores == nil {
		return text
	}
	for _, d := range cfg.Probe.Datasets {
		b, w, diff := r.Scores.Base.Tasks[d.Name], r.Scores.Winner.Tasks[d.Name], r.Scores.Differences[d.Name].ROCAUC
		word := ""
		if !diff.Significant {
			word = ", not significant"
		}
		text += fmt.Sprintf("test %-20s ROC-AUC %.4f, base %.4f: %+.4f [%+.4f, %+.4f]%s\n", d.Name, w.ROCAUC, b.ROCAUC, diff.Difference, diff.Low, diff.High, word)
	}
	return text + "study " + cfg.Study + "\n"
}

// prober scores models on the config's datasets through one encoder, whose weights it replaces.
type prober struct {
	enc      *mert.Encoder
	cfg      sweep.Config
	datasets []*probe.Dataset
	head     probe.HeadConfig
}

func newProber(cfg sweep.Config, enc *mert.Encoder) (*prober, error) {
	p := &prober{enc: enc, cfg: cfg, head: probe.DefaultHead()}
	p.head.Kind, p.head.Seed = cfg.Probe.Head, cfg.Seed
	if err := p.head.Validate(); err != nil {
		return nil, err
	}
	for _, d := range cfg.Probe.Datasets {
		ds, err := probe.OpenDataset(d.Name, d.Manifest, probe.DatasetOptions{Top: d.Tags})
		if err != nil {
			return nil, err
		}
		p.datasets = append(p.datasets, ds)
	}
	return p, nil
}

// validate is the sweep's Evaluate: it reads train and valid items only.
func (p *prober) validate(ctx context.Context, model checkpoint.Source) (sweep.Scores, error) {
	scores := sweep.Scores{Tasks: map[string]sweep.Task{}}
	if err := p.enc.SetWeights(model); err != nil {
		return scores, err
	}
	for i, ds := range p.datasets {
		fitted, _, err := p.fit(ctx, ds, []string{probe.Train, probe.Valid})
		if err != nil {
			return scores, err
		}
		scores.Tasks[ds.Name] = sweep.Task{ROCAUC: fitted.Valid.ROCAUC.Macro, AveragePrecision: fitted.Valid.AveragePrecision.Macro, Western: p.cfg.Probe.Datasets[i].Western}
	}
	return scores, nil
}

func (p *prober) fit(ctx context.Context, ds *probe.Dataset, splits []string) (*probe.Fitted, *probe.Features, error) {
	return probe.FitOn(ctx, ds, p.enc, probe.ExtractOptions{Splits: splits, Window: p.cfg.Probe.Window}, p.head)
}

// test scores base and winner on the test items, with paired intervals.
func (p *prober) test(ctx context.Context, base, winner checkpoint.Source) (sweep.HeldOut, error) {
	out := sweep.HeldOut{Base: sweep.Scores{Tasks: map[string]sweep.Task{}}, Winner: sweep.Scores{Tasks: map[string]sweep.Task{}}, Differences: map[string]sweep.Difference{}}
	probabilities := map[string][2][][]float64{}
	for k, model := range []checkpoint.Source{base, winner} {
		if err := p.enc.SetWeights(model); err != nil {
			return out, err
		}
		for i, ds := range p.datasets {
			fitted, features, err := p.fit(ctx, ds, nil)
			if err != nil {
				return out, err
			}
			test, err := features.Split(ds, probe.Test)
			if err != nil {
				return out, err
			}
			scores, err := fitted.Scores(test.Features)
			if err != nil {
				return out, err
			}
			r, err := metric.MultiLabel(scores, test.Labels, fitted.Chosen.Threshold)
			if err != nil {
				return out, err
			}
			task := sweep.Task{ROCAUC: r.ROCAUC.Macro, AveragePrecision: r.AveragePrecision.Macro, Western: p.cfg.Probe.Datasets[i].Western}
			both := probabilities[ds.Name]
			both[k] = scores
			probabilities[ds.Name] = both
			if k == 0 {
				out.Base.Tasks[ds.Name] = task
				continue
			}
			out.Winner.Tasks[ds.Name] = task
			if out.Differences[ds.Name], err = p.difference(test.Labels, both); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// difference is the winner's scores less the base's.
func (p *prober) difference(labels [][]bool, scores [2][][]float64) (sweep.Difference, error) {
	var d sweep.Difference
	for _, m := range []struct {
		into      *sweep.Interval
		statistic metric.Statistic
	}{{&d.ROCAUC, metric.MacroROCAUC}, {&d.AveragePrecision, metric.MacroAveragePrecision}} {
		i, err := metric.PairedBootstrap(labels, scores[1], scores[0], m.statistic, bootstrapReplicates, p.cfg.Seed)
		if err != nil {
			return d, err
		}
		*m.into = sweep.Interval{Difference: i.Difference, Low: i.Low, High: i.High, Significant: i.Significant}
	}
	return d, nil
}
