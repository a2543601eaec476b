package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/arithmetic/lora"
	"syncretic/arithmetic/mergekit"
	"syncretic/checkpoint"
)

type mergeOptions struct {
	mergekitFlags

	plan         bool
	methods      bool
	lambdas      []float64
	union        bool
	intersection bool
	nonFinite    string
	maxMemory    string
	fromLock     string
	noLock       bool
	digest       bool
	resume       bool
	report       string
	spectra      bool
}

// defaultMemory is what --max-memory is without being said.
const defaultMemory = "400MB"

func newMerge(a *app) *cobra.Command {
	var o mergeOptions
	cmd := &cobra.Command{
		Use:   "merge CONFIG OUT",
		Short: "Run a merge recipe: mergekit's YAML, over any model",
		Long: "Run a merge recipe: YAML as mergekit reads it, with its methods, slices, gradients, filters and named documents.\n" +
			"OUT is a model directory with the base's side files, or one file when its name ends in .safetensors. The output has\n" +
			"the tensors that the models have; where those differ, say --tensor-union or --tensor-intersection.\n" +
			"`merge --methods` lists the methods and their parameters; begin with task_arithmetic. `merge CONFIG OUT --plan` shows\n" +
			"what would be read, computed and written. mergekit-yaml's flags are accepted; those without meaning here say so.",
		Example: "  syncretic merge recipe.yml merged\n  syncretic merge recipe.yml merged --lambda 0.1,0.2,0.3",
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.methods && len(args) == 0, (o.fromLock != "" || o.out != "") && len(args) == 1:
				return nil
			}
			return cobra.ExactArgs(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.methods {
				docs := methodDocs()
				return a.result(docs, methodsText(docs))
			}
			a.explainIdle(cmd.Flags())
			if o.out != "" {
				if len(args) != 1 {
					return usageError("--out-path stands in place of OUT, not beside it")
				}
				args = append(args, o.out)
			}
			if o.fromLock != "" {
				if len(args) != 1 {
					return usageError("merge --from-lock LOCK takes the argument OUT; the recipe is in the lock")
				}
				args = []string{"", args[0]}
			}
			return runMerge(cmd.Context(), a, &o, args[0], args[1])
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.plan, "plan", false, "print every output tensor with its sources, exact file sizes and memory, and write nothing")
	f.BoolVar(&o.methods, "methods", false, "list the merge methods with their parameters")
	f.Float64SliceVar(&o.lambdas, "lambda", nil, "replace the recipe's lambda; of several values each makes OUT-lambda-VALUE, from one read")
	f.Uint64Var(&o.seed, "seed", 0, "seed of methods that draw random numbers")
	f.BoolVar(&o.union, "tensor-union", false, "keep tensors that only some models have, merged from those")
	f.BoolVar(&o.intersection, "tensor-intersection", false, "leave out tensors that only some models have")
	f.StringVar(&o.nonFinite, "non-finite", "refuse", "what to do about NaN and infinities in the models: refuse, keep or zero")
	f.StringVar(&o.maxMemory, "max-memory", defaultMemory, "most memory for what methods find out about tensors; mapped files aside")
	f.StringVar(&o.fromLock, "from-lock", "", "make the model of a merge.lock.json again, from the same inputs to the same bytes")
	f.BoolVar(&o.noLock, "no-lock", false, "do not hash the inputs, and write no merge.lock.json")
	f.BoolVar(&o.digest, "digest", false, "put a digest of every output tensor into the lock, so that verify --against needs no inputs")
	f.BoolVar(&o.resume, "resume", false, "keep finished shards when interrupted, and go on from those of an earlier run with --resume")
	f.StringVar(&o.report, "report", "", "write norms, cosines, sign conflicts and what was trimmed, by layer and tensor, to this .json, .txt or .html file")
	f.BoolVar(&o.spectra, "spectra", false, "add ranks and shared directions to the report: a decomposition of every matrix, which takes minutes")
	o.add(f)
	return cmd
}

// merging is one run of the verb.
type merging struct {
	*app
	o       *mergeOptions
	config  string
	recipe  []byte
	tool    string // the version to name in the output
	docs    []*mergekit.Recipe
	lent    []func() error // close adapters
	opts    mergekit.Options
	against *mergekit.Lock // of --from-lock
}

