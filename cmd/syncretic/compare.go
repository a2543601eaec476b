package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"syncretic/arithmetic"
	"syncretic/arithmetic/spectra"
	"syncretic/checkpoint"
	"syncretic/sweep/report"
)

type compareOptions struct {
	html    string
	anyBase bool
	tensors bool
	spectra bool
}

func newCompare(a *app) *cobra.Command {
	var o compareOptions
	cmd := &cobra.Command{
		Use:   "compare BASE MODEL...",
		Short: "Measure task vectors against each other, before any merge",
		Long: "Measure the task vectors of MODELs (tuned models, or files of `vector`) against each other: norms beside the base's, cosines, and\n" +
			"the share of weights that two push opposite ways, overall and by layer. A last line says in words what that means for a merge.\n" +
			"--spectra decomposes every matrix: how many directions a vector has (effective rank), and how far the leading ones of two vectors\n" +
			"span the same space, beside what chance gives. --html draws the same on one page that needs no network.",
		Example: "  syncretic compare mert-v1-95m models/makam models/lyra --html compare.html\n" +
			"  syncretic compare mert-v1-95m models/makam models/lyra --spectra --tensors",
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCompare(cmd.Context(), a, o, args[0], args[1:])
		},
	}
	cmd.Flags().StringVar(&o.html, "html", "", "write a page to this file too")
	cmd.Flags().BoolVar(&o.tensors, "tensors", false, "list every tensor too (--json always does)")
	cmd.Flags().BoolVar(&o.spectra, "spectra", false, "measure ranks and shared directions too: a decomposition of every matrix, which takes minutes")
	cmd.Flags().BoolVar(&o.anyBase, "any-base", false, "accept vectors that were taken from another base")
	return cmd
}

// comparison is what compare prints with --json.
type comparison struct {
	Schema int `json:"schema"` // of this, 1
	arithmetic.Report
	BaseNorm float64 `json:"base_norm"`
	Verdict  string  `json:"verdict"`
}

func runCompare(ctx context.Context, a *app, o compareOptions, basePath string, paths []string) error {
	if o.html != "" {
		if err := a.fileOutput(o.html, append(paths, basePath)...); err != nil {
			return err
		}
	}
	base, err := openModel(basePath)
	if err != nil {
		return err
	}
	defer base.Close()
	var vectors []checkpoint.Source
	baseHash := ""
	for _, path := range paths {
		m, err := checkpoint.Open(path)
		if err != nil {
			return err
		}
		defer m.Close()
		if baseHash == "" && !o.anyBase && m.Metadata()[arithmetic.KindKey] == arithmetic.VectorKind { // a tuned model is held against no hash
			if baseHash, err = checkpoint.Hash(base); err != nil {
				return err
			}
		}
		tau, err := taskVector(m, base, baseHash, o.anyBase)
		if err != nil {
			return err
		}
		vectors = append(vectors, interruptible{tau, ctx})
	}
	c := comparison{Schema: 1}
	if c.Report, err = arithmetic.Interference(shortNames(paths), vectors); err != nil {
		return err
	}
	if o.spectra {
		if err := a.addSpectra(ctx, &c.Report, vectors); err != nil {
			return err
		}
	}
	if c.BaseNorm, err = norm(interruptible{base, ctx}); err != nil {
		return err
	}
	c.Verdict = verdict(c.Report)
	if o.html != "" {
		if err := c.page(o.html, basePath, a.force); err != nil {
			return err
		}
	}
	return a.result(c, relationText(c.Report, c.BaseNorm, o.tensors, false)+"\n"+c.Verdict+"\n")
}

// addSpectra decomposes the matrices of a report.
func (a *app) addSpectra(ctx context.Context, r *arithmetic.Report, vectors []checkpoint.Source) error {
	bar := a.progress("decomposing")
	defer bar.stop()
	return spectra.Add(r, vectors, spectra.Options{Interrupt: ctx.Err, Progress: func(done, total int) { bar.set(done, total, "matrices") }})
}

// interruptible is a Source whose reads end with its context.
type interruptible struct {
	checkpoint.Source
	ctx context.Context
}

func (s interruptible) Read(name string, offset int, dst []float32) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.Source.Read(name, offset, dst)
}

// norm is the Euclidean norm of a model's floats.
func norm(src checkpoint.Source) (float64, error) {
	r, err := arithmetic.Interference([]string{"base"}, []checkpoint.Source{src})
	if err != nil {
		return 0, err
	}
	return r.Norms[0], nil
}

// shortNames are the last parts of paths, as far as they tell them apart.
func shortNames(paths []string) []string {
	names := make([]string, len(paths))
	seen := make(map[string]bool)
	for i, path := range paths {
		names[i] = strings.TrimSuffix(filepath.Base(path), ".safetensors")
		if seen[names[i]] {
			return paths
		}
		seen[names[i]] = true
	}
	return names
}

// Bounds of what the verdict calls near: random directions in millions of dimensions have cosines of a thousandth, and a sign
// conflict of 0.5.
const (
	orthogonal = 0.1
	aligned    = 0.5
)

// verdict says in words what the pairs mean for a merge.
func verdict(r arithmetic.Report) string {
	low, high, conflict := math.Inf(1), math.Inf(-1), 0.0
	for j := range r.Cosine {
		for i := range j {
			low, high, conflict = min(low, r.Cosine[i][j]), max(high, r.Cosine[i][j]), max(conflict, r.SignConflict[i][j])
		}
	}
	var says string
	switch {
	case len(r.Names) < 2:
		return "One task vector: scale it with lambda; a negative one forgets."
	case low < -orthogonal:
		says = "some vectors undo each other: merge them apart, or elect signs (ties)"
	case high <= orthogonal:
		says = "the vectors share almost nothing: their sum keeps each, so begin with task arithmetic and lambda near 1/n to 1"
	case high >= aligned:
		says = "some vectors say nearly the same: their sum counts it twice, so keep the sum of lambdas near 1, or average"
	default:
		says = "the vectors share a part: begin with task arithmetic and lambda near 1/n"
	}
	return fmt.Sprintf("Cosines from %.2f to %.2f, sign conflict up to %.2f: %s.", low, high, conflict, says)
}

// page writes the comparison as one HTML file.
func (c comparison) page(path, base string, force bool) error {
	doc := report.Document{Title: "Task vectors compared", Subtitle: "How much the vectors taken from " + base + " work with and against each other.",
		Remarks: []string{c.Verdict}, Provenance: []report.Fact{{Name: "base", Value: base}, {Name: "version", Value: version()}}}
	doc.FromInterference(c.Report, c.BaseNorm)
	var b bytes.Buffer
	if err := report.Write(&b, doc); err != nil {
		return err
	}
	return checkpoint.WriteFile(path, b.Bytes(), force)
}
