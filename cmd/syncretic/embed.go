package main

import (
	"context"
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
}

func newEmbed(a *app) *cobra.Command {
	var o embedOptions
	cmd := &cobra.Command{
		Use:   "embed MODEL AUDIO... -o FILE.safetensors",
		Short: "Write the encoder's features of audio files",
		Long: "Write every hidden state of the encoder. With --pool mean one tensor [layers][dim] an audio file, named by its path as given:\n" +
			"the mean over frames and windows. With --pool none the tensors PATH/layer_L [frames][dim]. Layer 0 is the Transformer's input.\n" +
			"Audio is WAV or FLAC at 24 kHz; several channels are averaged.",
		Example: "  syncretic embed models/makam song.wav other.flac -o features.safetensors",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runEmbed(cmd.Context(), a, o, args[0], args[1:])
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "the safetensors file to write (required)")
	cmd.Flags().StringVar(&o.pool, "pool", "mean", "mean (over frames and windows) or none (every frame)")
	cmd.Flags().Float64Var(&o.window, "window", 5, "seconds the encoder sees at once; 0 is the whole file")
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
	if err := checkAudio(paths); err != nil {
		return err
	}
	enc, err := mert.Open(model)
	if err != nil {
		return err
	}
	p := a.progress("embedding")
	defer p.stop()
	results := make([][]checkpoint.Tensor, len(paths))
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		done   int
		failed error
		next   = make(chan int)
	)
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	for range min(len(paths), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				tensors, err := embedFile(work, enc, paths[i], o)
				mu.Lock()
				if err == nil {
					results[i] = tensors
					done++
					p.set(done, len(paths), "")
				} else if failed == nil {
					failed = err
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	for i := range paths {
		if work.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	if failed != nil {
		return failed
	}
	tensors := slices.Concat(results...)
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		return err
	}
	meta := map[string]string{metaTool: version(), "syncretic.verb": "embed", "syncretic.pool": o.pool, "syncretic.window": fmt.Sprint(o.window)}
	if meta["syncretic.model_sha256"], err = checkpoint.Hash(enc); err != nil {
		return err
	}
	if err := checkpoint.Write(ctx, o.output, src, checkpoint.WriteOptions{Metadata: meta, Force: a.force}); err != nil {
		return err
	}
	return a.result(map[string]any{"output": o.output, "files": len(paths), "layers": enc.Config().NumHiddenLayers + 1, "dim": enc.Config().HiddenSize},
		fmt.Sprintf("%s: %d files, %d layers of %d\n", o.output, len(paths), enc.Config().NumHiddenLayers+1, enc.Config().HiddenSize))
}

// checkAudio finds files that cannot be read, and files named twice, before any work is done.
func checkAudio(paths []string) error {
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[path] {
			return usageError("%s is given twice", path)
		}
		seen[path] = true
		f, err := audio.Open(path)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// embedFile embeds one file window by window. A last window shorter than a second is dropped unless it is the only one.
func embedFile(ctx context.Context, enc *mert.Encoder, path string, o embedOptions) ([]checkpoint.Tensor, error) {
	samples, err := audio.Read(path)
	if err != nil {
		return nil, err
	}
	window := int(o.window * audio.SampleRate)
	if window == 0 {
		window = len(samples)
	}
	layers, dim := enc.Config().NumHiddenLayers+1, enc.Config().HiddenSize
	states := make([][]float32, layers)
	sums := make([]float64, layers*dim)
	windows := 0
	for from := 0; from < len(samples); from += window {
		part := samples[from:min(from+window, len(samples))]
		if windows > 0 && len(part) < audio.SampleRate {
			break
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if o.pool == "none" {
			h, err := enc.HiddenStates(part)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			for l := range h {
				states[l] = append(states[l], h[l]...)
			}
		} else {
			f, err := enc.Features(part)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			for l := range f {
				for d, v := range f[l] {
					sums[l*dim+d] += float64(v)
				}
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