func runMerge(ctx context.Context, a *app, o *mergeOptions, config, out string) error {
	m, err := newMerging(ctx, a, o, config)
	if err != nil {
		return err
	}
	defer m.close()
	plans, err := m.compile()
	if err != nil {
		return fmt.Errorf("%s: %w", m.config, err)
	}
	outs := []string{out}
	if len(plans) > 1 {
		outs = nil
		for _, l := range o.lambdas {
			outs = append(outs, withLambda(out, l))
		}
	}
	for _, plan := range plans {
		defer plan.Close()
	}
	if !o.plan { // before inputs are hashed
		if err := m.checkOutputs(plans, outs); err != nil {
			return err
		}
	}
	var outputs []checkpoint.Output
	for i, plan := range plans {
		output, err := m.output(ctx, plan, outs[i])
		if err != nil {
			return err
		}
		outputs = append(outputs, output)
	}
	for _, note := range plans[0].Notes {
		a.logf("note: %s", note)
	}
	if o.plan {
		r, err := describePlan(plans[0], outputs[0])
		if err != nil {
			return err
		}
		return a.result(r, r.text())
	}
	return m.write(ctx, plans, outputs, m.observe(plans, outputs))
}

// checkOutputs checks that every output and report can be written.
func (m *merging) checkOutputs(plans []*mergekit.Plan, outs []string) error {
	for i, p := range plans {
		inputs := []string{m.config}
		for _, in := range p.Models {
			inputs = append(inputs, in.Path)
		}
		if err := m.modelOutput(outs[i], inputs...); err != nil {
			return err
		}
		if m.o.report == "" {
			continue
		}
		path := m.reportPath(i, len(plans))
		if filepath.Clean(path) == filepath.Clean(outs[i]) {
			return usageError("--report %s is the output; choose another name", path)
		}
		if err := m.fileOutput(path, inputs...); err != nil {
			return err
		}
	}
	return nil
}

// newMerging reads the recipe and the flags.
func newMerging(ctx context.Context, a *app, o *mergeOptions, config string) (*merging, error) {
	switch {
	case o.union && o.intersection:
		return nil, usageError("--tensor-union and --tensor-intersection exclude each other")
	case o.report != "" && !slices.Contains([]string{".json", ".txt", ".html"}, filepath.Ext(o.report)):
		return nil, usageError("--report %s: want a name that ends in .json, .txt or .html", o.report)
	case o.plan && o.report != "":
		return nil, usageError("--report is made while merging, and --plan does not")
	case o.spectra && o.report == "":
		return nil, usageError("--spectra is for the --report FILE")
	case o.noLock && o.digest:
		return nil, usageError("--digest is for the lock that --no-lock leaves out")
	case o.noLock && o.resume:
		return nil, usageError("--resume needs the hashes that --no-lock leaves out")
	}
	m := &merging{app: a, o: o, config: config, tool: version()}
	var err error
	if o.fromLock != "" {
		err = m.readLock(o.fromLock)
	} else {
		m.recipe, err = os.ReadFile(config)
	}
	if err != nil {
		return nil, err
	}
	if m.docs, err = mergekit.Parse(m.recipe); err != nil {
		return nil, fmt.Errorf("%s: %w", m.config, err)
	}
	m.opts = mergekit.Options{Seed: o.seed, Union: o.union, Intersection: o.intersection, Truncate: o.truncate, Interrupt: ctx.Err,
		Opener: mergekit.Opener{Hub: checkpoint.ResolveHub, Adapter: m.adapt}}
	if m.opts.NonFinite, err = mergekit.ParseNonFinite(o.nonFinite); err != nil {
		return nil, usageError("--%v", err)
	}
	if m.opts.Memory, err = parseBytes(o.maxMemory); err != nil {
		return nil, usageError("--max-memory: %v", err)
	}
	return m, nil
}

