package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"syncretic/adapt/audio"
	"syncretic/adapt/encodec"
	"syncretic/adapt/tokens"
	"syncretic/checkpoint"
)

type tokensOptions struct {
	output    string
	codebooks int
	audio     audio.Options
	skip      bool
}

func newTokens(a *app) *cobra.Command {
	var o tokensOptions
	cmd := &cobra.Command{
		Use:   "tokens ENCODEC AUDIO... -o DIR",
		Short: "Write EnCodec's codes of recordings",
		Long: "Encode whole recordings, of any length, into the codes of an EnCodec model such as facebook/encodec_24khz: in DIR one safetensors\n" +
			"file a recording, with the tensor codes, I16 [codebooks][frames], and manifest.csv, which says what is from where. Recordings\n" +
			"that DIR holds already, from the same model and the same audio, are passed over, so that the same command goes on after an\n" +
			"interruption. With -o FILE.safetensors all go into that one file: a tensor I64 a recording, named by its path as given.\n" +
			"A recipe of adapt takes either as its teacher's tokens.",
		Example: "  syncretic tokens encodec_24khz song.wav other.flac -o tokens",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTokens(cmd.Context(), a, o, args[0], args[1:])
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "the directory, or the safetensors file, to write (required)")
	cmd.Flags().IntVar(&o.codebooks, "codebooks", 8, "codebooks of the quantiser, from the first: MERT uses 8, which is 6 kbit/s")
	cmd.Flags().StringVar((*string)(&o.audio.Resampling), "resampler", string(audio.Kaiser), "how files at another rate come to 24 kHz: kaiser (no aliases), or torchaudio (its default, with which MERT made its tokens)")
	cmd.Flags().BoolVar(&o.skip, "skip-bad", false, "leave out files that cannot be read, and name them, instead of failing")
	return cmd
}

func runTokens(ctx context.Context, a *app, o tokensOptions, model string, paths []string) error {
	switch {
	case o.output == "":
		return usageError("-o DIR is missing")
	case o.codebooks < 1:
		return usageError("--codebooks %d: want 1 or more", o.codebooks)
	}
	if _, err := audio.ParseResampling(string(o.audio.Resampling)); err != nil {
		return usageError("--resampler: %v", err)
	}
	single := strings.HasSuffix(o.output, ".safetensors")
	check := a.folderOutput
	if single {
		check = a.fileOutput
	}
	if err := check(o.output, append([]string{model}, paths...)...); err != nil {
		return err
	}
	files, skipped, err := checkAudio(paths, o.audio, o.skip)
	if err != nil {
		return err
	}
	enc, err := encodec.Open(model)
	if err != nil {
		return err
	}
	cfg := enc.Config()
	if cfg.SamplingRate != audio.SampleRate {
		return fmt.Errorf("%s: %w: sampling_rate: %d Hz, want %d Hz", model, encodec.ErrConfig, cfg.SamplingRate, audio.SampleRate)
	}
	if n := cfg.Codebooks(); o.codebooks > n {
		return usageError("--codebooks %d: %s has %d", o.codebooks, model, n)
	}
	t := &tokenizer{a: a, enc: enc, o: o, skipped: skipped, origin: tokens.Origin{Model: enc.Hash(), Codebooks: o.codebooks, Size: cfg.CodebookSize,
		SampleRate: cfg.SamplingRate, FrameRate: cfg.FrameRate(), Resampler: o.audio.Resampling.Settings()}}
	if single {
		return t.intoFile(ctx, files)
	}
	return t.intoFolder(ctx, files)
}

// tokenizer encodes recordings.
type tokenizer struct {
	a       *app
	enc     *encodec.Encoder
	o       tokensOptions
	origin  tokens.Origin
	skipped []audio.Skipped // before any was encoded
}

// metadata is that of every file.
func (t *tokenizer) metadata() map[string]string {
	meta := map[string]string{metaTool: version(), "syncretic.verb": "tokens"}
	maps.Copy(meta, t.origin.Metadata())
	return meta
}

