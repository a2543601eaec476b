package adapt

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"syncretic/adapt/audio"
	"syncretic/adapt/mert"
	"syncretic/checkpoint"
)

// ErrNoHeads marks a model that has no pre-training heads, without which it predicts nothing.
var ErrNoHeads = errors.New("no pre-training heads")

// Evaluation measures models by how well they predict masked frames of held-out audio: no labels are needed, so it can rank
// models, or merges, on any culture's recordings. Crops and masks are drawn from the seed alone, so every model sees the same.
//
//	e, err := adapt.OpenEvaluation(ctx, recipe.Eval(corpora, 0), nil)
//	m, err := e.Open("out/makam", "")
//	scores, err := e.Measure(ctx, m.Model, nil)    // one a corpus
//
// Unlike a [Heldout], of the same crops and masks, it reads audio as it goes: memory is that of one model and of a forward pass of ten
// crops, however long the corpora are.
type Evaluation struct {
	cfg     EvalConfig
	teacher *Teacher
	hash    string
	corpora []EvalCorpus
	crops   [][]Crop // by corpus
	targets map[*Corpus]*Targets
}

// EvalCorpus is what an evaluation hears of one corpus.
type EvalCorpus struct {
	*Corpus
	Hash   string // SHA-256 of the recordings' names, places and lengths
	Tokens string // SHA-256 of their tokens, "" where the codes are the teacher's own
	Clips  int    // crops, one a recording
	Short  int    // recordings left out for being shorter than a crop
}

// Score is a model's loss on one corpus; means are over all masked frames.
type Score struct {
	Loss
	Accuracy []float64 `json:"accuracy"`      // share of masked frames whose code is the likeliest, by codebook
	Frames   int       `json:"masked_frames"` // that the means are over
	Clips    int       `json:"clips"`
}

// EvalModel is a model with hashes of what it was read from.
type EvalModel struct {
	*Model
	HeadsPath         string // the file of the heads
	Hash, HeadsSHA256 string // of the encoder's and of the heads' tensors, as checkpoint.Hash has them
}

// OpenEvaluation opens corpora and teacher, and computes the targets that are not cached. progress may be nil.
//
// A teacher that does not exist gives an error that wraps fs.ErrNotExist; settings that do not fit it, or each other, one that wraps
// [ErrConfig]; a corpus of which no recording is as long as a crop, or that cannot be read, one that wraps audio.ErrInvalid.
func OpenEvaluation(ctx context.Context, cfg EvalConfig, progress func(what string, done, total int)) (_ *Evaluation, err error) {
	if !(cfg.Seconds > 0 && cfg.Seconds <= 3600) {
		return nil, fmt.Errorf("%w: seconds: got %g, want more than 0 and at most 3600", ErrConfig, cfg.Seconds)
	}
	if len(cfg.Corpora) == 0 {
		return nil, fmt.Errorf("%w: no corpus to evaluate on", ErrConfig)
	}
	if o := cfg.Objective; !(o.MaskProb > 0 && o.MaskProb <= 1 && o.MaskLength > 0 && o.MinMasks >= 0 && o.Temperature > 0 && o.CodebookDim > 0) {
		return nil, fmt.Errorf("%w: objective: mask_prob %g, mask_length %d, min_masks %d, temperature %g, codebook_dim %d: want positive ones and a share", ErrConfig,
			o.MaskProb, o.MaskLength, o.MinMasks, o.Temperature, o.CodebookDim)
	}
	cfg.Objective.MixtureProb = 0 // nothing is mixed in where nothing is learnt
	if _, err := os.Stat(filepath.Join(cfg.Teacher.Path, "teacher.json")); err != nil {
		return nil, fmt.Errorf("teacher %s: %w (an evaluation fits none)", cfg.Teacher.Path, err)
	}
	e := &Evaluation{cfg: cfg, targets: map[*Corpus]*Targets{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if err := e.openCorpora(); err != nil {
		return nil, err
	}
	var corpora []*Corpus
	for _, c := range e.corpora {
		corpora = append(corpora, c.Corpus)
	}
	if e.teacher, err = TeacherFor(ctx, cfg.Teacher, corpora); err != nil {
		return nil, err
	}
	if _, err := e.teacher.settings(cfg.Teacher); err != nil {
		return nil, err
	}
	if e.hash, err = e.teacher.hash(); err != nil {
		return nil, err
	}
	for i := range e.corpora {
		if err := e.prepare(ctx, &e.corpora[i], progress); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *Evaluation) openCorpora() error {
	for _, k := range e.cfg.Corpora {
		c, err := OpenCorpus(k)
		if err != nil {
			return err
		}
		e.corpora = append(e.corpora, EvalCorpus{Corpus: c})
	}
	return nil
}

// prepare draws a corpus's crops and opens its targets.
func (e *Evaluation) prepare(ctx context.Context, c *EvalCorpus, progress func(what string, done, total int)) error {
	crops, err := heldoutCrops(c.Corpus, e.teacher.Hop(), e.cfg.Seconds, e.cfg.Seed)
	if err != nil {
		return err
	}
	c.Short = len(c.Recordings) - len(crops)
	if n := e.cfg.Clips; n > 0 && len(crops) > n {
		crops = c.keep(crops, n, e.cfg.Seed)
	}
	e.crops = append(e.crops, crops)
	c.Clips, c.Hash = len(crops), c.hash()
	tokens, err := e.teacher.identities(ctx, c.Corpus)
	if err != nil {
		return err
	}
	if tokens != nil {
		c.Tokens = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(tokens, "\n"))))
	}
	dir := Config{Teacher: e.cfg.Teacher, Targets: e.cfg.Targets}.targetsDir()
	targets, err := OpenTargets(ctx, dir, e.teacher, c.Corpus, func(done, total int) {
		if progress != nil {
			progress("targets of "+c.Name, done, total)
		}
	})
	if err != nil {
		return err
	}
	e.targets[c.Corpus] = targets
	return nil
}