// adapt applies the LoRA adapter in a directory, or of a name in the hub's cache.
func (m *merging) adapt(base checkpoint.Source, path string) (checkpoint.Source, error) {
	if _, err := os.Stat(path); err != nil && checkpoint.HubName(path) {
		if path, err = checkpoint.ResolveHub(path, ""); err != nil {
			return nil, err
		}
	}
	adapter, err := lora.Open(path)
	if err != nil {
		return nil, err
	}
	m.lent = append(m.lent, adapter.Close)
	return lora.Apply(base, adapter, 1)
}

// close closes the adapters; what was only read closes without news.
func (m *merging) close() {
	for _, f := range m.lent {
		_ = f()
	}
}

// compile makes a plan for each lambda, or one for the recipe's own.
func (m *merging) compile() ([]*mergekit.Plan, error) {
	if len(m.o.lambdas) > 0 {
		return mergekit.CompileEach(m.docs, m.opts, m.o.lambdas)
	}
	plan, err := mergekit.Compile(m.docs, m.opts)
	return []*mergekit.Plan{plan}, err
}

// withLambda puts a lambda into an output's name.
func withLambda(out string, lambda float64) string {
	stem, single := strings.CutSuffix(out, ".safetensors")
	name := fmt.Sprintf("%s-lambda-%g", strings.TrimRight(stem, "/"), lambda)
	if single {
		name += ".safetensors"
	}
	return name
}

// output says how a plan's merge is written.
func (m *merging) output(ctx context.Context, plan *mergekit.Plan, out string) (checkpoint.Output, error) {
	output := checkpoint.Output{Path: out, Source: plan.Merge(), Options: checkpoint.WriteOptions{Force: m.force, Metadata: map[string]string{
		"syncretic.verb": "merge", metaTool: m.tool, "syncretic.recipe": string(m.recipe), "syncretic.seed": fmt.Sprint(m.opts.Seed)}}}
	opts := &output.Options
	if plan.Lambda != nil {
		opts.Metadata["syncretic.lambda"] = fmt.Sprint(*plan.Lambda)
	}
	if !strings.HasSuffix(out, ".safetensors") {
		var err error
		if opts.ShardBytes, err = parseBytes(m.o.shardSize); err != nil {
			return output, usageError("--out-shard-size: %v", err)
		}
		if opts.SideFiles, err = plan.SideFiles(); err != nil {
			return output, err
		}
		if m.o.noTokenizer {
			opts.SideFiles = slices.DeleteFunc(opts.SideFiles, func(f checkpoint.SideFile) bool { return slices.Contains(tokenizerFiles(), f.Name) })
		}
		if !m.o.noCard {
			opts.SideFiles = append(opts.SideFiles, plan.Card(m.recipe), checkpoint.SideFile{Name: "mergekit_config.yml", Data: m.recipe})
		}
	}
	if m.o.noLock {
		return output, nil
	}
	l, err := m.lock(ctx, plan, !m.o.plan)
	if err != nil {
		return output, err
	}
	return output, m.prove(&output, l)
}

// write stores all outputs and reports.
func (m *merging) write(ctx context.Context, plans []*mergekit.Plan, outputs []checkpoint.Output, reports []observing) error {
	bar := m.progress("merging into " + outputs[0].Path)
	defer bar.stop()
	for i := range outputs {
		outputs[i].Options.Progress = func(done, total int64) { bar.set(int(done>>20), int(total>>20), "MiB") }
	}
	if _, err := checkpoint.WriteAll(ctx, outputs...); err != nil {
		return err
	}
	for _, r := range reports {
		if err := r.write(ctx, m); err != nil {
			return err
		}
	}
	var text strings.Builder
	var results []map[string]any
	for i, out := range outputs {
		tensors, parameters := count(out.Source)
		fmt.Fprintf(&text, "%s: %s, %d tensors, %d parameters\n", out.Path, plans[i].Method.Name, tensors, parameters)
		results = append(results, map[string]any{"output": out.Path, "method": plans[i].Method.Name, "tensors": tensors, "parameters": parameters,
			"models": plans[i].Models, "donor": plans[i].Donor})
	}
	if len(results) == 1 {
		return m.result(results[0], text.String())
	}
	return m.result(map[string]any{"outputs": results}, text.String())
}
