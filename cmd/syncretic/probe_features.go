package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/adapt/audio"
	"syncretic/probe"
)

func newProbeFeatures(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "features CONFIG.yml",
		Short: "Compute the features of a probe ahead, alone or on several machines",
		Long: "Fill the cache with the features of every model and dataset of a configuration of `probe fit` or `probe matrix`, which then find\n" +
			"them there. Features that are there are not computed again; what an interruption left is gone on with. Where several machines\n" +
			"or jobs share the folder and its locks, start this on each: they share the work, and each ends when all of it is done.",
		Example: "  syncretic probe features examples/probe/tiny.yml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runProbeFeatures(cmd.Context(), a, args[0])
		},
	}
}

// featuresResult is what probe features prints.
type featuresResult struct {
	Cache    string          `json:"cache"`
	Features []featuresEntry `json:"features"`
}

// featuresEntry is one model's features of one dataset.
type featuresEntry struct {
	Model    string          `json:"model"`
	Dataset  string          `json:"dataset"`
	Key      string          `json:"key"`
	Origin   probe.Origin    `json:"origin"`
	Items    int             `json:"items"`
	Rows     int             `json:"rows"`
	Layers   int             `json:"layers"`
	Dim      int             `json:"dim"`
	Computed int             `json:"computed"` // items; the others were there, or another process computed them
	Skipped  []audio.Skipped `json:"skipped"`
	Spoilt   []string        `json:"spoilt"` // files that were computed again, with the reason
}

func runProbeFeatures(ctx context.Context, a *app, config string) error {
	cfg, err := readProbeConfig(config)
	if err != nil {
		return err
	}
	models := cfg.Models
	if cfg.Model != "" {
		models = []string{cfg.Model}
	}
	if len(models) == 0 {
		return fmt.Errorf("%s: %w: model and models are missing: the directories of the encoders to probe", config, probe.ErrConfig)
	}
	res := featuresResult{Features: []featuresEntry{}}
	if res.Cache, err = featureCache(cfg); err != nil {
		return err
	}
	if res.Cache == "" {
		return fmt.Errorf("%s: %w: cache is %s: there is nowhere to keep features", config, probe.ErrConfig, probe.NoCache)
	}
	var lines strings.Builder
	for _, path := range models {
		enc, err := openProbed(path, cfg.Normalize)
		if err != nil {
			return err
		}
		leanHeap()
		for _, d := range cfg.Datasets {
			ds, err := probe.OpenConfig(d)
			if err != nil {
				return err
			}
			bar := a.progress("features of " + d.Name)
			f, err := probe.Extract(ctx, ds, enc, enc.options(cfg, res.Cache, bar))
			bar.stop()
			if err != nil {
				return err
			}
			e := featuresEntry{Model: path, Dataset: d.Name, Key: f.Origin.Key(), Origin: f.Origin, Items: f.Origin.Items, Rows: len(f.Items),
				Layers: f.Layers, Dim: f.Dim, Computed: f.Computed, Skipped: []audio.Skipped{}, Spoilt: append([]string{}, f.Spoilt...)}
			for _, s := range f.Skipped {
				e.Skipped = append(e.Skipped, s.Skipped)
			}
			res.Features = append(res.Features, e)
			lines.WriteString(skippedLines(e.Skipped) + spoiltLines(e.Spoilt))
			fmt.Fprintf(&lines, "%s of %s: %d items, %d computed now, %d rows of %d x %d in %s\n", path, d.Name, e.Items, e.Computed, e.Rows, e.Layers, e.Dim, e.Key)
			if err := f.Close(); err != nil {
				return err
			}
		}
	}
	return a.result(res, lines.String()+"cache "+res.Cache+"\n")
}

// readProbeConfig reads the configuration of a probe; errors name the file.
func readProbeConfig(path string) (probe.Config, error) {
	doc, err := os.ReadFile(path)
	if err != nil {
		return probe.Config{}, err
	}
	cfg, err := probe.ParseConfig(doc)
	if err != nil {
		return probe.Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

// spoiltLines names files of a cache that were computed again, one a line.
func spoiltLines(spoilt []string) string {
	var b strings.Builder
	for _, s := range spoilt {
		fmt.Fprintf(&b, "spoilt, and computed again: %s\n", strings.ReplaceAll(s, "\n", "; "))
	}
	return b.String()
}
