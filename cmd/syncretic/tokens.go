package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"syncretic/adapt/audio"
	"syncretic/adapt/encodec"
	"syncretic/checkpoint"
)

type tokensOptions struct {
	output    string
	codebooks int
}

func newTokens(a *app) *cobra.Command {
	var o tokensOptions
	cmd := &cobra.Command{
		Use:   "tokens ENCODEC AUDIO... -o DIR",
		Short: "Write EnCodec's codes of recordings",
		Long: "Encode whole recordings, of any length, into the codes of an EnCodec model such as facebook/encodec_24khz: in DIR one safetensors\n" +
			"file a recording, with the tensor codes, I16 [codebooks][frames], and manifest.csv, which says what is from where. Recordings\n" +
			"that DIR holds already, from the same model and the same audio, are passed over, so that the same command goes on after an\n" +
			"interruption. With -o FILE.safetensors all go into that one file: a tensor I64 a recording, named by its path as given.",
		Example: "  syncretic tokens encodec_24khz song.wav other.flac -o tokens",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTokens(cmd.Context(), a, o, args[0], args[1:])
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "the directory, or the safetensors file, to write (required)")
	cmd.Flags().IntVar(&o.codebooks, "codebooks", 8, "codebooks of the quantiser, from the first: MERT uses 8, which is 6 kbit/s")
	return cmd
}

func runTokens(ctx context.Context, a *app, o tokensOptions, model string, paths []string) error {
	switch {
	case o.output == "":
		return usageError("-o DIR is missing")
	case o.codebooks < 1:
		return usageError("--codebooks %d: want 1 or more", o.codebooks)
	}
	single := strings.HasSuffix(o.output, ".safetensors")
	check := a.folderOutput
	if single {
		check = a.fileOutput
	}
	if err := check(o.output, append([]string{model}, paths...)...); err != nil {
		return err
	}
	files, _, err := checkAudio(paths, audio.Options{}, false)
	if err != nil {
		return err
	}
	enc, err := encodec.Open(model)
	if err != nil {
		return err
	}
	if rate := enc.Config().SamplingRate; rate != audio.SampleRate {
		return fmt.Errorf("%s: %w: sampling_rate: %d Hz, want %d Hz", model, encodec.ErrConfig, rate, audio.SampleRate)
	}
	if n := enc.Config().Codebooks(); o.codebooks > n {
		return usageError("--codebooks %d: %s has %d", o.codebooks, model, n)
	}
	t := &tokenizer{a: a, enc: enc, o: o, meta: map[string]string{
		metaTool: version(), "syncretic.verb": "tokens", metaModel: enc.Hash(), metaCodebooks: fmt.Sprint(o.codebooks),
		"syncretic.sample_rate": fmt.Sprint(enc.Config().SamplingRate), "syncretic.frame_rate": fmt.Sprint(enc.Config().FrameRate()),
		"syncretic.resampler": audio.Kaiser.Settings(),
	}}
	if single {
		return t.intoFile(ctx, files)
	}
	return t.intoFolder(ctx, files)
}

// tokenizer encodes recordings.
type tokenizer struct {
	a    *app
	enc  *encodec.Encoder
	o    tokensOptions
	meta map[string]string // of every file
}

// encode encodes recordings, several at once, and hands the codes of each to store as soon as they are there, one at a time.
// The first error ends it.
func (t *tokenizer) encode(ctx context.Context, files []recording, store func(i int, codes [][]int16) error) error {
	total := 0
	for _, r := range files {
		total += t.enc.Config().Frames(r.frames)
	}
	p := t.a.progress("encoding")
	defer p.stop()
	var mu sync.Mutex
	done, ends := 0, 0
	return inParallel(ctx, len(files), func(ctx context.Context, i int) error {
		f, err := audio.Open(files[i].path)
		if err != nil {
			return err
		}
		defer f.Close()
		before := 0
		codes, err := t.enc.EncodeFrom(ctx, f, f.Frames, encodec.Options{Codebooks: t.o.codebooks, Progress: func(frames, _ int) {
			mu.Lock()
			defer mu.Unlock()
			done, before = done+frames-before, frames
			if done < total { // the last is for store
				p.set(done, total, fmt.Sprintf("%d of %d recordings", ends, len(files)))
			}
		}})
		if err != nil {
			if errors.Is(err, encodec.ErrInvalid) {
				err = fmt.Errorf("%s: %w", files[i].path, err)
			}
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if err := store(i, codes); err != nil {
			return err
		}
		ends++
		p.set(done, total, fmt.Sprintf("%d of %d recordings", ends, len(files)))
		return nil
	})
}

// intoFile writes all codes as one file.
func (t *tokenizer) intoFile(ctx context.Context, files []recording) error {
	tensors, frames := make([]checkpoint.Tensor, len(files)), 0
	err := t.encode(ctx, files, func(i int, codes [][]int16) (err error) {
		values := make([]int64, 0, len(codes)*len(codes[0]))
		for _, row := range codes {
			for _, c := range row {
				values = append(values, int64(c))
			}
		}
		frames += len(codes[0])
		tensors[i], err = checkpoint.NewIntegers(files[i].path, checkpoint.I64, []int{len(codes), len(codes[0])}, values)
		return err
	})
	if err != nil {
		return err
	}
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		return err
	}
	if err := checkpoint.Write(ctx, t.o.output, src, checkpoint.WriteOptions{Metadata: t.meta, Force: t.a.force}); err != nil {
		return err
	}
	return t.a.result(map[string]any{"output": t.o.output, "files": len(files), "encoded": len(files), "codebooks": t.o.codebooks, "frames": frames},
		fmt.Sprintf("%s: %d recordings, %d codebooks, %d frames\n", t.o.output, len(files), t.o.codebooks, frames))
}

// tokenName is the file that holds a recording's codes: named for people, and by content, so that recordings of one name in
// several folders stay apart.
func tokenName(path, hash string) string {
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if stem == "" {
		stem = "recording"
	}
	return stem + "-" + hash[:12] + ".safetensors"
}
