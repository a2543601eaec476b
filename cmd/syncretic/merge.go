package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/arithmetic/mergekit"
	"syncretic/checkpoint"
)

type mergeOptions struct {
	mergekitFlags

	plan         bool
	lambdas      []string
	seed         uint64
	union        bool
	intersection bool
}

func newMerge(a *app) *cobra.Command {
	var o mergeOptions
	cmd := &cobra.Command{
		Use:   "merge CONFIG OUT",
		Short: "Run a merge recipe: mergekit's YAML, over any model",
		Long: "Run a merge recipe. CONFIG is YAML as mergekit reads it: methods, slices, gradients, filters, tokenizer, several named\n" +
			"documents. OUT is a model directory with the base's side files, or one file when its name ends in .safetensors.\n" +
			"Task arithmetic is the method to begin with; `syncretic merge --methods` lists all, with their parameters.\n" +
			"The output has the tensors that the models have; where they differ, say --tensor-union or --tensor-intersection.\n" +
			"mergekit-yaml's flags are accepted; those without meaning here say so.",
		Example: "  syncretic merge recipe.yml merged\n  syncretic merge recipe.yml merged --plan",
		Args:    cobra.RangeArgs(0, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMerge(cmd.Context(), a, &o, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.plan, "plan", false, "print what would be read, computed and written, and write nothing")
	f.StringSliceVar(&o.lambdas, "lambda", nil, "replace the recipe's lambda; of several values, separated by commas, each makes a model OUT-lambda-VALUE, in one pass")
	f.Uint64Var(&o.seed, "seed", 0, "seed of methods that draw random numbers")
	f.BoolVar(&o.union, "tensor-union", false, "keep tensors that only some models have, merged from those")
	f.BoolVar(&o.intersection, "tensor-intersection", false, "leave out tensors that only some models have")
	o.mergekitFlags.add(f)
	cmd.MarkFlagsMutuallyExclusive("tensor-union", "tensor-intersection")
	return cmd
}

func runMerge(ctx context.Context, a *app, o *mergeOptions, args []string) error {
	if len(args) != 2 {
		return usageError("merge takes the arguments CONFIG OUT; got %d", len(args))
	}
	config, out := args[0], args[1]
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	recipes, err := mergekit.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", config, err)
	}
	opts := mergekit.Options{Seed: o.seed, Union: o.union, Intersection: o.intersection, Interrupt: ctx.Err}
	plan, err := mergekit.Compile(recipes, opts)
	if err != nil {
		return fmt.Errorf("%s: %w", config, err)
	}
	defer plan.Close()
	for _, note := range plan.Notes {
		a.logf("note: %s", note)
	}
	write := checkpoint.WriteOptions{Force: a.force}
	if write.ShardBytes, err = parseKMB(o.shardSize); err != nil {
		return err
	}
	if strings.HasSuffix(out, ".safetensors") {
		write.ShardBytes = 0
	} else if write.SideFiles, err = plan.SideFiles(); err != nil {
		return err
	}
	if o.plan {
		r, err := describePlan(plan, out, write)
		if err != nil {
			return err
		}
		return a.result(r, r.text())
	}
	if err := a.modelOutput(out); err != nil {
		return err
	}
	if err := a.write(ctx, out, plan.Merge(), write); err != nil {
		return err
	}
	tensors, parameters := count(plan.Merge())
	return a.result(map[string]any{"output": out, "tensors": tensors, "parameters": parameters, "method": plan.Method.Name},
		fmt.Sprintf("%s: %s, %d tensors, %d parameters\n", out, plan.Method.Name, tensors, parameters))
}

// parseKMB reads a number of bytes as mergekit's --out-shard-size does: K, M and B stand for thousands, millions and billions.
func parseKMB(s string) (int64, error) {
	factor := 1.0
	digits := s
	if len(s) > 0 {
		switch s[len(s)-1] {
		case 'K', 'k':
			factor = 1e3
		case 'M', 'm':
			factor = 1e6
		case 'B', 'b', 'G', 'g':
			factor = 1e9
		}
	}
	if factor != 1 {
		digits = s[:len(s)-1]
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || n <= 0 || n*factor > math.MaxInt64 {
		return 0, usageError("--out-shard-size %s: want a number of bytes such as 5B, 500M or 5GB", s)
	}
	return int64(n * factor), nil
}
