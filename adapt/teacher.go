package adapt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"syncretic/adapt/cqt"
	"syncretic/adapt/kmeans"
	"syncretic/checkpoint"
)

// TeacherConfig says what the encoder learns to predict.
type TeacherConfig struct {
	Path       string      `yaml:"path" json:"path,omitempty"`         // opened when it exists, otherwise fitted and written there
	CQT        cqt.Config  `yaml:"cqt" json:"cqt"`                     //
	LogFloor   float64     `yaml:"log_floor" json:"log_floor"`         // targets are log(magnitude + log_floor); 0 takes magnitudes as they are, as MERT does
	Normalize  bool        `yaml:"normalize" json:"normalize"`         // each bin to mean 0 and deviation 1 over the fitting audio
	Codebooks  int         `yaml:"codebooks" json:"codebooks"`         // of the residual k-means
	Size       int         `yaml:"codebook_size" json:"codebook_size"` // entries of each
	Iterations int         `yaml:"iterations" json:"iterations"`       // of Lloyd's algorithm
	Frames     int         `yaml:"frames" json:"frames"`               // frames to fit on, at most
	Seed       uint64      `yaml:"seed" json:"seed"`                   //
	Fit        []FitCorpus `yaml:"fit,omitempty" json:"fit,omitempty"` // audio to fit on; empty means the recipe's own corpora
}

// FitCorpus is a share of a corpus to fit the teacher on.
type FitCorpus struct {
	Name     string  `yaml:"name" json:"name"`
	Manifest string  `yaml:"manifest" json:"manifest"`
	Split    string  `yaml:"split,omitempty" json:"split,omitempty"`
	Share    float64 `yaml:"share,omitempty" json:"share,omitempty"` // every (1/share)-th recording; 0 means all
}

// DefaultTeacher is the small teacher that needs no weights: 144 bins over six octaves and eight codebooks of 64.
func DefaultTeacher() TeacherConfig {
	return TeacherConfig{
		CQT:      cqt.Config{SampleRate: 24000, Hop: 320, FMin: 65.4, Bins: 144, BinsPerOctave: 24, MaxWindow: 8192},
		LogFloor: 1e-2, Normalize: true, Codebooks: 8, Size: 64, Iterations: 8, Frames: 24000,
	}
}

// Teacher gives each frame of clean audio its spectrum and its code in every codebook.
//
// Both come from the same constant-Q transform: the spectrum is normalised bin by bin, the codes are found on the spectrum
// with one mean and deviation for all bins, which keeps the spectral envelope.
type Teacher struct {
	cfg       TeacherConfig
	transform *cqt.Transform
	codes     *kmeans.Quantizer
	mean, dev []float32  // by bin
	all       [2]float32 // mean and deviation over all bins
}

// OpenTeacher reads a teacher that FitTeacher's result wrote.
func OpenTeacher(dir string) (*Teacher, error) {
	doc, err := os.ReadFile(filepath.Join(dir, "teacher.json"))
	if err != nil {
		return nil, fmt.Errorf("teacher %s: %w", dir, err)
	}
	var cfg TeacherConfig
	if err := json.Unmarshal(doc, &cfg); err != nil {
		return nil, fmt.Errorf("%w: %s/teacher.json: %w", checkpoint.ErrInvalid, dir, err)
	}
	transform, err := cqt.New(cfg.CQT)
	if err != nil {
		return nil, fmt.Errorf("teacher %s: %w", dir, err)
	}
	m, err := checkpoint.Open(filepath.Join(dir, "teacher.safetensors"))
	if err != nil {
		return nil, fmt.Errorf("teacher %s: %w", dir, err)
	}
	defer m.Close()
	t := &Teacher{cfg: cfg, transform: transform}
	if t.codes, err = kmeans.Load(checkpoint.Select(m, func(name string) bool { return !isStatistic(name) })); err != nil {
		return nil, fmt.Errorf("teacher %s: %w", dir, err)
	}
	if b, n, dim := t.codes.Codebooks(), t.codes.Size(), t.codes.Dim(); b != cfg.Codebooks || n != cfg.Size || dim != cfg.CQT.Bins {
		return nil, fmt.Errorf("%w: teacher %s: teacher.safetensors has %d codebooks of %d entries of %d bins, teacher.json says %d of %d of %d",
			checkpoint.ErrInvalid, dir, b, n, dim, cfg.Codebooks, cfg.Size, cfg.CQT.Bins)
	}
	for _, s := range []struct {
		name string
		into *[]float32
		want int
	}{{"bin_mean", &t.mean, cfg.CQT.Bins}, {"bin_deviation", &t.dev, cfg.CQT.Bins}} {
		if *s.into, err = checkpoint.ReadAll(m, s.name); err != nil {
			return nil, fmt.Errorf("teacher %s: %w", dir, err)
		}
		if len(*s.into) != s.want {
			return nil, fmt.Errorf("%w: teacher %s: tensor %q: got %d values, want %d", checkpoint.ErrInvalid, dir, s.name, len(*s.into), s.want)
		}
	}
	if err := m.Read("all", 0, t.all[:]); err != nil {
		return nil, fmt.Errorf("teacher %s: %w", dir, err)
	}
	return t, nil
}

