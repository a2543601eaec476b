package main

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncretic/arithmetic"
	"syncretic/arithmetic/taskvector"
	"syncretic/checkpoint"
)

// metaTool is the metadata key of the version that wrote a file.
const metaTool = "syncretic.version"

type vectorOptions struct {
	dtype   string
	density float64
	rank    int
}

func newVector(a *app) *cobra.Command {
	var o vectorOptions
	cmd := &cobra.Command{
		Use:   "vector BASE TUNED OUT.safetensors",
		Short: "Write the task vector TUNED - BASE",
		Long: "Write the task vector tau = theta_tuned - theta_base (arXiv 2212.04089) as a safetensors file.\n" +
			"Names and shapes of both models must be the same. The file's metadata holds both models' sha-256, and `apply` checks the base's.\n" +
			"Without flags every difference is stored, as float32. --density stores only the largest of each tensor; --rank stores factors\n" +
			"from each matrix's singular value decomposition, and vectors in full. `apply`, `compare` and sweeps read all forms alike.\n" +
			"What a form loses is printed: |tau - stored| / |tau|, overall and of the tensor where it is worst.",
		Example: "  syncretic vector mert-v1-95m models/makam makam.vector.safetensors --density 0.2 --dtype bf16",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := o.encoding(cmd.Flags())
			if err != nil {
				return err
			}
			return runVector(cmd.Context(), a, opts, args[0], args[1], args[2])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dtype, "dtype", "f32", "type of the stored numbers: f32, bf16 or f16")
	f.Float64Var(&o.density, "density", 0, "keep this share of each tensor, its largest magnitudes: above 0 and at most 1")
	f.IntVar(&o.rank, "rank", 0, "keep this rank of each matrix, where that is smaller")
	return cmd
}

// encoding reads the flags.
func (o vectorOptions) encoding(flags *pflag.FlagSet) (taskvector.Options, error) {
	opts := taskvector.Options{Density: o.density, Rank: o.rank}
	sparse, low := flags.Changed("density"), flags.Changed("rank")
	switch {
	case sparse && low:
		return opts, usageError("--density and --rank exclude each other")
	case sparse && !(o.density > 0 && o.density <= 1):
		return opts, usageError("--density %v: want more than 0 and at most 1", o.density)
	case low && o.rank < 1:
		return opts, usageError("--rank %d: want 1 or more", o.rank)
	}
	d, err := checkpoint.ParseDType(o.dtype)
	if err != nil || d != checkpoint.F32 && d != checkpoint.BF16 && d != checkpoint.F16 {
		return opts, usageError("--dtype %q: want f32, bf16 or f16", o.dtype)
	}
	opts.DType = d
	return opts, nil
}

func runVector(ctx context.Context, a *app, o taskvector.Options, basePath, tunedPath, out string) error {
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
	encoded, err := a.encode(ctx, tau, o)
	if err != nil {
		return err
	}
	maps.Copy(meta, encoded.Metadata())
	opts := checkpoint.WriteOptions{Metadata: meta, Force: a.force}
	w := writtenVector{Output: out, Form: encoded.Form, DType: o.DType, Kept: encoded.Kept, Factored: encoded.Factored,
		Base: meta[arithmetic.BaseKey], Tuned: meta[arithmetic.TunedKey]}
	w.Tensors, w.Parameters = count(tau)
	if w.Bytes, err = layoutBytes(out, encoded, opts); err != nil {
		return err
	}
	if w.DenseBytes, err = layoutBytes(out, tau, opts); err != nil {
		return err
	}
	if !w.exact() { // before the output is there, so that an interrupt leaves none
		if err := w.measure(ctx, tau, encoded); err != nil {
			return err
		}
	}
	if err := a.write(ctx, out, encoded, opts); err != nil {
		return err
	}
	return a.result(w, w.text())
}

// encode puts a vector into a form, with a progress bar.
func (a *app) encode(ctx context.Context, tau checkpoint.Source, o taskvector.Options) (*taskvector.Encoded, error) {
	o.Interrupt = ctx.Err
	if o.Density > 0 || o.Rank > 0 {
		p := a.progress("choosing what to keep")
		defer p.stop()
		o.Progress = func(done, total int) { p.set(done, total, "tensors") }
	}
	return taskvector.Encode(tau, o)
}

// layoutBytes is the size that one file would have.
func layoutBytes(path string, src checkpoint.Source, opts checkpoint.WriteOptions) (int64, error) {
	files, err := checkpoint.Layout(path, src, opts)
	if err != nil {
		return 0, err
	}
	return files[0].Bytes, nil
}

// writtenVector is what vector prints with --json.
type writtenVector struct {
	Output     string           `json:"output"`
	Form       taskvector.Form  `json:"form"`
	DType      checkpoint.DType `json:"dtype"`
	Tensors    int              `json:"tensors"`
	Parameters int              `json:"parameters"`
	Kept       int              `json:"kept,omitempty"`     // parameters that the sparse form holds
	Factored   int              `json:"factored,omitempty"` // tensors that the low-rank form holds as factors
	Bytes      int64            `json:"bytes"`
	DenseBytes int64            `json:"dense_bytes"` // of the same vector dense and as float32
	Lost       float64          `json:"relative_error"`
	Worst      float64          `json:"worst_relative_error"`
	WorstAt    string           `json:"worst_tensor,omitempty"`
	Base       string           `json:"base_sha256"`
	Tuned      string           `json:"tuned_sha256"`
}

// exact tells that nothing can be lost.
func (w *writtenVector) exact() bool { return w.Form == taskvector.Dense && w.DType == checkpoint.F32 }

// measure holds what a reader of the file will get against the vector.
func (w *writtenVector) measure(ctx context.Context, tau checkpoint.Source, encoded *taskvector.Encoded) error {
	stored, err := taskvector.Decode(encoded)
	if err != nil {
		return err
	}
	loss, err := taskvector.Lost(tau, stored, ctx.Err)
	if err != nil {
		return err
	}
	w.Lost, w.Worst, w.WorstAt = loss.Relative, loss.Worst, loss.Tensor
	return nil
}

func (w *writtenVector) text() string {
	text := fmt.Sprintf("%s: task vector of %d tensors, %d parameters", w.Output, w.Tensors, w.Parameters)
	if w.exact() {
		return text + "\n"
	}
	switch w.Form {
	case taskvector.Sparse:
		text += fmt.Sprintf("; sparse, %d kept", w.Kept)
	case taskvector.LowRank:
		text += fmt.Sprintf("; of low rank, %d tensors as factors", w.Factored)
	}
	text += fmt.Sprintf("; %s, %d bytes, %.1f %% of dense F32\nrelative error %.3g", w.DType, w.Bytes, 100*float64(w.Bytes)/float64(w.DenseBytes), w.Lost)
	if w.WorstAt != "" {
		text += fmt.Sprintf(", at worst %.3g in %s", w.Worst, w.WorstAt)
	}
	return text + "\n"
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
