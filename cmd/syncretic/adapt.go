package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/adapt"
)

type adaptOptions struct {
	resume  bool
	from    int
	seed    uint64
	profile bool
	mpi     bool
	plan    bool
}

func newAdapt(a *app) *cobra.Command {
	var o adaptOptions
	cmd := &cobra.Command{
		Use:   "adapt CONFIG.yml OUT",
		Short: "Continue an encoder's pre-training on the music of a culture",
		Long: "Run the stages of a recipe: masked prediction of the teacher's codes and spectrum, with a learning rate that each stage\n" +
			"re-warms and re-decays (arXiv 2506.17818). OUT becomes a model directory with config.json, model.safetensors, the\n" +
			"pre-training heads, the recipe and train.jsonl, one JSON line a step.\n\n" +
			"While it runs, its last states stand in OUT.run (save_every, save_minutes and keep in the recipe). After an interruption,\n" +
			"also a kill, --resume goes on from the newest that can be read, to the same bytes as an undisturbed run's. The first\n" +
			"interrupt or SIGTERM saves a state and ends the run, a second one ends it at once. A step whose loss or gradient is not\n" +
			"finite is skipped and counted; more than the recipe's max_skipped of them in a row end the run, on the state before them.\n\n" +
			"With the recipe's key heldout (every: STEPS) the model is measured on held-out audio of its corpora before, during and after,\n" +
			"into heldout.jsonl, so that forgetting is seen while it happens. `tensorboard --logdir` on the folder above OUT draws a run\n" +
			"that goes on; `adapt report` writes it as one HTML file, which OUT holds at the end as summary.html.\n\n" +
			"Before anything is computed a table says, by corpus, what there is, what is left out (hours, exclude, skip_bad) and how often the\n" +
			"run will go through it; before the first step some micro-batches are timed, which say how long it will take. --plan prints both\n" +
			"and writes nothing. With skip_bad, a crop that cannot be read is replaced by another of its corpus, and its file is named.\n\n" +
			"With --mpi the processes that mpirun or srun started train one model: each takes its share of a step's micro-batches\n" +
			"(batch.accumulate, a multiple of their number), and the result is that of one process but for rounding. A run may be\n" +
			"resumed with another number. Process 0 alone prints and writes. It takes a build with the tag mpi, and Open MPI.",
		Example: "  syncretic adapt examples/adapt/tiny.yml out/makam\n" +
			"  mpirun -n 4 --map-by slot:PE=8 syncretic adapt recipe.yml out/makam --mpi --threads 8",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			seeded := cmd.Flags().Changed("seed")
			return a.together(cmd, o.mpi, func(g adapt.Group) error { return runAdapt(cmd.Context(), a, o, g, seeded, args[0], args[1]) })
		},
	}
	cmd.Flags().BoolVar(&o.resume, "resume", false, "go on from the last state that an interrupted run left in OUT.run; where OUT is complete, do nothing")
	cmd.Flags().IntVar(&o.from, "resume-from", 0, "go on from the state of this step (of those in OUT.run) and forget later ones")
	cmd.Flags().BoolVar(&o.mpi, "mpi", false, "train one model in all processes that mpirun or srun started (builds with the tag mpi)")
	profileFlag(cmd, &o.profile)
	planFlag(cmd, &o.plan)
	cmd.Flags().Uint64Var(&o.seed, "seed", 0, "replaces the recipe's seed")
	cmd.AddCommand(newAdaptEval(a), newAdaptReport(a))
	return cmd
}

