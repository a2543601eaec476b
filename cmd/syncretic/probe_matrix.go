package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
	"syncretic/probe"
	"syncretic/probe/dataset"
	"syncretic/probe/matrix"
)

type probeMatrixOptions struct{ paper bool }

func newProbeMatrix(a *app) *cobra.Command {
	var o probeMatrixOptions
	cmd := &cobra.Command{
		Use:   "matrix CONFIG.yml OUT",
		Short: "Probe several models on several datasets, beside two floors",
		Long: "Fit and score the head of the configuration on every model of `models` and every dataset, as `probe fit` does, and on two floors\n" +
			"that nobody trained: an encoder of the first model's sizes with random weights, and mean and deviation over time of the\n" +
			"log-magnitude constant-Q transform. `floors: false` leaves them out. Printed are ROC-AUC and average precision as mean and\n" +
			"deviation over seeds, F1, their means over all, the non-Western and the Western datasets (`western: true`), and the difference\n" +
			"from `base` (by default the first model) on each dataset: with its 95 % interval over recordings and a paired permutation p,\n" +
			"corrected over datasets (Holm). A Western dataset on which that interval lies below 0 is marked as a regression.\n\n" +
			"The folder OUT gets matrix.json, .csv, .parquet, .tex (booktabs) and .html (heat maps), and keeps finished cells in cells: a run\n" +
			"that was interrupted, or has got another model or dataset, computes what is missing. --paper adds the published table of\n" +
			"CultureMERT; without arguments it prints that alone.",
		Example: "  syncretic probe matrix examples/probe/matrix.yml out/matrix\n  syncretic probe matrix --paper",
		Args: func(cmd *cobra.Command, args []string) error {
			if o.paper && len(args) == 0 {
				return nil
			}
			return cobra.ExactArgs(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				t := matrix.Published()
				return a.result(map[string]any{"published": t}, publishedText(t))
			}
			return runProbeMatrix(cmd.Context(), a, o, args[0], args[1])
		},
	}
	cmd.Flags().BoolVar(&o.paper, "paper", false, "print the published table of CultureMERT too, with averages computed from its cells")
	return cmd
}

// matrixResult is what probe matrix writes as matrix.json.
type matrixResult struct {
	Schema    int                         `json:"schema"` // of this, 1
	Version   string                      `json:"version"`
	Config    probe.Config                `json:"config"`
	Models    []matrixModel               `json:"models"`
	Table     matrix.Table                `json:"table"`
	Resampler string                      `json:"resampler"`
	Normalize bool                        `json:"normalize"`           // of all encoders
	Skipped   []audio.Skipped             `json:"skipped"`             // recordings that cannot be read, where the recipe leaves them out
	Findings  map[string]dataset.Findings `json:"findings"`            // by dataset: rows left out, groups in two splits
	Published *matrix.Table               `json:"published,omitempty"` // --paper
}

// matrixModel is a row's origin.
type matrixModel struct {
	Name     string         `json:"name"`
	Path     string         `json:"path,omitempty"`         // none of a floor
	Hash     string         `json:"model_sha256,omitempty"` // none of a floor that is no encoder
	Floor    bool           `json:"floor,omitempty"`
	Features []probe.Origin `json:"features"` // one a dataset
}

func runProbeMatrix(ctx context.Context, a *app, o probeMatrixOptions, config, out string) error {
	cfg, err := readProbeConfig(config)
	if err != nil {
		return err
	}
	m := matrixRun{a: a, cfg: cfg, store: matrix.Store(filepath.Join(out, "cells"))}
	if err := m.name(); err != nil {
		return fmt.Errorf("%s: %w", config, err)
	}
	inputs := append([]string{config}, cfg.Models...)
	for _, d := range cfg.Datasets {
		inputs = append(inputs, slices.DeleteFunc([]string{d.Manifest, d.Root}, func(p string) bool { return p == "" })...)
	}
	if err := m.outputs(out, inputs); err != nil {
		return err
	}
	if m.cache, err = featureCache(cfg); err != nil {
		return err
	}
	for _, d := range cfg.Datasets {
		ds, err := probe.OpenConfig(d)
		if err != nil {
			return err
		}
		if ds.Task != "" && ds.Task != dataset.MultiLabel {
			return fmt.Errorf("%w: dataset %q: its task is %s, and the matrix compares taggers: want %s", probe.ErrConfig, d.Name, ds.Task, dataset.MultiLabel)
		}
		m.columns = append(m.columns, matrix.Column{Dataset: ds, Western: d.Western})
	}
	found, err := m.run(ctx)
	if err != nil {
		return err
	}
	res := matrixResult{Schema: 1, Version: version(), Config: cfg, Models: m.models, Resampler: cfg.Resampler.Settings(), Normalize: m.normalize,
		Skipped: []audio.Skipped{}, Findings: map[string]dataset.Findings{}}
	if res.Table, err = matrix.Build(m.columns, found, m.base); err != nil {
		return err
	}
	for _, f := range found {
		for _, c := range f.Cells {
			for _, s := range c.Skipped {
				if !slices.Contains(res.Skipped, s) {
					res.Skipped = append(res.Skipped, s)
				}
			}
		}
	}
	for _, c := range m.columns {
		res.Findings[c.Name] = c.Findings
	}
	if o.paper {
		t := matrix.Published()
		res.Published = &t
	}
	if err := writeMatrix(out, res); err != nil {
		return err
	}
	text := skippedLines(res.Skipped) + spoiltLines(m.spoilt)
	if o.paper {
		text += publishedText(*res.Published) + "\n"
	}
	text += matrixText(res.Table)
	for _, c := range m.columns {
		for _, line := range findingLines(c.Findings) {
			text += c.Name + ": " + line + "\n"
		}
	}
	return a.result(res, text+fmt.Sprintf("%d cells, %d computed now; written to %s\n", len(found)*len(m.columns), m.computed, out))
}

// matrixFiles are what the folder gets, beside its cells.
func matrixFiles() []string {
	return []string{"matrix.json", "matrix.csv", "matrix.parquet", "matrix.tex", "matrix.html"}
}

// outputs checks before any work that the files can be written.
func (m *matrixRun) outputs(out string, inputs []string) error {
	for _, in := range inputs {
		if overwrites(out, in) {
			return usageError("the output %s holds or is the input %s; choose another folder", out, in)
		}
	}
	for _, name := range matrixFiles() {
		if err := m.a.fileOutput(filepath.Join(out, name), inputs...); err != nil {
			return err
		}
	}
	return nil
}

// writeMatrix writes the files; that they may be replaced was checked before.
func writeMatrix(out string, res matrixResult) error {
	text, err := json.MarshalIndent(res, "", "  ")
	if err != nil {
		return err
	}
	files := map[string][]byte{"matrix.json": append(text, '\n')}
	if err := renderMatrix(files, res); err != nil {
		return err
	}
	for _, name := range matrixFiles() {
		if err := checkpoint.WriteFile(filepath.Join(out, name), files[name], true); err != nil {
			return err
		}
	}
	return nil
}