// Open reads a model for this evaluation's teacher: a model directory or a training checkpoint of fairseq, with its own heads, or with
// those at heads unless that is "". The model is frozen. A model without heads gives an error that wraps [ErrNoHeads]; heads of
// other codebooks or bins than the teacher's, one that wraps checkpoint.ErrInvalid.
func (e *Evaluation) Open(path, heads string) (*EvalModel, error) {
	encoder, err := mert.Open(path)
	if err != nil {
		return nil, err
	}
	file, err := openHeads(Config{Base: path, Heads: heads})
	if err != nil {
		return nil, err
	}
	if file == nil {
		return nil, fmt.Errorf("%s: %w", path, ErrNoHeads)
	}
	defer file.Close()
	src, err := headsIn(file, e.teacher)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Path(), err)
	}
	m, err := NewModel(encoder, src, e.teacher, e.cfg.Objective, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Path(), err)
	}
	m.Freeze()
	opened := &EvalModel{Model: m, HeadsPath: file.Path()}
	if opened.Hash, err = checkpoint.Hash(encoder); err != nil {
		return nil, err
	}
	opened.HeadsSHA256, err = checkpoint.Hash(src)
	return opened, err
}

// Measure gives a model's scores, one a corpus in their order: the same bits on any number of threads. The model must be of this
// evaluation's teacher; it may come from Open, or from NewModel with Teacher's result and other weights, as merges do. report, which may
// be nil, hears of the crops that are done. A loss that is not finite, as of a model with NaN in it, is an error that wraps
// checkpoint.ErrInvalid.
//
// The cost is a forward pass of all crops.
func (e *Evaluation) Measure(ctx context.Context, m *Model, report func(done, total int)) ([]Score, error) {
	l, err := e.loader(m)
	if err != nil {
		return nil, err
	}
	total, done := 0, 0
	for _, crops := range e.crops {
		total += len(crops)
	}
	scores := make([]Score, len(e.corpora))
	for i, crops := range e.crops {
		sum, err := e.tally(ctx, m, l, i, func(n int) {
			if done += n; report != nil {
				report(done, total)
			}
		})
		if err != nil {
			return nil, err
		}
		if scores[i], err = sum.score(len(crops)); err != nil {
			return nil, fmt.Errorf("corpus %s: %w", e.corpora[i].Name, err)
		}
	}
	return scores, nil
}

