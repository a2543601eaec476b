package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/arithmetic"
	"syncretic/checkpoint"
)

// metaTool is the metadata key of the version that wrote a file.
const metaTool = "syncretic.version"

func newVector(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "vector BASE TUNED OUT.safetensors",
		Short: "Write the task vector TUNED - BASE",
		Long: "Write the task vector tau = theta_tuned - theta_base (arXiv 2212.04089) as a safetensors file of float32 differences.\n" +
			"Names and shapes of both models must be the same. The file's metadata holds both models' sha-256, and `apply` checks the base's.",
		Example: "  syncretic vector mert-v1-95m models/makam makam.vector.safetensors",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runVector(cmd.Context(), a, args[0], args[1], args[2])
		},
	}
}

func runVector(ctx context.Context, a *app, basePath, tunedPath, out string) error {
	if !strings.HasSuffix(out, ".safetensors") {
		return usageError("OUT %s: a task vector is one file, its name must end in .safetensors", out)
	}
	if err := a.fileOutput(out, basePath, tunedPath); err != nil {
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
	tau, err := arithmetic.Sub(tuned, base)
	if err != nil {
		return mismatch(err)
	}
	meta, err := arithmetic.Provenance(tuned, base)
	if err != nil {
		return err
	}
	meta[metaTool] = version()
	if err := a.write(ctx, out, tau, checkpoint.WriteOptions{Metadata: meta, Force: a.force}); err != nil {
		return err
	}
	tensors, parameters := count(tau)
	return a.result(map[string]any{"output": out, "tensors": tensors, "parameters": parameters, "base_sha256": meta[arithmetic.BaseKey], "tuned_sha256": meta[arithmetic.TunedKey]},
		fmt.Sprintf("%s: task vector of %d tensors, %d parameters\n", out, tensors, parameters))
}

// write stores a Source with a progress bar.
func (a *app) write(ctx context.Context, out string, src checkpoint.Source, opts checkpoint.WriteOptions) error {
	p := a.progress("writing " + out)
	defer p.stop()
	opts.Progress = func(done, total int64) { p.set(int(done>>20), int(total>>20), "MiB") }
	return checkpoint.Write(ctx, out, src, opts)
}

func count(src checkpoint.Source) (tensors, parameters int) {
	for _, t := range src.Tensors() {
		tensors++
		parameters += t.Elements()
	}
	return tensors, parameters
}
