package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/arithmetic"
	"syncretic/arithmetic/taskvector"
	"syncretic/checkpoint"
)

// What is wrong with models that are each in order. All are bad input.
var (
	errMismatch  = errors.New("the models do not fit together")
	errOtherBase = errors.New("a task vector of another base")
	errIsVector  = errors.New("a task vector, and a model is wanted here")
)

func mismatch(err error) error { return fmt.Errorf("%w: %w", errMismatch, err) }

type applyOptions struct {
	vectors []string
	expr    string
	anyBase bool
}

func newApply(a *app) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply BASE OUT --vector PATH=LAMBDA ... | --expr EXPRESSION",
		Short: "Write BASE + sum of LAMBDA * task vector",
		Long: "Write theta_0 + sum_i lambda_i tau_i (arXiv 2212.04089) with BASE's dtypes, rounded once. A negative lambda forgets.\n" +
			"PATH is a task vector written by `vector`, in any form, or a tuned MODEL, whose vector is then taken on the way.\n" +
			"--expr says the sum as a formula over such paths: '0.3*(makam + lyra)', negation '-toxic', analogy 'c + b - a'.\n" +
			"OUT is a model directory with BASE's side files, or one file when its name ends in .safetensors.",
		Example: "  syncretic apply mert-v1-95m merged --vector makam.vector.safetensors=0.2 --vector models/lyra=0.2",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runApply(cmd.Context(), a, o, args[0], args[1])
		},
	}
	cmd.Flags().StringArrayVar(&o.vectors, "vector", nil, "a task vector or tuned MODEL and its lambda, as PATH=LAMBDA; repeatable")
	cmd.Flags().StringVar(&o.expr, "expr", "", "a linear formula over task vectors and tuned MODELs: + - * / and parentheses; spaces around a minus")
	cmd.Flags().BoolVar(&o.anyBase, "any-base", false, "accept vectors that were taken from another base (analogies)")
	return cmd
}

func runApply(ctx context.Context, a *app, o applyOptions, basePath, out string) error {
	terms, err := o.terms()
	if err != nil {
		return err
	}
	inputs := []string{basePath}
	for _, t := range terms {
		inputs = append(inputs, t.Name)
	}
	if err := a.modelOutput(out, inputs...); err != nil {
		return err
	}
	base, err := openModel(basePath)
	if err != nil {
		return err
	}
	defer base.Close()
	baseHash, err := checkpoint.Hash(base)
	if err != nil {
		return err
	}
	meta := map[string]string{"syncretic.verb": "apply", metaTool: version(), arithmetic.BaseKey: baseHash}
	sum := make([]arithmetic.Term, len(terms))
	for i, t := range terms {
		m, err := checkpoint.Open(t.Name)
		if err != nil {
			return err
		}
		defer m.Close()
		tau, err := taskVector(m, base, baseHash, o.anyBase)
		if err != nil {
			return err
		}
		sum[i] = arithmetic.Term{Vector: tau, Lambda: t.Lambda}
		meta[fmt.Sprintf("syncretic.term.%d", i)] = fmt.Sprintf("%g * %s", t.Lambda, t.Name)
	}
	merged, err := arithmetic.Combine(base, sum...)
	if err != nil {
		return mismatch(err)
	}
	opts := checkpoint.WriteOptions{Metadata: meta, Force: a.force}
	if base.Dir() != "" && !strings.HasSuffix(out, ".safetensors") {
		if opts.SideFiles, err = base.SideFiles(); err != nil {
			return err
		}
		opts.SideFiles = slices.DeleteFunc(opts.SideFiles, func(f checkpoint.SideFile) bool { return checkpoint.IsHistory(f.Name) })
	}
	if err := a.write(ctx, out, merged, opts); err != nil {
		return err
	}
	tensors, parameters := count(merged)
	return a.result(map[string]any{"output": out, "tensors": tensors, "parameters": parameters, "base_sha256": baseHash, "vectors": written(terms)},
		fmt.Sprintf("%s: %d tensors, %d parameters\n", out, tensors, parameters))
}

// terms reads the flags: what is added, and how much of it.
func (o applyOptions) terms() ([]arithmetic.Weighted, error) {
	switch {
	case len(o.vectors) == 0 && o.expr == "":
		return nil, usageError("give at least one --vector PATH=LAMBDA, or --expr")
	case len(o.vectors) > 0 && o.expr != "":
		return nil, usageError("--vector and --expr exclude each other")
	case o.expr != "":
		terms, err := arithmetic.ParseExpression(o.expr)
		if err != nil {
			return nil, usageError("--expr: %v", err)
		}
		return terms, nil
	}
	terms := make([]arithmetic.Weighted, len(o.vectors))
	for i, v := range o.vectors {
		at := strings.LastIndexByte(v, '=')
		if at < 1 {
			return nil, usageError("--vector %s: want PATH=LAMBDA", v)
		}
		lambda, err := strconv.ParseFloat(v[at+1:], 64)
		if err != nil || math.IsNaN(lambda) || math.IsInf(lambda, 0) {
			return nil, usageError("--vector %s: lambda %q is not a finite number", v, v[at+1:])
		}
		terms[i] = arithmetic.Weighted{Name: v[:at], Lambda: lambda}
	}
	return terms, nil
}

// written spells terms as --vector does.
func written(terms []arithmetic.Weighted) []string {
	list := make([]string, len(terms))
	for i, t := range terms {
		list[i] = t.Name + "=" + strconv.FormatFloat(t.Lambda, 'g', -1, 64)
	}
	return list
}

// taskVector returns what m holds when it is a task vector of the given base, in any of the forms that files have, and m - base
// when it is a model.
func taskVector(m *checkpoint.Model, base checkpoint.Source, baseHash string, anyBase bool) (checkpoint.Source, error) {
	meta := m.Metadata()
	if meta[arithmetic.KindKey] != arithmetic.VectorKind {
		tau, err := arithmetic.Sub(m, base)
		if err != nil {
			return nil, mismatch(err)
		}
		return tau, nil
	}
	switch got := meta[arithmetic.BaseKey]; {
	case anyBase || got == baseHash:
		return taskvector.Decode(m)
	case got == "":
		return nil, fmt.Errorf("%s: %w, or of none: the file does not name its base", m.Path(), errOtherBase)
	default:
		return nil, fmt.Errorf("%s: %w: taken from the base with sha-256 %.12s, but BASE has %.12s", m.Path(), errOtherBase, got, baseHash)
	}
}

// openModel opens a MODEL argument, which must not be a task vector.
func openModel(path string) (*checkpoint.Model, error) {
	m, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	if m.Metadata()[arithmetic.KindKey] == arithmetic.VectorKind {
		m.Close()
		return nil, fmt.Errorf("%s: %w", path, errIsVector)
	}
	return m, nil
}