// loader reads the evaluation's audio for a model.
func (e *Evaluation) loader(m *Model) (*loader, error) {
	if m.teacher != e.teacher {
		return nil, fmt.Errorf("%w: the model was opened with another teacher than the evaluation's", ErrConfig)
	}
	l := &loader{encoder: m.Encoder, teacher: e.teacher, targets: e.targets, obj: e.cfg.Objective, samples: samplesOf(e.cfg.Seconds)}
	return l, l.check()
}

// tally runs a model over the crops of one corpus. heard, which may be nil, hears how many more are done.
func (e *Evaluation) tally(ctx context.Context, m *Model, l *loader, corpus int, heard func(n int)) (sum tally, err error) {
	crops := e.crops[corpus]
	for from := 0; from < len(crops); from += heldoutClips {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		part := crops[from:min(from+heldoutClips, len(crops))]
		b, err := l.load(part, e.cfg.Seed, "heldout", from)
		if err != nil {
			return sum, fmt.Errorf("corpus %s: %w", e.corpora[corpus].Name, err)
		}
		if len(b.rows) > 0 { // with few spans asked for, a batch can be without a mask
			_, p, err := m.forward(b, false, 0, 1)
			if err != nil {
				return sum, err
			}
			sum.add(p)
		}
		if heard != nil {
			heard(len(part))
		}
	}
	return sum, nil
}

// tally adds up parts, each weighted by its masked frames.
type tally struct {
	codebooks, accuracy []float64
	cqt                 float64
	frames              int
}

func (t *tally) add(p Parts) {
	if t.codebooks == nil {
		t.codebooks, t.accuracy = make([]float64, len(p.Codebooks)), make([]float64, len(p.Codebooks))
	}
	n := float64(p.Frames)
	for q := range p.Codebooks {
		t.codebooks[q] += n * p.Codebooks[q]
		t.accuracy[q] += n * p.Accuracy[q]
	}
	t.cqt += n * p.CQT
	t.frames += p.Frames
}

func (t *tally) score(clips int) (Score, error) {
	if t.frames == 0 {
		return Score{}, fmt.Errorf("%w: objective: mask_prob and min_masks mask no frame of %d crops", ErrConfig, clips)
	}
	n := float64(t.frames)
	s := Score{Loss: Loss{CQT: t.cqt / n}, Frames: t.frames, Clips: clips}
	for q := range t.codebooks {
		s.Codebooks = append(s.Codebooks, t.codebooks[q]/n)
		s.Accuracy = append(s.Accuracy, t.accuracy[q]/n)
		s.CE += s.Codebooks[q]
	}
	s.Total = s.CE + s.CQT
	if math.IsNaN(s.Total) || math.IsInf(s.Total, 0) {
		return Score{}, fmt.Errorf("%w: the model's loss is not finite: its weights hold NaN or are out of all proportion", checkpoint.ErrInvalid)
	}
	return s, nil
}

// Corpora are the evaluation's corpora, in their order.
func (e *Evaluation) Corpora() []EvalCorpus { return e.corpora }

// Teacher is the evaluation's teacher; TeacherHash names what it says.
func (e *Evaluation) Teacher() *Teacher { return e.teacher }

// TeacherHash is the SHA-256 of the teacher's settings, statistics and codebooks.
func (e *Evaluation) TeacherHash() string { return e.hash }

// Skipped names the recordings that were left out because they cannot be read, corpus by corpus.
func (e *Evaluation) Skipped() []audio.Skipped {
	var all []audio.Skipped
	for _, c := range e.corpora {
		all = append(all, c.Skipped...)
	}
	return all
}

// Close releases the mapped targets, the tokens and the corpora's open files.
func (e *Evaluation) Close() error {
	err := e.release()
	if e.teacher != nil {
		err = errors.Join(err, e.teacher.Close())
	}
	return err
}

// release is Close but for the teacher.
func (e *Evaluation) release() error {
	var errs []error
	for _, c := range e.corpora {
		errs = append(errs, c.files.Close())
	}
	for _, t := range e.targets {
		errs = append(errs, t.Close())
	}
	return errors.Join(errs...)
}
