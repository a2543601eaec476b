package adapt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"syncretic/adapt/audio"
	"syncretic/adapt/cqt"
	"syncretic/adapt/kmeans"
	"syncretic/checkpoint"
)

// TeacherConfig says what the encoder learns to predict: the constant-Q spectrum, and codes, which are those of a residual k-means on the
// spectrum unless Tokens names others.
type TeacherConfig struct {
	Path       string      `yaml:"path" json:"path,omitempty"`         // opened when it exists, otherwise fitted and written there
	Tokens     string      `yaml:"tokens" json:"tokens,omitempty"`     // codes that the tokens verb wrote, a folder or a file: of EnCodec, as MERT has them
	CQT        cqt.Config  `yaml:"cqt" json:"cqt"`                     //
	LogFloor   float64     `yaml:"log_floor" json:"log_floor"`         // targets are log(magnitude + log_floor); 0 takes magnitudes as they are, as MERT does
	Normalize  bool        `yaml:"normalize" json:"normalize"`         // each bin to mean 0 and deviation 1 over the fitting audio
	Codebooks  int         `yaml:"codebooks" json:"codebooks"`         // of the residual k-means, or of the tokens, from the first
	Size       int         `yaml:"codebook_size" json:"codebook_size"` // entries of each; tokens say it themselves
	Iterations int         `yaml:"iterations" json:"iterations"`       // passes of k-means over the frames
	Batch      int         `yaml:"batch" json:"batch"`                 // frames of k-means in memory: see kmeans.Config
	Frames     int         `yaml:"frames" json:"frames"`               // about as many frames to fit on
	Seed       uint64      `yaml:"seed" json:"seed"`                   // of k-means
	Fit        []FitCorpus `yaml:"fit,omitempty" json:"fit,omitempty"` // audio to fit on; empty means the recipe's own corpora

	// Spectrum is where the spectrum behind a mask comes from: "cached", that of the whole recording, computed once, or "crop", that of the
	// crop as it is drawn. "" means cached for codes of k-means, crop for Tokens. See [Targets].
	Spectrum string `yaml:"spectrum,omitempty" json:"spectrum,omitempty"`

	exclude []Exclusion // the recipe's, of what it is fitted on
}

// FitCorpus is a share of a corpus to fit the teacher on.
type FitCorpus struct {
	Name     string  `yaml:"name" json:"name"`
	Manifest string  `yaml:"manifest" json:"manifest"`
	Split    string  `yaml:"split,omitempty" json:"split,omitempty"`
	Share    float64 `yaml:"share,omitempty" json:"share,omitempty"` // every (1/share)-th recording; 0 means all

	Resampler audio.Resampling `yaml:"resampler,omitempty" json:"resampler,omitempty"` // as CorpusConfig's
	SkipBad   bool             `yaml:"skip_bad,omitempty" json:"skip_bad,omitempty"`   // as CorpusConfig's
}

// DefaultTeacher is the small teacher that needs no weights: 144 bins over six octaves and eight codebooks of 64.
func DefaultTeacher() TeacherConfig {
	return TeacherConfig{
		CQT:      cqt.Config{SampleRate: 24000, Hop: 320, FMin: 65.4, Bins: 144, BinsPerOctave: 24, MaxWindow: 8192},
		LogFloor: 1e-2, Normalize: true, Codebooks: 8, Size: 64, Iterations: 8, Batch: kmeans.DefaultBatch, Frames: 24000,
	}
}

// Teacher gives each frame of clean audio its spectrum and its code in every codebook.
//
// The spectrum is normalised bin by bin. Codes of k-means are found on the same spectrum with one mean and deviation for all bins, which
// keeps the spectral envelope; tokens are those of the recording as a whole.
type Teacher struct {
	cfg       TeacherConfig
	transform *cqt.Transform
	codes     *kmeans.Quantizer // nil where there are none, or
	tokens    *tokenCodes       // in their place
	mean, dev []float32         // by bin
	all       [2]float32        // mean and deviation over all bins
	crop      bool              // the spectrum behind a mask is that of the crop
	skipped   []audio.Skipped   // of what it was fitted on
}

