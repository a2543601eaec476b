package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"syncretic/adapt/audio"
	"syncretic/adapt/mert"
	"syncretic/checkpoint"
	"syncretic/probe/similarity"
)

type probeSimilarityOptions struct {
	html   string
	split  string
	window float64
	most   int
	audio  audio.Options
	skip   bool
}

func newProbeSimilarity(a *app) *cobra.Command {
	var o probeSimilarityOptions
	cmd := &cobra.Command{
		Use:   "similarity MODEL_A MODEL_B AUDIO_OR_MANIFEST...",
		Short: "Compare two encoders layer by layer without labels (linear CKA)",
		Long: "Encode windows of the recordings with both models and print the linear centred kernel alignment of each layer of MODEL_A (rows)\n" +
			"with each of MODEL_B (columns): 1 where both arrange the windows alike up to rotation, shift and scale, about 0 where not at all.\n" +
			"Values are the unbiased estimator's; --json has the biased one too. MODEL_A twice compares its layers with each other.\n\n" +
			"Recordings are audio files, or manifests where the name ends in .csv, .tsv or .tab. Of very many windows --items of them are\n" +
			"taken, evenly spread. Layer 0 is the Transformer's input. --html draws the table on one page that needs no network.",
		Example: "  syncretic probe similarity mert-v1-95m models/makam makam.csv --html similarity.html",
		Args:    cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runProbeSimilarity(cmd.Context(), a, o, args[:2], args[2:])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.html, "html", "", "write a page to this file too")
	f.StringVar(&o.split, "split", "", "take only the rows of manifests with this split")
	f.Float64Var(&o.window, "window", 5, "seconds of a window")
	f.IntVar(&o.most, "items", 2000, "windows to compare at most")
	f.StringVar((*string)(&o.audio.Resampling), "resampler", string(audio.Kaiser), "how files at another rate come to 24 kHz: kaiser or torchaudio")
	f.BoolVar(&o.skip, "skip-bad", false, "leave out files that cannot be read, and name them, instead of failing")
	return cmd
}

// comparedModel is one side of a similarity.
type comparedModel struct {
	Model  string `json:"model"`
	SHA256 string `json:"model_sha256"`
	Layers int    `json:"layers"`
	Dim    int    `json:"dim"`
}

// similarityResult is what probe similarity prints with --json.
type similarityResult struct {
	Schema     int               `json:"schema"` // of this, 1
	Models     []comparedModel   `json:"models"` // A, whose layers are rows, and B
	CKA        similarity.Result `json:"cka"`
	Recordings int               `json:"recordings"`
	Window     float64           `json:"window"`
	Resampler  string            `json:"resampler"`
	Skipped    []audio.Skipped   `json:"skipped"`
	Version    string            `json:"version"`
}

func runProbeSimilarity(ctx context.Context, a *app, o probeSimilarityOptions, models, paths []string) error {
	switch {
	case !(o.window >= 1) || o.window > 3600:
		return usageError("--window %g: want 1 to 3600 seconds", o.window)
	case o.most < 4:
		return usageError("--items %d: want at least 4", o.most)
	}
	if _, err := audio.ParseResampling(string(o.audio.Resampling)); err != nil {
		return usageError("--resampler: %v", err)
	}
	if o.html != "" {
		if err := a.fileOutput(o.html, slices.Concat(models, paths)...); err != nil {
			return err
		}
	}
	entries, err := similarityEntries(o, paths)
	if err != nil {
		return err
	}
	parts, skipped, err := windowsOf(entries, o)
	if err != nil {
		return err
	}
	res := similarityResult{Schema: 1, Recordings: len(parts), Window: o.window, Resampler: o.audio.Resampling.Settings(), Skipped: skippedJSON(skipped), Version: version()}
	var sides [2]similarity.Features
	for k, path := range models {
		if k == 1 && path == models[0] {
			sides[1], res.Models = sides[0], append(res.Models, res.Models[0])
			continue
		}
		m, rows, err := encodeWindows(ctx, a, path, parts, o)
		if err != nil {
			return err
		}
		sides[k], res.Models = similarity.Features{Items: len(rows), Layers: m.Layers, Dim: m.Dim, Rows: rows}, append(res.Models, m)
	}
	if res.CKA, err = similarity.CKA(ctx, sides[0], sides[1]); err != nil {
		return err
	}
	names := shortNames(models)
	if o.html != "" {
		page := similarity.Page{NameA: names[0], NameB: names[1], Provenance: [][2]string{
			{models[0], res.Models[0].SHA256}, {models[1], res.Models[1].SHA256}, {"recordings", strings.Join(paths, ", ")},
			{"window", fmt.Sprintf("%g s", o.window)}, {"resampler", res.Resampler}, {"version", res.Version}}}
		var b bytes.Buffer
		if err := similarity.WritePage(&b, res.CKA, page); err != nil {
			return err
		}
		if err := checkpoint.WriteFile(o.html, b.Bytes(), a.force); err != nil {
			return err
		}
	}
	return a.result(res, skippedLines(skipped)+similarityText(res, names))
}

