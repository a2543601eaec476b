package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sort"

	"github.com/spf13/cobra"

	"syncretic/arithmetic"
	"syncretic/checkpoint"
	"syncretic/sweep"
	"syncretic/sweep/report"
)

func newSweepReport(a *app) *cobra.Command {
	var name, events string
	cmd := &cobra.Command{
		Use:   "report STUDY OUT.html",
		Short: "Write a study as one HTML file",
		Long: "Draw the lambda curves, the front of non-Western against Western scores, what mattered, every trial, the choice, the test of the\n" +
			"winner beside base and experts, and the vectors' interference, as one file that needs no network. It may be written at any time.",
		Example: "  syncretic sweep report out/study.db out/study.html",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSweepReport(cmd.Context(), a, args[0], name, args[1], events)
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "the study's name, where the database holds several")
	f.StringVar(&events, "tensorboard", "", "also write the trials as an event file for TensorBoard into this folder")
	return cmd
}

func runSweepReport(ctx context.Context, a *app, where, name, out, events string) error {
	if ext := filepath.Ext(out); ext != ".html" && ext != ".htm" {
		return usageError("%s: want a name that ends in .html", out)
	}
	if err := a.fileOutput(out, where); err != nil {
		return err
	}
	study, trials, refs, err := readStudy(ctx, a, where, name)
	if err != nil {
		return err
	}
	defer study.Close()
	setup := study.Setup()
	selected, err := setup.Rule.Select(trials, refs)
	if err != nil {
		return err
	}
	doc := report.Document{Title: "Sweep of scaling coefficients", Subtitle: selected.Reason}
	var byLoss *sweep.Selection
	if s, err := sweep.SelectByLoss(trials, refs); err == nil && setup.Rule.Metric != sweep.MaskedLoss {
		byLoss = &s
	}
	if err := doc.FromTrials(setup, trials, refs, &selected, byLoss); err != nil {
		return err
	}
	record, err := study.Tested(ctx)
	if err != nil {
		return err
	}
	if record != nil && record.Scores != nil {
		doc.Scores = testTables(record)
	}
	a.addInterference(&doc, study)
	addProvenance(&doc, study, trials, selected)
	var page bytes.Buffer
	if err := report.Write(&page, doc); err != nil {
		return err
	}
	if err := checkpoint.WriteFile(out, page.Bytes(), a.force); err != nil {
		return err
	}
	if events != "" {
		if err := writeSweepEvents(events, setup, trials, refs); err != nil {
			return err
		}
	}
	return a.result(map[string]any{"output": out, "selection": selected, "trials": len(trials)}, fmt.Sprintf("%s: %d trials, lambda %s\n", out, len(trials), lambdaText(selected.Choice)))
}

// addProvenance says what it takes to run the sweep again, and to make the winner.
func addProvenance(doc *report.Document, study *sweep.Study, trials []sweep.Trial, selected sweep.Selection) {
	setup := study.Setup()
	fact := func(name, value string) {
		doc.Provenance = append(doc.Provenance, report.Fact{Name: name, Value: value})
	}
	fact("study", study.Where()+", "+study.Name())
	fact("seed", fmt.Sprint(setup.Seed))
	fact("version of the study", setup.Version)
	fact("version of this report", version())
	for _, name := range sortedNames(setup.Inputs) {
		fact("sha-256 of "+name, setup.Inputs[name])
	}
	if text, err := json.MarshalIndent(setup.Config, "", "  "); err == nil {
		fact("configuration", string(text))
	}
	for _, t := range trials {
		if t.Number == selected.Trial {
			doc.Recipe = t.Recipe
		}
	}
	if doc.Recipe != "" {
		doc.Commands = append(doc.Commands, "syncretic merge winner.yml out/winner")
	}
	doc.Commands = append(doc.Commands, workCommand(study))
}

// addInterference measures the study's task vectors against each other. Models that have moved or changed since the sweep are
// no reason to refuse a report: it is then written without this part, and says so.
func (a *app) addInterference(doc *report.Document, study *sweep.Study) {
	cfg, err := storedConfig(study)
	if err != nil {
		return // a study that another program set up
	}
	if err := interference(doc, cfg, study.Setup()); err != nil {
		a.logf("the report is without the interference between the task vectors: %v", err)
		doc.Remarks = append(doc.Remarks, "Without the interference between the task vectors: the models could not be read again.")
	}
}

func interference(doc *report.Document, cfg sweep.Config, setup sweep.Setup) error {
	open := func(path, input string) (*checkpoint.Model, error) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(setup.Folder, path)
		}
		m, err := checkpoint.Open(path)
		if err != nil {
			return nil, err
		}
		hash, err := checkpoint.Hash(m)
		if err == nil && hash != setup.Inputs[input] {
			err = fmt.Errorf("%s: it has changed since the sweep", path)
		}
		if err != nil {
			_ = m.Close() // only read
			return nil, err
		}
		return m, nil
	}
	base, err := open(cfg.Base, "base")
	if err != nil {
		return err
	}
	defer base.Close()
	var vectors []checkpoint.Source
	for _, name := range setup.Space.Vectors {
		m, err := open(cfg.Vectors[name], "vector "+name)
		if err != nil {
			return err
		}
		defer m.Close()
		tau, err := taskVector(m, base, setup.Inputs["base"], false)
		if err != nil {
			return err
		}
		vectors = append(vectors, tau)
	}
	r, err := arithmetic.Interference(setup.Space.Vectors, vectors)
	if err != nil {
		return err
	}
	doc.FromInterference(r, 0)
	return nil
}

// testTables shows base, winner and the other references on the test splits, one table a metric.
func testTables(r *sweep.TestRecord) []report.ScoreTable {
	names := sortedNames(r.Scores.Winner.Tasks)
	if len(names) == 0 {
		return nil
	}
	table := func(metric sweep.Metric, title string, diff func(sweep.Difference) sweep.Interval) report.ScoreTable {
		t := report.ScoreTable{Title: title + " on test data", Datasets: names, Caption: "Scored once, after lambda was chosen on validation data."}
		row := func(model, note string, chosen bool, scores sweep.Scores, differences map[string]sweep.Difference) {
			out := report.ScoreRow{Model: model, Note: note, Chosen: chosen}
			for _, n := range names {
				cell := report.ScoreCell{Value: scores.Tasks[n].Metric(metric)}
				if d, ok := differences[n]; ok && diff != nil {
					i := diff(d)
					cell.Difference = &report.Interval{Difference: i.Difference, Low: i.Low, High: i.High}
				}
				out.Cells = append(out.Cells, cell)
			}
			t.Rows = append(t.Rows, out)
		}
		row("base", "", false, r.Scores.Base, nil)
		for _, m := range r.Scores.Others {
			name := string(m.Model)
			if m.Model == sweep.Multi {
				name = "multi-culture"
			}
			row(name, "", false, m.Scores, m.Differences)
		}
		row("merge", "lambda "+lambdaText(r.Selection.Choice), true, r.Scores.Winner, r.Scores.Differences)
		return t
	}
	return []report.ScoreTable{
		table(sweep.ROCAUC, "ROC-AUC", func(d sweep.Difference) sweep.Interval { return d.ROCAUC }),
		table(sweep.AveragePrecision, "Average precision", func(d sweep.Difference) sweep.Interval { return d.AveragePrecision }),
		table(sweep.F1, "F1", nil),
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
