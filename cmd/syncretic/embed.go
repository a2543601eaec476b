package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"syncretic/adapt/audio"
	"syncretic/adapt/mert"
	"syncretic/checkpoint"
)

type embedOptions struct {
	output string
	pool   string
	window float64
	audio  audio.Options
	skip   bool

	profile bool
}

func newEmbed(a *app) *cobra.Command {
	var o embedOptions
	cmd := &cobra.Command{
		Use:   "embed MODEL AUDIO... -o FILE.safetensors",
		Short: "Write the encoder's features of audio files",
		Long: "Write every hidden state of the encoder. With --pool mean one tensor [layers][dim] an audio file, named by its path as given:\n" +
			"the mean over frames and windows. With --pool none the tensors PATH/layer_L [frames][dim]. Layer 0 is the Transformer's input.\n" +
			"Audio is WAV, FLAC, MP3, Opus, or what the program ffmpeg reads where it is on PATH, at any rate; several channels are averaged.",
		Example: "  syncretic embed models/makam song.wav other.flac -o features.safetensors",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runEmbed(cmd.Context(), a, o, args[0], args[1:])
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "the safetensors file to write (required)")
	cmd.Flags().StringVar(&o.pool, "pool", "mean", "mean (over frames and windows) or none (every frame)")
	cmd.Flags().Float64Var(&o.window, "window", 5, "seconds the encoder sees at once; 0 is the whole file")
	cmd.Flags().StringVar((*string)(&o.audio.Resampling), "resampler", string(audio.Kaiser), "how files at another rate come to 24 kHz: kaiser (no aliases), or torchaudio (its default, as in MERT's usage code)")
	cmd.Flags().BoolVar(&o.skip, "skip-bad", false, "leave out files that cannot be read, and name them, instead of failing")
	profileFlag(cmd, &o.profile)
	return cmd
}

func runEmbed(ctx context.Context, a *app, o embedOptions, model string, paths []string) error {
	switch {
	case o.output == "":
		return usageError("-o FILE.safetensors is missing")
	case !strings.HasSuffix(o.output, ".safetensors"):
		return usageError("-o %s: the name must end in .safetensors", o.output)
	case o.pool != "mean" && o.pool != "none":
		return usageError("--pool %s: want mean or none", o.pool)
	case !(o.window == 0 || o.window >= 1) || math.IsInf(o.window, 0):
		return usageError("--window %g: want 1 second or more, or 0 for the whole file at once", o.window)
	}
	if err := a.fileOutput(o.output, append([]string{model}, paths...)...); err != nil {
		return err
	}
	if _, err := audio.ParseResampling(string(o.audio.Resampling)); err != nil {
		return usageError("--resampler: %v", err)
	}
	files, skipped, err := checkAudio(paths, o.audio, o.skip)
	if err != nil {
		return err
	}
	enc, err := mert.Open(model)
	if err != nil {
		return err
	}
	leanHeap()
	prof, err := startProfile(o.profile)
	if err != nil {
		return err
	}
	defer prof.abandon()
	p := a.progress("embedding")
	defer p.stop()
	slots := make(chan struct{}, clipsInFlight())
	results := make([][]checkpoint.Tensor, len(files))
	var mu sync.Mutex
	done := 0
	if err := inParallel(ctx, len(files), func(ctx context.Context, i int) error {
		tensors, err := embedFile(ctx, enc, files[i].path, o, slots)
		mu.Lock()
		defer mu.Unlock()
		if o.skip && errors.Is(err, audio.ErrInvalid) {
			skipped = append(skipped, audio.Skipped{Path: files[i].path, Reason: err.Error()})
			err = nil
		}
		if err != nil {
			return err
		}
		results[i] = tensors
		done++
		p.set(done, len(files), "")
		return nil
	}); err != nil {
		return err
	}
	tensors := slices.Concat(results...)
	if len(tensors) == 0 {
		return fmt.Errorf("%w: none of %d files can be read; the first: %s", audio.ErrInvalid, len(skipped), skipped[0].Reason)
	}
	slices.SortFunc(skipped, func(a, b audio.Skipped) int { return strings.Compare(a.Path, b.Path) })
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		return err
	}
	meta := map[string]string{metaTool: version(), "syncretic.verb": "embed", "syncretic.pool": o.pool, "syncretic.window": fmt.Sprint(o.window),
		"syncretic.resampler": o.audio.Resampling.Settings()}
	if meta["syncretic.model_sha256"], err = checkpoint.Hash(enc); err != nil {
		return err
	}
	if err := checkpoint.Write(ctx, o.output, src, checkpoint.WriteOptions{Metadata: meta, Force: a.force}); err != nil {
		return err
	}
	profile, err := prof.stop()
	if err != nil {
		return err
	}
	embedded, layers, dim := len(results)-countNil(results), enc.Config().NumHiddenLayers+1, enc.Config().HiddenSize
	return a.result(withProfile(map[string]any{"output": o.output, "files": embedded, "layers": layers, "dim": dim,
		"skipped": skippedJSON(skipped), "resampler": o.audio.Resampling.Settings()}, profile),
		profile.table()+skippedLines(skipped)+fmt.Sprintf("%s: %d files, %d layers of %d\n", o.output, embedded, layers, dim))
}

// countNil counts the files that gave nothing.
func countNil(results [][]checkpoint.Tensor) int {
	n := 0
	for _, r := range results {
		if r == nil {
			n++
		}
	}
	return n
}

// clipsInFlight is the number of windows that are encoded at once: while one waits for its last goroutine, the other fills the
// cores. More would take memory and bring nothing; but few windows have work for very many cores.
func clipsInFlight() int { return max(2, runtime.GOMAXPROCS(0)/4) }

// embedFile embeds one file window by window, as many at once as there are slots. A last window shorter than a second is dropped
// unless it is the only one.
func embedFile(ctx context.Context, enc *mert.Encoder, path string, o embedOptions, slots chan struct{}) ([]checkpoint.Tensor, error) {
	f, err := o.audio.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	window := int(o.window * audio.SampleRate)
	if window == 0 {
		window = f.Frames
	}
	next, stop := readWindows(f, window)
	defer stop()
	layers, dim := enc.Config().NumHiddenLayers+1, enc.Config().HiddenSize
	encode := enc.Features
	if o.pool == "none" {
		encode = enc.HiddenStates
	}
	results := inOrder(ctx, next, slots, func(samples []float32) ([][]float32, error) {
		states, err := encode(samples)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return states, nil
	})
	states, sums, windows := make([][]float32, layers), make([]float64, layers*dim), 0
	for r := range results {
		if err := cmp.Or(r.err, ctx.Err()); err != nil {
			return nil, err
		}
		for l, h := range r.states {
			if o.pool == "none" {
				states[l] = append(states[l], h...)
				continue
			}
			for d, v := range h {
				sums[l*dim+d] += float64(v)
			}
		}
		windows++
	}
	if o.pool == "none" {
		tensors := make([]checkpoint.Tensor, layers)
		for l := range states {
			tensors[l] = checkpoint.Tensor{Name: fmt.Sprintf("%s/layer_%d", path, l), Shape: []int{len(states[l]) / dim, dim}, Data: states[l]}
		}
		return tensors, nil
	}
	mean := make([]float32, len(sums))
	for i, s := range sums {
		mean[i] = float32(s / float64(windows))
	}
	return []checkpoint.Tensor{{Name: path, Shape: []int{layers, dim}, Data: mean}}, nil
}