// encode encodes recordings, several at once, and hands the codes of each to store as soon as they are there, one at a time.
// The first error ends it; where that was asked for, recordings that cannot be read are left out instead, and returned.
func (t *tokenizer) encode(ctx context.Context, files []recording, store func(i int, codes [][]int16) error) (bad []audio.Skipped, err error) {
	total := 0
	for _, r := range files {
		total += t.enc.Config().Frames(r.frames)
	}
	p := t.a.progress("encoding")
	defer p.stop()
	var mu sync.Mutex
	done, ends := 0, 0
	err = inParallel(ctx, len(files), func(ctx context.Context, i int) error {
		before := 0
		codes, err := t.encodeOne(ctx, files[i].path, func(frames, _ int) {
			mu.Lock()
			defer mu.Unlock()
			done, before = done+frames-before, frames
			if done < total { // the last is for store
				p.set(done, total, fmt.Sprintf("%d of %d recordings", ends, len(files)))
			}
		})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			err = store(i, codes)
		case t.o.skip && errors.Is(err, audio.ErrInvalid):
			bad = append(bad, audio.Skipped{Path: files[i].path, Reason: err.Error()})
			done, err = done+t.enc.Config().Frames(files[i].frames)-before, nil
		}
		if err != nil {
			return err
		}
		ends++
		p.set(done, total, fmt.Sprintf("%d of %d recordings", ends, len(files)))
		return nil
	})
	return bad, err
}

// encodeOne returns the codes of a file.
func (t *tokenizer) encodeOne(ctx context.Context, path string, progress func(done, total int)) ([][]int16, error) {
	f, err := t.o.audio.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	codes, err := t.enc.EncodeFrom(ctx, f, f.Frames, encodec.Options{Codebooks: t.o.codebooks, Progress: progress})
	if errors.Is(err, encodec.ErrInvalid) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return codes, err
}

// intoFile writes all codes as one file.
func (t *tokenizer) intoFile(ctx context.Context, files []recording) error {
	var tensors []checkpoint.Tensor
	frames := 0
	bad, err := t.encode(ctx, files, func(i int, codes [][]int16) error {
		values := make([]int64, 0, len(codes)*len(codes[0]))
		for _, row := range codes {
			for _, c := range row {
				values = append(values, int64(c))
			}
		}
		frames += len(codes[0])
		tensor, err := checkpoint.NewIntegers(files[i].path, checkpoint.I64, []int{len(codes), len(codes[0])}, values)
		tensors = append(tensors, tensor)
		return err
	})
	if err != nil {
		return err
	}
	if len(tensors) == 0 {
		return noneReadable(append(t.skipped, bad...))
	}
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		return err
	}
	if err := checkpoint.Write(ctx, t.o.output, src, checkpoint.WriteOptions{Metadata: t.metadata(), Force: t.a.force}); err != nil {
		return err
	}
	return t.report(bad, len(tensors), len(tensors), frames)
}

// report says what was written: codes of so many recordings, some of them encoded now, and what was left out.
func (t *tokenizer) report(bad []audio.Skipped, files, encoded, frames int) error {
	skipped := append(t.skipped, bad...)
	slices.SortFunc(skipped, func(a, b audio.Skipped) int { return strings.Compare(a.Path, b.Path) })
	there := ""
	if kept := files - encoded; kept > 0 {
		there = fmt.Sprintf(" (%d were there)", kept)
	}
	return t.a.result(map[string]any{"output": t.o.output, "files": files, "encoded": encoded, "kept": files - encoded, "codebooks": t.origin.Codebooks,
		"frames": frames, "resampler": t.origin.Resampler, "skipped": skippedJSON(skipped)},
		skippedLines(skipped)+fmt.Sprintf("%s: %d recordings%s, %d codebooks, %d frames\n", t.o.output, files, there, t.origin.Codebooks, frames))
}
