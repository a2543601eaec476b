package adapt

import (
	"context"
	"errors"
	"fmt"
	"math"

	"syncretic/adapt/audio"
	"syncretic/adapt/cqt"
	"syncretic/adapt/kmeans"
)

// newTeacher fits a teacher on the audio that cfg names, else on the given corpora, and writes it.
func newTeacher(ctx context.Context, cfg TeacherConfig, corpora []*Corpus) (*Teacher, error) {
	var skipped []audio.Skipped
	if len(cfg.Fit) > 0 {
		exclude, err := openExclusions(cfg.exclude)
		if err != nil {
			return nil, err
		}
		corpora = nil
		for _, f := range cfg.Fit {
			c, err := openCorpus(ctx, CorpusConfig{Name: f.Name, Manifest: f.Manifest, Split: f.Split, Resampler: f.Resampler, SkipBad: f.SkipBad}, selection{exclude: exclude})
			if err != nil {
				return nil, err
			}
			defer c.files.Close()
			skipped = append(skipped, c.Skipped...)
			corpora = append(corpora, c.every(f.Share))
		}
	}
	t, err := FitTeacher(ctx, cfg, corpora)
	if err != nil {
		return nil, err
	}
	t.skipped = skipped
	return t, t.Write(ctx, cfg.Path)
}

// every keeps a share of the recordings, evenly spaced.
func (c *Corpus) every(share float64) *Corpus {
	if share <= 0 || share >= 1 {
		return c
	}
	kept := *c
	kept.Recordings = nil
	for i, r := range c.Recordings {
		if math.Floor(float64(i+1)*share) > math.Floor(float64(i)*share) {
			kept.Recordings = append(kept.Recordings, r)
		}
	}
	return &kept
}

// FitTeacher measures the statistics and fits the codebooks, none with cfg.Tokens, on about cfg.Frames frames, evenly spaced over the
// corpora's recordings. Memory does not grow with the audio: recordings are read block by block, and of the frames, 4*bins bytes each,
// cfg.Batch are held; where there are more of them they lie in a file in the folder cfg.Path (the system's for temporary files where that is
// "") meanwhile.
func FitTeacher(ctx context.Context, cfg TeacherConfig, corpora []*Corpus) (t *Teacher, err error) {
	transform, err := cqt.New(cfg.CQT)
	if err != nil {
		return nil, fmt.Errorf("%w: teacher: %w", ErrConfig, err)
	}
	t = &Teacher{cfg: cfg, transform: transform}
	var recordings []Recording
	total := 0
	for _, c := range corpora {
		recordings = append(recordings, c.Recordings...)
		for _, r := range c.Recordings {
			total += transform.Frames(r.Len)
		}
	}
	stride := max(1, (total+cfg.Frames-1)/max(cfg.Frames, 1))
	rows := make([]int, len(recordings)+1) // where a recording's frames begin in the sample
	for i, r := range recordings {
		rows[i+1] = rows[i] + max(0, (transform.Frames(r.Len)-i%stride+stride-1)/stride)
	}
	if rows[len(recordings)] == 0 {
		return nil, fmt.Errorf("%w: teacher: no audio to fit on", ErrConfig)
	}
	held := cfg.Batch
	if held == 0 {
		held = kmeans.DefaultBatch
	}
	s, err := newSample(rows[len(recordings)], cfg.CQT.Bins, held, cfg.Path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	err = parallel(ctx, len(recordings), func(i int) error {
		next, at := i%stride, rows[i]
		return t.magnitudes(recordings[i], func(first int, frames []float32) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			var picked []float32
			for ; (next-first+1)*cfg.CQT.Bins <= len(frames); next += stride {
				picked = append(picked, frames[(next-first)*cfg.CQT.Bins:(next-first+1)*cfg.CQT.Bins]...)
			}
			err := s.write(picked, at)
			at += len(picked) / cfg.CQT.Bins
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if err := t.measure(s); err != nil {
		return nil, err
	}
	if cfg.Tokens != "" {
		return t, nil
	}
	t.codes, err = kmeans.FitFrom(ctx, standardised{s, t.all}, cfg.CQT.Bins,
		kmeans.Config{Codebooks: cfg.Codebooks, Size: cfg.Size, Iterations: cfg.Iterations, Batch: cfg.Batch, Seed: cfg.Seed})
	if err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	return t, nil
}

// magnitudes reads a recording block by block and emits its frames [frames][bins], on the logarithmic scale if there is one.
func (t *Teacher) magnitudes(r Recording, emit func(first int, frames []float32) error) error {
	return t.transform.Stream(r.Len, r.Read, func(first int, frames []float32) error {
		t.logarithm(frames)
		return emit(first, frames)
	})
}

// measure sets mean and deviation by bin and over all bins. A bin that never moves gets deviation 1.
func (t *Teacher) measure(s *sample) error {
	bins := t.cfg.CQT.Bins
	sums, squares := make([]float64, bins), make([]float64, bins)
	block := make([]float32, min(s.frames, 1<<10)*bins)
	for from := 0; from < s.frames; from += 1 << 10 {
		part := block[:min(len(block), (s.frames-from)*bins)]
		if err := s.Read(part, from); err != nil {
			return err
		}
		for i, x := range part {
			v := float64(x)
			sums[i%bins] += v
			squares[i%bins] += v * v
		}
	}
	t.mean, t.dev = make([]float32, bins), make([]float32, bins)
	n := float64(s.frames)
	var sum, square float64
	for b := range bins {
		sum += sums[b]
		square += squares[b]
		t.mean[b], t.dev[b] = moments(sums[b], squares[b], n)
		if !t.cfg.Normalize {
			t.mean[b], t.dev[b] = 0, 1
		}
	}
	t.all[0], t.all[1] = moments(sum, square, n*float64(bins))
	return nil
}

func moments(sum, square, n float64) (mean, dev float32) {
	m := sum / n
	d := math.Sqrt(max(0, square/n-m*m))
	if d < 1e-6 {
		d = 1
	}
	return float32(m), float32(d)
}