// readRecipe reads a recipe and checks that its output may be written.
func readRecipe(a *app, o adaptOptions, seeded bool, config, out string) (cfg adapt.Config, err error) {
	if strings.HasSuffix(out, ".safetensors") {
		return cfg, usageError("OUT %s: an adapted model is a directory, its name must not end in .safetensors", out)
	}
	if o.from < 0 {
		return cfg, usageError("--resume-from %d: want the step of a state", o.from)
	}
	doc, err := os.ReadFile(config)
	if err != nil {
		return cfg, err
	}
	if cfg, err = adapt.ParseConfig(doc); err != nil {
		return cfg, fmt.Errorf("%s: %w", config, err)
	}
	if seeded {
		cfg.Seed = o.seed
	}
	inputs := []string{config, cfg.Teacher.Path}
	for _, path := range []string{cfg.Base, cfg.Teacher.Tokens} {
		if path != "" {
			inputs = append(inputs, path)
		}
	}
	if cfg.Heads != "" && cfg.Heads != "fresh" {
		inputs = append(inputs, cfg.Heads)
	}
	for _, k := range slices.Concat(cfg.Corpora, cfg.Heldout.Corpora) {
		inputs = append(inputs, k.Manifest)
	}
	for _, e := range cfg.Exclude {
		inputs = append(inputs, e.Manifest)
	}
	if o.plan {
		return cfg, nil
	}
	err = a.modelOutput(out, inputs...)
	if o.resume && errors.Is(err, fs.ErrExist) && stored(out) {
		return cfg, nil // Train says whether it is this recipe's
	}
	if err == nil {
		err = adapt.Options{Force: a.force, Resume: o.resume, ResumeFrom: o.from}.Check(out)
	}
	return cfg, err
}

func runAdapt(ctx context.Context, a *app, o adaptOptions, g adapt.Group, seeded bool, config, out string) error {
	cfg, err := readRecipe(a, o, seeded, config, out)
	if err := adapt.Agree(g, err); err != nil {
		return err
	}
	if o.plan {
		return runAdaptPlan(ctx, a, cfg)
	}
	bars := map[string]*progress{}
	run, err := adapt.Opening{Group: g, Index: func(x adapt.Index) { a.logf("%s", indexText(x)) }, Progress: func(what string, done, total int) {
		if bars[what] == nil {
			bars[what] = a.progress(what)
		}
		bars[what].set(done, total, "")
	}}.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer run.Close()
	leanHeap()
	prof, err := startProfile(o.profile)
	if err != nil {
		return err
	}
	defer prof.abandon()
	for _, c := range run.Heldout() {
		if c.Out != "" {
			a.logf("held-out losses are without corpus %s: %s", c.Name, c.Out)
		}
	}
	bar := a.progress("adapting")
	bar.timed = true
	defer bar.stop()
	var last adapt.Record
	held := newHeldoutResults(a, bar)
	var estimate adapt.Estimate
	err = run.Train(ctx, out, adapt.Options{Force: a.force, Resume: o.resume, ResumeFrom: o.from, Version: version(), Report: func(r adapt.Record) {
		last = r
		bar.report(r.Step, r.Steps, stepNote(r), map[string]any{"record": r, "seconds_left": math.Round(r.Left.Seconds())})
	}, Heldout: held.hear, Resumed: func(done int, stopped string) {
		if stopped != "" {
			stopped = ", where the run stopped: " + stopped
		}
		a.logf("going on after step %d%s", done, stopped)
	}, Estimate: func(e adapt.Estimate) {
		estimate = e
		a.logf("%s", estimateText(e))
	}, Warn: func(text string) { a.logf("warning: %s", text) }})
	if err != nil {
		return err
	}
	profile, err := prof.stop()
	if err != nil {
		return err
	}
	skipped := run.Skipped()
	return a.result(withProfile(map[string]any{"output": out, "steps": last.Steps, "skipped_steps": last.SkippedSteps, "last": last, "heldout": held.last, "skipped": skippedJSON(skipped),
		"index": run.Index(), "estimate": estimate}, profile),
		profile.table()+skippedLines(skipped)+fmt.Sprintf("%s: %d steps, last loss %.3f (cross-entropy %.2f nats, cqt %.3f)%s\n", out, last.Steps, last.Loss, last.CE(), last.CQT, skippedSteps(", ", last))+held.text())
}

// stored tells whether a model directory is one that adapt wrote: it may be the finished output of the very run to be resumed.
func stored(out string) bool {
	_, err := adapt.StoredConfig(out)
	return err == nil
}

// skippedSteps is the count of steps that a run has skipped so far, after sep; "" for none.
func skippedSteps(sep string, r adapt.Record) string {
	if r.SkippedSteps == 0 {
		return ""
	}
	return fmt.Sprintf("%sskipped steps: %d", sep, r.SkippedSteps)
}