// teacherDoc is teacher.json.
type teacherDoc struct {
	TeacherConfig
	Skipped []audio.Skipped `json:"skipped,omitempty"`
}

// OpenTeacher reads a teacher that FitTeacher's result wrote. One that was fitted without codebooks, for a recipe with tokens, is
// TeacherFor's to open.
func OpenTeacher(dir string) (*Teacher, error) {
	t, err := openTeacher(dir)
	if err == nil && t.codes == nil {
		return nil, fmt.Errorf("%w: teacher %s has no codebooks: it was fitted beside tokens; name tokens, or another path to fit a new one", ErrConfig, dir)
	}
	return t, err
}

func openTeacher(dir string) (*Teacher, error) {
	doc, err := os.ReadFile(filepath.Join(dir, "teacher.json"))
	if err != nil {
		return nil, fmt.Errorf("teacher %s: %w", dir, err)
	}
	var stored teacherDoc
	if err := json.Unmarshal(doc, &stored); err != nil {
		return nil, fmt.Errorf("%w: %s/teacher.json: %w", checkpoint.ErrInvalid, dir, err)
	}
	cfg := stored.TeacherConfig
	transform, err := cqt.New(cfg.CQT)
	if err != nil {
		return nil, fmt.Errorf("teacher %s: %w", dir, err)
	}
	m, err := checkpoint.Open(filepath.Join(dir, "teacher.safetensors"))
	if err != nil {
		return nil, fmt.Errorf("teacher %s: %w", dir, err)
	}
	defer m.Close()
	t := &Teacher{cfg: cfg, transform: transform, skipped: stored.Skipped}
	if books := checkpoint.Select(m, func(name string) bool { return !isStatistic(name) }); cfg.Codebooks > 0 || len(books.Tensors()) > 0 {
		if t.codes, err = kmeans.Load(books); err != nil {
			return nil, fmt.Errorf("teacher %s: %w", dir, err)
		}
		if b, n, dim := t.codes.Codebooks(), t.codes.Size(), t.codes.Dim(); b != cfg.Codebooks || n != cfg.Size || dim != cfg.CQT.Bins {
			return nil, fmt.Errorf("%w: teacher %s: teacher.safetensors has %d codebooks of %d entries of %d bins, teacher.json says %d of %d of %d",
				checkpoint.ErrInvalid, dir, b, n, dim, cfg.Codebooks, cfg.Size, cfg.CQT.Bins)
		}
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

// TeacherFor opens the teacher at cfg.Path, or fits it on the given corpora and writes it there. With cfg.Tokens the codes are those: they
// must be there, and fit, for every recording of the corpora; Close releases them.
func TeacherFor(ctx context.Context, cfg TeacherConfig, corpora []*Corpus) (*Teacher, error) {
	t, err := teacherFor(ctx, cfg, corpora, newTeacher)
	if err == nil {
		t.crop = cfg.croppedSpectrum()
	}
	return t, err
}

// teacherFor is TeacherFor with its way to a teacher that does not exist yet.
func teacherFor(ctx context.Context, cfg TeacherConfig, corpora []*Corpus,
	fit func(context.Context, TeacherConfig, []*Corpus) (*Teacher, error)) (*Teacher, error) {
	open := OpenTeacher
	if cfg.Tokens != "" {
		open = openTeacher // with codebooks or without: its spectra are what is wanted
	}
	t, err := open(cfg.Path)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return nil, err
	}
	if cfg.Tokens == "" {
		if fresh {
			return fit(ctx, cfg, corpora)
		}
		return t, nil
	}
	hop := cfg.CQT.Hop
	if !fresh {
		hop = t.Hop()
	}
	tokens, err := openTokens(cfg, hop, corpora) // before what takes long
	if err != nil {
		return nil, err
	}
	if fresh {
		if t, err = fit(ctx, cfg, corpora); err != nil {
			return nil, errors.Join(err, tokens.set.Close())
		}
	}
	t.codes, t.tokens = nil, tokens
	t.cfg.Codebooks, t.cfg.Size = tokens.books, tokens.size
	return t, nil
}

// Close releases the tokens, where there are any.
func (t *Teacher) Close() error {
	if t.tokens == nil {
		return nil
	}
	return t.tokens.set.Close()
}

// Write stores the teacher as a directory of teacher.json and teacher.safetensors. Tokens stay where they are.
func (t *Teacher) Write(ctx context.Context, dir string) error {
	cfg := t.cfg
	cfg.Path, cfg.Tokens, cfg.Spectrum = "", "", ""
	if t.codes == nil {
		cfg.Codebooks, cfg.Size, cfg.Iterations, cfg.Batch, cfg.Seed = 0, 0, 0, 0, 0
	}
	doc, err := json.MarshalIndent(teacherDoc{cfg, t.skipped}, "", "  ")
	if err != nil {
		return err
	}
	var src checkpoint.Source
	src, err = checkpoint.NewMemory(
		checkpoint.Tensor{Name: "bin_mean", Shape: []int{len(t.mean)}, Data: t.mean},
		checkpoint.Tensor{Name: "bin_deviation", Shape: []int{len(t.dev)}, Data: t.dev},
		checkpoint.Tensor{Name: "all", Shape: []int{2}, Data: t.all[:]})
	if err != nil {
		return err
	}
	if t.codes != nil {
		if src, err = checkpoint.Union(src, t.codes.Source()); err != nil {
			return err
		}
	}
	if err := checkpoint.Write(ctx, filepath.Join(dir, "teacher.safetensors"), src, checkpoint.WriteOptions{Force: true}); err != nil {
		return err
	}
	return checkpoint.WriteFile(filepath.Join(dir, "teacher.json"), append(doc, '\n'), true) // last: its presence means that the rest is there
}

// hash names what the teacher says: its settings, statistics and codebooks. Tokens have names of their own: see identities.
func (t *Teacher) hash() (string, error) {
	codes := "tokens"
	if t.codes != nil {
		var err error
		if codes, err = checkpoint.Hash(t.codes.Source()); err != nil {
			return "", err
		}
	}
	c := t.cfg
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v %v %v %d %d %v %v %v %s\n", c.CQT, c.LogFloor, c.Normalize, c.Codebooks, c.Size, t.all, t.mean, t.dev, codes))
	return hex.EncodeToString(sum[:]), nil
}

// identities name the tokens of a corpus's recordings, in order; nil where the codes are the teacher's own.
func (t *Teacher) identities(ctx context.Context, c *Corpus) ([]string, error) {
	if t.tokens == nil {
		return nil, nil
	}
	return t.tokens.hashes(ctx, c)
}

// settings are the teacher's own, as it was fitted, at the place that a recipe names. A recipe that asks for something else
// than the default and than what the teacher is, is refused: it would be ignored.
func (t *Teacher) settings(asked TeacherConfig) (TeacherConfig, error) {
	standard, is := DefaultTeacher(), t.cfg
	is.Path, is.Tokens, is.Fit, is.Spectrum = asked.Path, asked.Tokens, asked.Fit, asked.storedSpectrum()
	if t.tokens != nil { // what the teacher at the path has beside its spectra is not used
		is.Iterations, is.Batch, is.Seed = asked.Iterations, asked.Batch, asked.Seed
	}
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

// frames is the number of frames that Label gives: those of the spectrum, or one less where the tokens end earlier.
func (t *Teacher) frames(r Recording) int {
	n := t.transform.Frames(r.Len)
	if t.tokens != nil {
		n = min(n, t.tokens.frames(r))
	}
	return n
}
