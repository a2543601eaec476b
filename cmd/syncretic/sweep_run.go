package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/sweep"
	"syncretic/sweep/fuse"
	"syncretic/sweep/slurm"
)

func newSweepRun(a *app) *cobra.Command {
	var create bool
	cmd := &cobra.Command{
		Use:   "run CONFIG.yml",
		Short: "Probe merges, choose on validation, test the winner once",
		Long: "Score merges of a base and task vectors by probes on validation data; no merge is written to disk. The winner has the best mean\n" +
			"over non-Western datasets (each over that of its single-culture expert) among those that keep rho times the base's Western\n" +
			"score. It is then scored on the test splits beside base and experts, once a study.\n\n" +
			"Trials stand in the study, an SQLite file or a PostgreSQL database that Optuna can read; an interrupted sweep goes on where it\n" +
			"stopped. While it runs, `sweep work STUDY` joins from anywhere, `sweep status STUDY` shows it, `sweep submit` takes it to a\n" +
			"cluster.",
		Example: "  syncretic sweep run examples/sweep/tiny.yml",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runSweep(cmd.Context(), a, args[0], create) },
	}
	cmd.Flags().BoolVar(&create, "create", false, "make the study with everything checked, and score nothing: for workers that `sweep work` starts")
	return cmd
}

func runSweep(ctx context.Context, a *app, config string, create bool) error {
	s, err := openStudy(ctx, a, config)
	if err != nil {
		return err
	}
	defer s.close()
	if create {
		where, total := s.study.Where(), s.study.Setup().Total()
		return a.result(map[string]any{"study": where, "name": s.study.Name(), "trials": total},
			fmt.Sprintf("study %s: %d trials to do\n%s\n", where, total, workCommand(s.study)))
	}
	record, err := s.workAndTest(ctx, workOptions{})
	if err != nil {
		return err
	}
	return a.result(record, sweepText(s.cfg, record)+"study "+s.study.Where()+"\n")
}

// openStudy opens all that a config names, and makes its study where there is none.
func openStudy(ctx context.Context, a *app, config string) (*sweeping, error) {
	cfg, err := readSweepConfig(config)
	if err != nil {
		return nil, err
	}
	s, setup, err := openSweep(ctx, a, cfg)
	if errors.Is(err, fuse.ErrChoice) {
		return nil, fmt.Errorf("%s: %w", config, err)
	}
	if err != nil {
		return nil, err
	}
	if !strings.Contains(cfg.Study, "://") {
		if err := os.MkdirAll(filepath.Dir(cfg.Study), 0o777); err != nil {
			s.close()
			return nil, err
		}
		a.warnOfNetwork(cfg.Study)
	}
	if s.study, err = sweep.Open(ctx, cfg.Study, cfg.Name, setup, storeOptions(a)...); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// workCommand is what joins a study, whatever other studies its database holds.
func workCommand(study *sweep.Study) string {
	command := "syncretic sweep work " + slurm.Quote(study.Where())
	if study.Name() != sweep.DefaultName {
		command += " --name " + slurm.Quote(study.Name())
	}
	return command
}

// testOnce takes the record of a test that was made before for what it is.
func testOnce(record *sweep.TestRecord, err error) (*sweep.TestRecord, error) {
	if errors.Is(err, sweep.ErrTested) && record != nil {
		return record, nil
	}
	return record, err
}

// sweepText is a test's record for people.
func sweepText(cfg sweep.Config, r *sweep.TestRecord) string {
	text := fmt.Sprintf("lambda %s: %s\n", lambdaText(r.Selection.Choice), r.Selection.Reason)
	if r.Scores == nil {
		return text
	}
	for _, d := range cfg.Probe.Datasets {
		b, w := r.Scores.Base.Tasks[d.Name], r.Scores.Winner.Tasks[d.Name]
		text += fmt.Sprintf("test %-20s ROC-AUC %.4f, base %.4f", d.Name, w.ROCAUC, b.ROCAUC)
		if difference, ok := r.Scores.Differences[d.Name]; ok {
			diff := difference.ROCAUC
			text += fmt.Sprintf(": %+.4f [%+.4f, %+.4f]", diff.Difference, diff.Low, diff.High)
			if !diff.Significant {
				text += ", not significant"
			}
		}
		text += "\n"
	}
	for _, name := range sortedNames(r.Scores.Winner.Losses) {
		w, b := r.Scores.Winner.Losses[name].Value, r.Scores.Base.Losses[name].Value
		text += fmt.Sprintf("loss %-20s %.4f, base %.4f: %+.4f\n", name, w, b, w-b)
	}
	return text
}

// lambdaText is a choice for people: its lambdas, and what else was chosen.
func lambdaText(c sweep.Choice) string {
	if c.Lambdas == nil {
		return "0"
	}
	text := c.Lambdas.String()
	if c.Method != "" && c.Method != sweep.DefaultMethod {
		text += " by " + c.Method
	}
	for _, name := range sortedNames(c.Params) {
		text += fmt.Sprintf(" %s %.4g", name, c.Params[name])
	}
	return text
}
