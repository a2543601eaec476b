package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
	"syncretic/probe"
	"syncretic/probe/dataset"
)

func newProbeFit(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "fit CONFIG.yml OUT.json",
		Short: "Fit tagging heads on frozen features and score them",
		Long: "Extract the features of every dataset, fit the head on its train split, make every choice on its valid split, and score the\n" +
			"test split once a seed. OUT.json gets the result with the configuration and the model's sha-256.",
		Example: "  syncretic probe fit examples/probe/tiny.yml out/probe.json",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runProbeFit(cmd.Context(), a, args[0], args[1])
		},
	}
}

// probeResult is what probe fit writes.
type probeResult struct {
	Version   string                       `json:"version"`
	Model     string                       `json:"model"`
	Hash      string                       `json:"model_sha256"`
	Config    probe.Config                 `json:"config"`
	Resampler string                       `json:"resampler"` // how recordings at another rate came to 24 kHz
	Normalize bool                         `json:"normalize"` // whether the encoder brought each window to mean 0 and variance 1
	Features  map[string]probe.Origin      `json:"features"`  // by dataset: what they are of, and how they were computed
	Skipped   []audio.Skipped              `json:"skipped"`   // recordings that cannot be read, where the recipe leaves them out
	Datasets  map[string]*probe.Evaluation `json:"datasets"`
	Findings  map[string]dataset.Findings  `json:"findings"` // by dataset: rows left out, groups in two splits
}

func runProbeFit(ctx context.Context, a *app, config, out string) error {
	cfg, err := readProbeConfig(config)
	if err != nil {
		return err
	}
	if cfg.Model == "" {
		return fmt.Errorf("%s: %w: model is missing: the directory of the encoder to probe", config, probe.ErrConfig)
	}
	inputs := []string{config, cfg.Model}
	for _, d := range cfg.Datasets {
		if d.Manifest != "" {
			inputs = append(inputs, d.Manifest)
		}
	}
	if err := a.fileOutput(out, inputs...); err != nil {
		return err
	}
	var sets []*probe.Dataset
	for _, d := range cfg.Datasets {
		ds, err := probe.OpenConfig(d)
		if err != nil {
			return err
		}
		sets = append(sets, ds)
	}
	cache, err := featureCache(cfg)
	if err != nil {
		return err
	}
	enc, err := openProbed(cfg.Model, cfg.Normalize)
	if err != nil {
		return err
	}
	leanHeap()
	res := probeResult{Version: version(), Model: cfg.Model, Hash: enc.hash, Config: cfg, Resampler: cfg.Resampler.Settings(), Normalize: enc.Normalises(),
		Features: map[string]probe.Origin{}, Skipped: []audio.Skipped{}, Datasets: map[string]*probe.Evaluation{}, Findings: map[string]dataset.Findings{}}
	var spoilt []string
	for i, d := range cfg.Datasets {
		bar := a.progress("features of " + d.Name)
		ev, features, err := probeDataset(ctx, sets[i], enc, cfg, cache, bar)
		bar.stop()
		if err != nil {
			return err
		}
		res.Features[d.Name] = features.Origin
		spoilt = append(spoilt, features.Spoilt...)
		for _, s := range features.Skipped {
			if !slices.Contains(res.Skipped, s.Skipped) { // one recording may be several items, in several datasets
				res.Skipped = append(res.Skipped, s.Skipped)
			}
		}
		res.Datasets[d.Name], res.Findings[d.Name] = ev, sets[i].Findings
	}
	text, err := json.MarshalIndent(res, "", "  ")
	if err != nil {
		return err
	}
	if err := checkpoint.WriteFile(out, append(text, '\n'), a.force); err != nil {
		return err
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "dataset\tROC-AUC\taverage precision\tF1 macro\tseeds\t")
	for _, d := range cfg.Datasets {
		ev := res.Datasets[d.Name]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t\n", d.Name, spread(ev.Test.ROCAUC), spread(ev.Test.AveragePrecision), spread(ev.Test.MacroF1), len(ev.Runs))
	}
	w.Flush()
	for i, d := range cfg.Datasets {
		if ev := res.Datasets[d.Name]; ev.Task != probe.MultiLabel {
			fmt.Fprintf(&b, "%s: %s task, %s %s\n", d.Name, ev.Task, ev.Runs[0].Chosen.Monitor, spread(ev.Test.Score))
		}
		for _, line := range findingLines(sets[i].Findings) {
			fmt.Fprintf(&b, "%s: %s\n", d.Name, line)
		}
	}
	where := ""
	if cache != "" {
		where = "; features in " + cache
	}
	return a.result(res, skippedLines(res.Skipped)+spoiltLines(spoilt)+b.String()+"test split; written to "+out+where+"\n")
}

// probeDataset also returns the features, closed: for their origin, and what was left out.
func probeDataset(ctx context.Context, ds *probe.Dataset, enc *probed, cfg probe.Config, cache string, bar *progress) (*probe.Evaluation, *probe.Features, error) {
	features, err := probe.Extract(ctx, ds, enc, enc.options(cfg, cache, bar))
	if err != nil {
		return nil, nil, err
	}
	defer features.Close()
	var splits [3]probe.Split
	for i, name := range []string{probe.Train, probe.Valid, probe.Test} {
		if splits[i], err = features.Split(ds, name); err != nil {
			return nil, nil, err
		}
	}
	ev, err := probe.FitAndScore(ctx, splits[0], splits[1], splits[2], cfg.Head, cfg.Seeds)
	return ev, features, err
}

// spread prints a mean and, over several seeds, its deviation.
func spread(m probe.MeanSD) string {
	if m.Mean == nil {
		return "undefined"
	}
	if m.SD == 0 {
		return fmt.Sprintf("%.4f", *m.Mean)
	}
	return fmt.Sprintf("%.4f +- %.4f", *m.Mean, m.SD)
}
