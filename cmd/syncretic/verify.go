package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/arithmetic/mergekit"
	"syncretic/checkpoint"
)

// errBroken means that models were checked, and some are not in order.
var errBroken = errors.New("not in order")

type verifyOptions struct {
	allowNonFinite bool
	against        string
}

func newVerify(a *app) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify MODEL...",
		Short: "Check models fully",
		Long: "Check each model: the safetensors format by every rule of the Rust reference (and no key twice), that index and shards agree,\n" +
			"that no stale weights stand beside, that every tensor can be read and is finite, that tied embeddings are as config.json says.\n" +
			"All that is wrong is listed, each with the name of the rule it breaks; the exit code is then 3.",
		Example: "  syncretic verify mert-v1-95m merged --json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runVerify(cmd.Context(), a, o, args)
		},
	}
	cmd.Flags().StringVar(&o.against, "against", "", "a merge.lock.json: the model must be the one that it describes, by its digests or else by making it again from its inputs")
	cmd.Flags().BoolVar(&o.allowNonFinite, "allow-non-finite", false, "accept NaN and infinities")
	return cmd
}

func runVerify(ctx context.Context, a *app, o verifyOptions, paths []string) error {
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
	var lock *mergekit.Lock
	if o.against != "" {
		text, err := os.ReadFile(o.against)
		if err != nil {
			return err
		}
		if lock, err = mergekit.ParseLock(text); err != nil {
			return fmt.Errorf("%s: %w", o.against, err)
		}
		if len(lock.Output.Tensors) == 0 {
			if lock.Output.Tensors, err = a.derive(ctx, o.against); err != nil {
				return err
			}
		}
	}
	type result struct {
		*checkpoint.Report
		OK bool `json:"ok"`
	}
	results := []result{}
	var text strings.Builder
	var bad []string
	for _, path := range paths {
		r, err := a.verify(ctx, path, o)
		if err == nil && lock != nil && len(r.Broken) == 0 {
			err = a.verifyAgainst(ctx, path, lock, r)
		}
		if err != nil {
			return err
		}
		results = append(results, result{r, len(r.Broken) == 0})
		text.WriteString(describe(r))
		if len(r.Broken) > 0 {
			bad = append(bad, path+": "+strings.Join(rules(r), ", "))
		}
	}
	if err := a.result(map[string]any{"models": results}, text.String()); err != nil {
		return err
	}
	if len(bad) > 0 {
		return fmt.Errorf("%d of %d models %w: %s", len(bad), len(paths), errBroken, strings.Join(bad, "; "))
	}
	return nil
}

// verify checks one model with a progress bar.
func (a *app) verify(ctx context.Context, path string, o verifyOptions) (*checkpoint.Report, error) {
	p := a.progress("reading " + path)
	defer p.stop()
	return checkpoint.Verify(ctx, path, checkpoint.VerifyOptions{
		AllowNonFinite: o.allowNonFinite,
		Progress:       func(done, total int64) { p.set(int(done>>20), int(total>>20), "MiB") },
	})
}

// verifyAgainst holds a model's tensors against a lock.
func (a *app) verifyAgainst(ctx context.Context, path string, lock *mergekit.Lock, r *checkpoint.Report) error {
	m, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	defer m.Close()
	p := a.progress("hashing " + path)
	defer p.stop()
	digests, err := checkpoint.Digests(ctx, m, func(done, total int64) { p.set(int(done>>20), int(total>>20), "MiB") })
	if err != nil {
		return err
	}
	if err := lock.CheckTensors(digests); err != nil {
		r.Broken = append(r.Broken, checkpoint.Broken{Rule: "lock", Message: err.Error()})
	}
	return nil
}

// rules are those that a model breaks, each once.
func rules(r *checkpoint.Report) []string {
	var all []string
	for _, b := range r.Broken {
		if !slices.Contains(all, b.Rule) {
			all = append(all, b.Rule)
		}
	}
	return all
}

// describe is the report that people read: a line, and one for each broken rule and note.
func describe(r *checkpoint.Report) string {
	var b strings.Builder
	verdict := "in order"
	if n := len(r.Broken); n > 0 {
		verdict = fmt.Sprintf("NOT IN ORDER, %d found", n)
	}
	fmt.Fprintf(&b, "%s: %s: %d tensors, %d parameters, %s in %d files\n", r.Path, verdict, r.Tensors, r.Parameters, showBytes(r.Bytes), len(r.Files))
	for _, broken := range r.Broken {
		fmt.Fprintf(&b, "  %s: %s\n", broken.Rule, printable(broken.Message))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "  note: %s\n", printable(note))
	}
	return b.String()
}