func isStatistic(name string) bool {
	return name == "bin_mean" || name == "bin_deviation" || name == "all"
}

// TeacherFor opens the teacher at cfg.Path, or fits it on the given corpora and writes it there.
func TeacherFor(ctx context.Context, cfg TeacherConfig, corpora []*Corpus) (*Teacher, error) {
	t, err := OpenTeacher(cfg.Path)
	if !errors.Is(err, fs.ErrNotExist) {
		return t, err
	}
	if len(cfg.Fit) > 0 {
		corpora = nil
		for _, f := range cfg.Fit {
			c, err := OpenCorpus(CorpusConfig{Name: f.Name, Manifest: f.Manifest, Split: f.Split})
			if err != nil {
				return nil, err
			}
			corpora = append(corpora, c.every(f.Share))
		}
	}
	if t, err = FitTeacher(ctx, cfg, corpora); err != nil {
		return nil, err
	}
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

// FitTeacher measures the statistics and fits the codebooks on at most cfg.Frames frames, evenly spaced over the corpora's
// recordings. It holds those frames in memory: 4*frames*bins bytes.
func FitTeacher(ctx context.Context, cfg TeacherConfig, corpora []*Corpus) (*Teacher, error) {
	transform, err := cqt.New(cfg.CQT)
	if err != nil {
		return nil, fmt.Errorf("%w: teacher: %w", ErrConfig, err)
	}
	t := &Teacher{cfg: cfg, transform: transform}
	var recordings []Recording
	total := 0
	for _, c := range corpora {
		recordings = append(recordings, c.Recordings...)
		for _, r := range c.Recordings {
			total += transform.Frames(r.Len)
		}
	}
	stride := max(1, (total+cfg.Frames-1)/max(cfg.Frames, 1))
	picked := make([][]float32, len(recordings))
	err = parallel(ctx, len(recordings), func(i int) error {
		spectrum, err := t.magnitudes(recordings[i])
		if err != nil {
			return err
		}
		bins := cfg.CQT.Bins
		for f := i % stride; f < len(spectrum)/bins; f += stride {
			picked[i] = append(picked[i], spectrum[f*bins:(f+1)*bins]...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var frames []float32
	for _, p := range picked {
		frames = append(frames, p...)
	}
	t.measure(frames)
	for i, v := range frames {
		frames[i] = (v - t.all[0]) / t.all[1]
	}
	t.codes, err = kmeans.Fit(ctx, frames, cfg.CQT.Bins, kmeans.Config{Codebooks: cfg.Codebooks, Size: cfg.Size, Iterations: cfg.Iterations, Seed: cfg.Seed})
	if err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	return t, nil
}

// magnitudes reads a whole recording and returns its frames [frames][bins], on the logarithmic scale if there is one.
func (t *Teacher) magnitudes(r Recording) ([]float32, error) {
	samples := make([]float32, r.Len)
	if err := r.Read(samples, 0); err != nil {
		return nil, err
	}
	frames := t.transform.Magnitudes(samples)
	if t.cfg.LogFloor > 0 {
		for i, v := range frames {
			frames[i] = float32(math.Log(float64(v) + t.cfg.LogFloor))
		}
	}
	return frames, nil
}

// measure sets mean and deviation by bin and over all bins. A bin that never moves gets deviation 1.
func (t *Teacher) measure(frames []float32) {
	bins := t.cfg.CQT.Bins
	n := float64(len(frames) / bins)
	t.mean, t.dev = make([]float32, bins), make([]float32, bins)
	var sum, square float64
	for b := range bins {
		var s, q float64
		for i := b; i < len(frames); i += bins {
			v := float64(frames[i])
			s += v
			q += v * v
		}
		sum += s
		square += q
		t.mean[b], t.dev[b] = moments(s, q, n)
		if !t.cfg.Normalize {
			t.mean[b], t.dev[b] = 0, 1
		}
	}
	t.all[0], t.all[1] = moments(sum, square, n*float64(bins))
}

func moments(sum, square, n float64) (mean, dev float32) {
	m := sum / n
	d := math.Sqrt(max(0, square/n-m*m))
	if d < 1e-6 {
		d = 1
	}
	return float32(m), float32(d)
}

// Write stores the teacher as a directory of teacher.json and teacher.safetensors.
func (t *Teacher) Write(ctx context.Context, dir string) error {
	cfg := t.cfg
	cfg.Path = ""
	doc, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return err
	}
	stats, err := checkpoint.NewMemory(
		checkpoint.Tensor{Name: "bin_mean", Shape: []int{len(t.mean)}, Data: t.mean},
		checkpoint.Tensor{Name: "bin_deviation", Shape: []int{len(t.dev)}, Data: t.dev},
		checkpoint.Tensor{Name: "all", Shape: []int{2}, Data: t.all[:]})
	if err != nil {
		return err
	}
	src, err := checkpoint.Union(stats, t.codes.Source())
	if err != nil {
		return err
	}
	if err := checkpoint.Write(ctx, filepath.Join(dir, "teacher.safetensors"), src, checkpoint.WriteOptions{Force: true}); err != nil {
		return err
	}
	return checkpoint.WriteFile(filepath.Join(dir, "teacher.json"), append(doc, '\n'), true) // last: its presence means that the rest is there
}

// hash names what the teacher says: its settings, statistics and codebooks.
func (t *Teacher) hash() (string, error) {
	codes, err := checkpoint.Hash(t.codes.Source())
	if err != nil {
		return "", err
	}
	cfg := t.cfg
	cfg.Path, cfg.Fit = "", nil
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v %v %v %v %s\n", cfg, t.all, t.mean, t.dev, codes))
	return hex.EncodeToString(sum[:]), nil
}

// settings are the teacher's own, as it was fitted, at the place that a recipe names. A recipe that asks for something else
// than the default and than what the teacher is, is refused: it would be ignored.
func (t *Teacher) settings(asked TeacherConfig) (TeacherConfig, error) {
	standard, is := DefaultTeacher(), t.cfg
	is.Path, is.Fit = asked.Path, asked.Fit
	for _, f := range []struct {
		key                 string
		asked, standard, is any
	}{
		{"cqt", asked.CQT, standard.CQT, is.CQT}, {"log_floor", asked.LogFloor, standard.LogFloor, is.LogFloor},
		{"normalize", asked.Normalize, standard.Normalize, is.Normalize}, {"codebooks", asked.Codebooks, standard.Codebooks, is.Codebooks},
		{"codebook_size", asked.Size, standard.Size, is.Size},
	} {
		if f.asked != f.standard && f.asked != f.is {
			return TeacherConfig{}, fmt.Errorf("%w: teacher.%s: the recipe asks for %+v, the teacher at %s has %+v (leave the key out, or give another path to fit a new one)",
				ErrConfig, f.key, f.asked, asked.Path, f.is)
		}
	}
	return is, nil
}

// Codebooks returns the number of codebooks and of entries of each.
func (t *Teacher) Codebooks() (count, size int) { return t.cfg.Codebooks, t.cfg.Size }

// Bins is the width of a spectrum.
func (t *Teacher) Bins() int { return t.cfg.CQT.Bins }

// Hop is the number of samples between two frames.
func (t *Teacher) Hop() int { return t.cfg.CQT.Hop }

// Label returns a recording's normalised spectrum [frames][bins] and its codes [codebook][frame].
func (t *Teacher) Label(r Recording) (spectrum []float32, codes [][]int32, err error) {
	spectrum, err = t.magnitudes(r)
	if err != nil {
		return nil, nil, err
	}
	input := make([]float32, len(spectrum))
	for i, v := range spectrum {
		input[i] = (v - t.all[0]) / t.all[1]
		b := i % len(t.mean)
		spectrum[i] = (v - t.mean[b]) / t.dev[b]
	}
	return spectrum, t.codes.Encode(input), nil
}
