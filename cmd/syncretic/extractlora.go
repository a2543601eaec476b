package main

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/arithmetic/lora"
	"syncretic/checkpoint"
)

type extractOptions struct {
	rank             int
	epsilon          float64
	distribute, flat bool
	embeddings       bool
	save             []string
	include, exclude []string
	skip             bool
	dtype            string

	model, base, out string // mergekit-extract-lora's way to name them
}

func newExtractLora(a *app) *cobra.Command {
	var o extractOptions
	cmd := &cobra.Command{
		Use:   "extract-lora BASE TUNED OUT",
		Short: "Write a LoRA adapter that turns BASE into TUNED",
		Long: "Write the leading part of each task vector's singular value decomposition as a LoRA adapter, a directory that PEFT loads.\n" +
			"What cannot be decomposed (norms, biases, and embeddings without --embed-lora) is held in full where it differs.\n" +
			"The flags of mergekit-extract-lora are accepted, with --model, --base-model and --out-path in place of the arguments.",
		Example: "  syncretic extract-lora mert-v1-95m models/makam adapters/makam --rank 16",
		Args:    cobra.MaximumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.model+o.base+o.out != "" {
				if len(args) > 0 {
					return usageError("give BASE TUNED OUT, or --base-model, --model and --out-path; got both")
				}
				args = []string{o.base, o.model, o.out}
			}
			if len(args) != 3 || args[0] == "" || args[1] == "" || args[2] == "" {
				return usageError("extract-lora takes the arguments BASE TUNED OUT; got %d", len(args))
			}
			a.explainIdle(cmd.Flags())
			return runExtractLora(cmd.Context(), a, o, args[0], args[1], args[2])
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.rank, "rank", 128, "most rank of a module; mergekit's name is --max-rank")
	f.Float64Var(&o.epsilon, "sv-epsilon", 0, "leave out singular values up to this")
	f.BoolVar(&o.distribute, "distribute-scale", true, "share the singular values between A and B; false leaves them to A")
	f.BoolVar(&o.embeddings, "embed-lora", false, "decompose embeddings and output heads too, instead of holding them in full")
	f.StringArrayVar(&o.save, "save-module", nil, "hold this module in full, by its name or the last part of it; repeatable")
	f.StringArrayVarP(&o.include, "include-regex", "i", nil, "decompose only modules that match this; repeatable")
	f.StringArrayVarP(&o.exclude, "exclude-regex", "e", nil, "leave modules that match this as BASE has them; repeatable")
	f.BoolVar(&o.skip, "skip-undecomposable", false, "leave norms and vectors as BASE has them, instead of holding them in full")
	f.StringVar(&o.dtype, "dtype", "F32", "type of the adapter's tensors: F32, F16 or BF16, or as PyTorch spells it")
	f.IntVar(&o.rank, "max-rank", 128, "the same as --rank")
	f.StringVar(&o.model, "model", "", "the same as TUNED")
	f.StringVar(&o.base, "base-model", "", "the same as BASE")
	f.StringVar(&o.out, "out-path", "", "the same as OUT")
	f.BoolVar(&o.flat, "no-distribute-scale", false, "the same as --distribute-scale=false")
	f.Bool("no-embed-lora", false, "the default")
	addIdle(f)
	for _, name := range []string{"max-rank", "model", "base-model", "out-path", "no-distribute-scale", "no-embed-lora"} {
		f.Lookup(name).Hidden = true
	}
	return cmd
}

func runExtractLora(ctx context.Context, a *app, o extractOptions, basePath, tunedPath, out string) error {
	opts := lora.ExtractOptions{
		Rank: o.rank, Epsilon: o.epsilon, Unbalanced: o.flat || !o.distribute, Embeddings: o.embeddings, SaveModules: o.save,
		SkipOthers: o.skip, Base: basePath, Interrupt: ctx.Err,
	}
	if o.rank < 1 {
		return usageError("--rank %d: want 1 or more", o.rank)
	}
	if !(o.epsilon >= 0) || math.IsInf(o.epsilon, 0) {
		return usageError("--sv-epsilon %v: want a finite number of 0 or more", o.epsilon)
	}
	if strings.HasSuffix(out, ".safetensors") {
		return usageError("OUT %s: an adapter is a directory", out)
	}
	dtype, err := parseFloatType(o.dtype)
	if err != nil {
		return usageError("--dtype %v", err)
	}
	for _, list := range []struct {
		flag string
		from []string
		to   *[]*regexp.Regexp
	}{{"--include-regex", o.include, &opts.Include}, {"--exclude-regex", o.exclude, &opts.Exclude}} {
		for _, text := range list.from {
			expr, err := regexp.Compile(text)
			if err != nil {
				return usageError("%s: %v", list.flag, err)
			}
			*list.to = append(*list.to, expr)
		}
	}
	if err := a.modelOutput(out, basePath, tunedPath); err != nil {
		return err
	}
	base, err := openModel(basePath)
	if err != nil {
		return err
	}
	defer base.Close()
	tuned, err := openModel(tunedPath)
	if err != nil {
		return err
	}
	defer tuned.Close()
	p := a.progress("decomposing")
	opts.Progress = func(done, total int) { p.set(done, total, "tensors") }
	x, err := lora.Extract(base, tuned, opts)
	p.stop()
	if err != nil {
		return err
	}
	meta := map[string]string{metaTool: version()}
	if err := a.write(ctx, out, x, checkpoint.WriteOptions{
		Metadata: meta, DType: dtype, Force: a.force, Weights: lora.FileName, SideFiles: []checkpoint.SideFile{x.Config},
	}); err != nil {
		return err
	}
	return a.extracted(out, x)
}

// extracted prints what was made: how much of the modules' task vectors the adapter holds.
func (a *app) extracted(out string, x *lora.Extracted) error {
	var norm, lost float64
	rank := 0
	for _, m := range x.Modules {
		norm += m.Norm * m.Norm
		lost += m.Error * m.Error
		rank = max(rank, m.Rank)
	}
	share := 0.0
	if norm > 0 {
		share = math.Sqrt(lost / norm)
	}
	_, parameters := count(x)
	return a.result(map[string]any{"output": out, "modules": len(x.Modules), "rank": rank, "parameters": parameters, "relative_error": share,
		"full": len(x.Full), "left": len(x.Left)},
		fmt.Sprintf("%s: %d modules of rank %d or less, %d tensors in full, %d left as the base has them; %d parameters; relative error of the modules' task vectors %.3g\n",
			out, len(x.Modules), rank, len(x.Full), len(x.Left), parameters, share))
}
