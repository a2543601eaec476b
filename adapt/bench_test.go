package adapt

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nlpodyssey/spago/ag"

	"syncretic/adapt/audio"
	"syncretic/adapt/cqt"
	"syncretic/adapt/mert"
	"syncretic/adapt/op"
	"syncretic/adapt/optim"
	"syncretic/adapt/tokens"
)

// BenchmarkStep95M is a training step of a fresh MERT-95M under MERT's own objective, four clips of 5 s out of the recordings in
// $ADAPT_BENCH_AUDIO (else of WAV at 44.1 kHz), beside the encoder's forward and backward pass on the same clips, in turns:
//
//	step-ms     a step, all that is in it
//	encoder-ms  the encoder alone, with dropout, as in the step
//	wait-%      of the step, waited for data
//	over-%      by how much the step is longer than the encoder
//	adam-%      of the step, for clipping and AdamW
//
// examples/bench/adapt.sh runs it on MP3, Opus, FLAC and WAV.
func BenchmarkStep95M(b *testing.B) {
	run := bench95M(b)
	params := run.model.Params()
	if err := run.cfg.Stages[0].apply(params); err != nil {
		b.Fatal(err)
	}
	optim.MakeGrads(params)
	optim.ZeroGrad(params)
	adam := optim.NewAdamW(run.cfg.Optimizer.adamW(), params)
	sampler, err := NewSampler(run.cfg.Seed, run.corpora, 0, run.cfg.Batch.Seconds, run.teacher.Hop())
	if err != nil {
		b.Fatal(err)
	}
	batches := run.prefetch(b.Context(), sampler, 0, 0)
	if _, err := run.step(batches, adam, 0, 0); err != nil { // meets cold memory
		b.Fatal(err)
	}
	again, err := run.loadTraining(sampler, 0, 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	var step, wait, encoder, update time.Duration
	n := 0
	for b.Loop() {
		n++
		began := time.Now()
		rec, err := run.step(batches, adam, 0, n)
		if err != nil {
			b.Fatal(err)
		}
		step += time.Since(began)
		wait += time.Duration(rec.Wait * float64(time.Second))

		began = time.Now()
		out, err := run.model.Encoder.Forward(mert.Input{Samples: again.samples, Clips: again.clips, Mask: again.mask, Train: true, Seed: uint64(n),
			FeatureGradMult: float32(run.cfg.Objective.FeatureGradMult)})
		if err != nil {
			b.Fatal(err)
		}
		if err := ag.Backward(op.MeanSquare(out.Hidden[len(out.Hidden)-1])); err != nil {
			b.Fatal(err)
		}
		encoder += time.Since(began)

		began = time.Now()
		adam.ClipStep(0, run.cfg.Optimizer.ClipNorm) // a rate of 0 takes as long
		update += time.Since(began)
		optim.ZeroGrad(params)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(1e3*step.Seconds()/float64(n), "step-ms")
	b.ReportMetric(1e3*encoder.Seconds()/float64(n), "encoder-ms")
	b.ReportMetric(100*wait.Seconds()/step.Seconds(), "wait-%")
	b.ReportMetric(100*(step.Seconds()/encoder.Seconds()-1), "over-%")
	b.ReportMetric(100*update.Seconds()/step.Seconds(), "adam-%")
}

// BenchmarkLoad95M is the loading of such a batch on one core.
func BenchmarkLoad95M(b *testing.B) {
	run := bench95M(b)
	sampler, err := NewSampler(run.cfg.Seed, run.corpora, 0, run.cfg.Batch.Seconds, run.teacher.Hop())
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		if _, err := run.loadTraining(sampler, 0, n, 0); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// bench95M opens a run of a fresh MERT-95M with EnCodec-like tokens, so that the spectrum is that of the crop.
func bench95M(b *testing.B) *Run {
	b.Helper()
	dir := b.TempDir()
	folder := os.Getenv("ADAPT_BENCH_AUDIO")
	if folder == "" {
		folder = filepath.Join(dir, "audio")
		rng := rand.New(rand.NewPCG(1, 1))
		samples := make([]float32, 60*44100)
		for i := range samples {
			samples[i] = 0.2 * float32(rng.NormFloat64())
		}
		for _, name := range []string{"a.wav", "b.wav"} {
			path := filepath.Join(folder, name)
			if err := os.MkdirAll(folder, 0o700); err != nil {
				b.Fatal(err)
			}
			if err := audio.WriteWAV(path, samples, false); err != nil {
				b.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			data[24], data[25] = 0x44, 0xac // 44,100 Hz
			writeFile(b, path, string(data))
		}
	}
	rows, err := folderEntries(folder)
	if err != nil {
		b.Fatal(err)
	}
	for i := range rows {
		rows[i].Split = "train"
	}
	manifest := filepath.Join(dir, "all.csv")
	if err := audio.WriteManifest(manifest, rows, false); err != nil {
		b.Fatal(err)
	}
	cfg := DefaultConfig()
	if err := json.Unmarshal(mert.Base95M().JSON(), &cfg.Init); err != nil {
		b.Fatal(err)
	}
	cfg.Teacher.Path, cfg.Teacher.Tokens = filepath.Join(dir, "teacher"), filepath.Join(dir, "tokens")
	cfg.Teacher.CQT, cfg.Teacher.LogFloor, cfg.Teacher.Normalize, cfg.Teacher.Frames = cqt.MERT(), 0, false, 2000
	fit := filepath.Join(dir, "fit.csv") // statistics that are not used need no more
	if err := audio.WriteManifest(fit, []audio.Entry{{ID: rows[0].ID, Path: rows[0].Path, End: 10, Split: "train"}}, false); err != nil {
		b.Fatal(err)
	}
	cfg.Teacher.Fit = []FitCorpus{{Name: "fit", Manifest: fit}}
	cfg.Batch = Batch{Clips: 4, Seconds: 5, Accumulate: 1}
	cfg.Corpora = []CorpusConfig{{Name: "all", Manifest: manifest}}
	cfg.Stages = []Stage{{Name: "all", Steps: 1 << 20, LR: Schedule{Peak: 1e-5, Warmup: 0.1}}}
	rng := rand.New(rand.NewPCG(2, 2))
	writeTokens(b, cfg.Teacher.Tokens, []string{manifest}, func(_ string, codes *[][]int16, o *tokens.Origin) {
		frames := len((*codes)[0])
		o.Size, o.Codebooks = 1024, 8
		*codes = make([][]int16, 8)
		for q := range *codes {
			for range frames {
				(*codes)[q] = append((*codes)[q], int16(rng.IntN(1024)))
			}
		}
	})
	run, err := Open(b.Context(), cfg, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { run.Close() })
	return run
}
