package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sort"

	"github.com/spf13/cobra"

	"syncretic/arithmetic"
	"syncretic/checkpoint"
	"syncretic/sweep"
	"syncretic/sweep/report"
)

func newSweepReport(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "report STUDY OUT.html",
		Short:   "Write a study as one HTML file",
		Long:    "Draw the lambda curves, every trial, the choice, and the test of the winner as one file that needs no network.",
		Example: "  syncretic sweep report out/study.db out/study.html",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSweepReport(cmd.Context(), a, args[0], args[1])
		},
	}
}

func runSweepReport(ctx context.Context, a *app, path, out string) error {
	if err := a.fileOutput(out, path); err != nil {
		return err
	}
	study, err := sweep.Load(ctx, path)
	if err != nil {
		return err
	}
	defer study.Close()
	setup := study.Setup()
	trials, err := study.Trials(ctx)
	if err != nil {
		return err
	}
	selected, err := setup.Rule.Select(trials)
	if err != nil {
		return err
	}
	doc := report.Document{Title: "Sweep of scaling coefficients", Subtitle: selected.Reason}
	var byLoss *sweep.Selection
	if s, err := sweep.SelectByLoss(trials); err == nil {
		byLoss = &s
	}
	doc.FromTrials(setup, trials, &selected, byLoss)
	record, err := study.Tested(ctx)
	if err != nil {
		return err
	}
	if record != nil && record.Scores != nil {
		doc.Scores = testTables(record)
	}
	if err := a.addInterference(&doc, setup); err != nil {
		return err
	}
	doc.Provenance = append(doc.Provenance, report.Fact{Name: "seed", Value: fmt.Sprint(setup.Seed)}, report.Fact{Name: "version", Value: version()})
	for _, name := range sortedNames(setup.Inputs) {
		doc.Provenance = append(doc.Provenance, report.Fact{Name: "sha-256 of " + name, Value: setup.Inputs[name]})
	}
	var page bytes.Buffer
	if err := report.Write(&page, doc); err != nil {
		return err
	}
	if err := checkpoint.WriteFile(out, page.Bytes(), a.force); err != nil {
		return err
	}
	return a.result(map[string]any{"output": out, "selection": selected, "trials": len(trials)}, fmt.Sprintf("%s: %d trials, lambda %s\n", out, len(trials), selected.Lambdas))
}

// addInterference measures the study's task vectors against each other. Models that have moved or changed since the sweep are
// no reason to refuse a report: it is then written without this part, and says so.
func (a *app) addInterference(doc *report.Document, setup sweep.Setup) error {
	text, err := json.Marshal(setup.Config)
	if err != nil {
		return err
	}
	var cfg sweep.Config
	if err := json.Unmarshal(text, &cfg); err != nil || cfg.Base == "" {
		return nil // a study that another program set up
	}
	without := func(err error) error {
		a.logf("the report is without the interference between the task vectors: %v", err)
		doc.Remarks = append(doc.Remarks, "Without the interference between the task vectors: the models could not be read again.")
		return nil
	}
	base, err := checkpoint.Open(cfg.Base)
	if err != nil {
		return without(err)
	}
	defer base.Close()
	var vectors []checkpoint.Source
	for _, name := range setup.Space.Vectors {
		m, err := checkpoint.Open(cfg.Vectors[name])
		if err != nil {
			return without(err)
		}
		defer m.Close()
		tau, err := taskVector(m, base, setup.Inputs["base"], false)
		if err != nil {
			return without(err)
		}
		vectors = append(vectors, tau)
	}
	r, err := arithmetic.Interference(setup.Space.Vectors, vectors)
	if err != nil {
		return without(err)
	}
	doc.FromInterference(r, 0)
	return nil
}

// testTables shows base and winner on the test splits, one table a metric.
func testTables(r *sweep.TestRecord) []report.ScoreTable {
	names := sortedNames(r.Scores.Winner.Tasks)
	table := func(title string, value func(sweep.Task) float64, diff func(sweep.Difference) sweep.Interval) report.ScoreTable {
		t := report.ScoreTable{Title: title + " on test data", Datasets: names, Caption: "Scored once, after lambda was chosen on validation data."}
		base, winner := report.ScoreRow{Model: "base"}, report.ScoreRow{Model: "merge", Note: "lambda " + r.Selection.Lambdas.String(), Chosen: true}
		for _, n := range names {
			base.Cells = append(base.Cells, report.ScoreCell{Value: value(r.Scores.Base.Tasks[n])})
			cell := report.ScoreCell{Value: value(r.Scores.Winner.Tasks[n])}
			if d, ok := r.Scores.Differences[n]; ok {
				i := diff(d)
				cell.Difference = &report.Interval{Difference: i.Difference, Low: i.Low, High: i.High}
			}
			winner.Cells = append(winner.Cells, cell)
		}
		t.Rows = []report.ScoreRow{base, winner}
		return t
	}
	return []report.ScoreTable{
		table("ROC-AUC", func(t sweep.Task) float64 { return t.ROCAUC }, func(d sweep.Difference) sweep.Interval { return d.ROCAUC }),
		table("Average precision", func(t sweep.Task) float64 { return t.AveragePrecision }, func(d sweep.Difference) sweep.Interval { return d.AveragePrecision }),
	}
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