// similarityEntries lists the recordings that manifests and audio files name.
func similarityEntries(o probeSimilarityOptions, paths []string) ([]audio.Entry, error) {
	var entries []audio.Entry
	for i, path := range paths {
		if slices.Contains(paths[:i], path) {
			return nil, usageError("%s is given twice", path)
		}
		if !slices.Contains([]string{".csv", ".tsv", ".tab"}, strings.ToLower(filepath.Ext(path))) {
			entries = append(entries, audio.Entry{Path: path, ID: path})
			continue
		}
		rows, err := audio.ReadManifest(path)
		if err != nil {
			return nil, err
		}
		if rows = slices.DeleteFunc(rows, func(e audio.Entry) bool { return o.split != "" && e.Split != o.split }); len(rows) == 0 {
			return nil, usageError("--split %s: %s has no such row", o.split, path)
		}
		entries = append(entries, rows...)
	}
	return entries, nil
}

// windowPart is a recording with the windows that are taken of it, as samples from its start.
type windowPart struct {
	path     string
	at, size []int
}

// windowsOf cuts the recordings into windows, a last one shorter than a second left out unless it is the only one, and takes at most
// o.most of them, evenly spread over all.
func windowsOf(entries []audio.Entry, o probeSimilarityOptions) (parts []windowPart, skipped []audio.Skipped, err error) {
	length, total := int(math.Round(o.window*audio.SampleRate)), 0
	for _, e := range entries {
		if o.skip {
			if err := o.audio.Verify(e.Path); errors.Is(err, audio.ErrInvalid) { // read to its end: both models need all windows
				skipped = append(skipped, audio.Skipped{Path: e.Path, Reason: err.Error()})
				continue
			}
		}
		f, err := o.audio.Open(e.Path)
		if err != nil {
			return nil, nil, err
		}
		frames := f.Frames
		if err := f.Close(); err != nil {
			return nil, nil, err
		}
		start, n, err := e.Range(frames)
		if err != nil {
			return nil, nil, err
		}
		p := windowPart{path: e.Path}
		for at := 0; at < n; at += length {
			size := min(length, n-at)
			if at > 0 && size < audio.SampleRate {
				break
			}
			p.at, p.size = append(p.at, start+at), append(p.size, size)
		}
		total += len(p.at)
		parts = append(parts, p)
	}
	if total == 0 {
		return nil, nil, noneReadable(skipped)
	}
	if total <= o.most {
		return parts, skipped, nil
	}
	var taken []windowPart
	number := 0
	for _, p := range parts {
		q := windowPart{path: p.path}
		for i := range p.at {
			if number*o.most/total != (number+1)*o.most/total { // o.most of the numbers below total
				q.at, q.size = append(q.at, p.at[i]), append(q.size, p.size[i])
			}
			number++
		}
		if len(q.at) > 0 {
			taken = append(taken, q)
		}
	}
	return taken, skipped, nil
}

// windowFeatures are the features of windows, [windows][layers*dim].
type windowFeatures [][]float32

// Row implements similarity.Rows.
func (w windowFeatures) Row(i int, _ []float32) ([]float32, error) { return w[i], nil }

// encodeWindows runs one model, which is in memory only as long, over all windows.
func encodeWindows(ctx context.Context, a *app, path string, parts []windowPart, o probeSimilarityOptions) (comparedModel, windowFeatures, error) {
	enc, err := mert.Open(path)
	if err != nil {
		return comparedModel{}, nil, err
	}
	leanHeap()
	m := comparedModel{Model: path, Layers: enc.Config().NumHiddenLayers + 1, Dim: enc.Config().HiddenSize}
	if m.SHA256, err = checkpoint.Hash(enc); err != nil {
		return comparedModel{}, nil, err
	}
	first, total := make([]int, len(parts)), 0
	for i, p := range parts {
		first[i] = total
		total += len(p.at)
	}
	rows := make(windowFeatures, total)
	bar := a.progress("encoding by " + path)
	defer bar.stop()
	var mu sync.Mutex
	done := 0
	err = inParallel(ctx, len(parts), func(ctx context.Context, i int) error {
		f, err := o.audio.Open(parts[i].path)
		if err != nil {
			return err
		}
		defer f.Close()
		for k, at := range parts[i].at {
			samples := make([]float32, parts[i].size[k])
			if err := f.ReadAt(samples, at); err != nil {
				return err
			}
			states, err := enc.Features(samples)
			if err != nil {
				return fmt.Errorf("%s: %w", parts[i].path, err)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			rows[first[i]+k] = slices.Concat(states...)
			mu.Lock()
			done++
			bar.set(done, total, "windows")
			mu.Unlock()
		}
		return nil
	})
	return m, rows, err
}

// similarityText is the table with two decimals.
func similarityText(r similarityResult, names []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "linear CKA, unbiased, of %d windows of %d recordings; rows: layers of %s, columns: %s\n", r.CKA.Items, r.Recordings, names[0], names[1])
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.AlignRight)
	for m := range r.CKA.Unbiased[0] {
		fmt.Fprintf(w, "\t%d", m)
	}
	fmt.Fprintln(w, "\t")
	for l, row := range r.CKA.Unbiased {
		fmt.Fprintf(w, "%d", l)
		for _, v := range row {
			if math.IsNaN(v) {
				fmt.Fprint(w, "\t-")
				continue
			}
			fmt.Fprintf(w, "\t%.2f", v)
		}
		fmt.Fprintln(w, "\t")
	}
	w.Flush()
	return b.String()
}
