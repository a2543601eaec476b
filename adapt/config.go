package adapt

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/adapt/audio"
	"syncretic/adapt/optim"
)

// ErrConfig marks a configuration that cannot be used as it stands.
var ErrConfig = errors.New("bad configuration")

// Config is a training recipe, as the adapt verb reads it from YAML. Unknown keys are errors.
//
// The paper's own learning rates, steps and parameter lists could not be read (only its abstract, introduction and model
// cards were); every one of them is therefore a value here, and the defaults are ours.
type Config struct {
	Base      string         `yaml:"base,omitempty" json:"base,omitempty"`   // a model directory or training checkpoint of fairseq to start from; or
	Init      map[string]any `yaml:"init,omitempty" json:"init,omitempty"`   // the config.json keys of a fresh encoder, for pre-training from nothing
	Heads     string         `yaml:"heads,omitempty" json:"heads,omitempty"` // where the pre-training heads come from, see [Heads]
	Seed      uint64         `yaml:"seed" json:"seed"`                       // seeds initialisation, sampling, masks and dropout
	Teacher   TeacherConfig  `yaml:"teacher" json:"teacher"`
	Targets   string         `yaml:"targets,omitempty" json:"targets,omitempty"`       // a folder for cached targets; "" means beside the teacher
	Corpora   []CorpusConfig `yaml:"corpora" json:"corpora"`                           //
	Objective Objective      `yaml:"objective,omitempty" json:"objective,omitempty"`   //
	Optimizer Optimizer      `yaml:"optimizer,omitempty" json:"optimizer,omitempty"`   //
	Batch     Batch          `yaml:"batch,omitempty" json:"batch,omitempty"`           //
	Stages    []Stage        `yaml:"stages" json:"stages"`                             //
	SaveEvery int            `yaml:"save_every,omitempty" json:"save_every,omitempty"` // steps between two states on disk

	SaveMinutes float64 `yaml:"save_minutes,omitempty" json:"save_minutes,omitempty"` // a state is also saved when the last is that old; 0 means by steps alone
	MaxSkipped  int     `yaml:"max_skipped" json:"max_skipped"`                       // most steps in a row to skip over a loss or gradient that is not finite; one more ends the run
	Keep        int     `yaml:"keep" json:"keep"`                                     // states on disk at a time, beside those at the ends of stages

	HeadsWarmup *HeadsWarmup `yaml:"heads_warmup,omitempty" json:"heads_warmup,omitempty"` // a first stage for fresh heads; nil is none

	Heldout HeldoutConfig `yaml:"heldout,omitempty" json:"heldout,omitzero"`  // losses on held-out audio while the run goes on
	Exclude []Exclusion   `yaml:"exclude,omitempty" json:"exclude,omitempty"` // recordings that no corpus may take, nor the teacher be fitted on
}

// CorpusConfig names the recordings of one tradition.
//
// Hours takes recordings in an order drawn from the seed and their ids alone, whatever the manifest's order, until their sum reaches it:
// the last one may overshoot. Recordings shorter than a crop, which are never drawn, do not count. A corpus that has fewer hours is
// used wholly, with a warning in the [Index]. Hours and Exclude are of training: an evaluation takes no account of them.
type CorpusConfig struct {
	Name     string  `yaml:"name" json:"name"`
	Manifest string  `yaml:"manifest" json:"manifest"`                 // CSV or TSV, see adapt/audio.ReadManifest, or a folder of audio
	Split    string  `yaml:"split,omitempty" json:"split,omitempty"`   // rows of this split only; "" means "train", "*" is every row. A folder has none
	Replay   bool    `yaml:"replay,omitempty" json:"replay,omitempty"` // drawn from only as far as a stage's replay share says
	Weight   float64 `yaml:"weight,omitempty" json:"weight,omitempty"` // relative share of the draws; 0 means in proportion to its duration

	Resampler audio.Resampling `yaml:"resampler,omitempty" json:"resampler,omitempty"` // of recordings that are not at 24 kHz; "" means kaiser
	SkipBad   bool             `yaml:"skip_bad,omitempty" json:"skip_bad,omitempty"`   // decode every recording first and leave out those that cannot be read, and draw another crop for one that fails later

	Hours   float64     `yaml:"hours,omitempty" json:"hours,omitempty"`     // take recordings until there are so many; 0 takes all
	Exclude []Exclusion `yaml:"exclude,omitempty" json:"exclude,omitempty"` // recordings not to take, besides Config.Exclude
}

// Objective weighs the parts of the loss and says how audio is masked and mixed.
//
//	loss = codebook_weight * sum_q mean_s CE_q(s) + cqt_weight * mean_s MSE(s) + feature_penalty * mean(conv^2)
//
// with s over masked frames and q over codebooks: codebooks are summed, not averaged, as in MERT's released code.
// Unlike fairseq, which divides by all masked frames of a step, accumulated batches are averaged with equal weight; with crops
// of one length the difference is a frame or two.
type Objective struct {
	CodebookWeight  float64 `yaml:"codebook_weight" json:"codebook_weight"`
	CQTWeight       float64 `yaml:"cqt_weight" json:"cqt_weight"`
	FeaturePenalty  float64 `yaml:"feature_penalty" json:"feature_penalty"`
	Temperature     float64 `yaml:"temperature" json:"temperature"`             // of the cosine logits
	CodebookDim     int     `yaml:"codebook_dim" json:"codebook_dim"`           // width of one codebook's projection; MERT-95M: 64
	MaskProb        float64 `yaml:"mask_prob" json:"mask_prob"`                 // expected share of frames covered if spans did not overlap
	MaskLength      int     `yaml:"mask_length" json:"mask_length"`             // frames a span
	MinMasks        int     `yaml:"min_masks" json:"min_masks"`                 // spans a clip, at least
	MixtureProb     float64 `yaml:"mixture_prob" json:"mixture_prob"`           // share of clips that get pieces of other clips added as noise
	FeatureGradMult float64 `yaml:"feature_grad_mult" json:"feature_grad_mult"` // gradient scale into the convolutional front-end
}

// Optimizer holds AdamW's settings and the clipping of the gradient's global norm.
type Optimizer struct {
	Variant     string  `yaml:"variant" json:"variant"` // "pytorch", or "fairseq", whose epsilon is not bias-corrected
	Beta1       float64 `yaml:"beta1" json:"beta1"`
	Beta2       float64 `yaml:"beta2" json:"beta2"`
	Eps         float64 `yaml:"eps" json:"eps"`
	WeightDecay float64 `yaml:"weight_decay" json:"weight_decay"`
	ClipNorm    float64 `yaml:"clip_norm" json:"clip_norm"`
}

// Batch is what one optimiser step sees: accumulate * clips crops of the given length.
type Batch struct {
	Clips      int     `yaml:"clips" json:"clips"`
	Seconds    float64 `yaml:"seconds" json:"seconds"`
	Accumulate int     `yaml:"accumulate" json:"accumulate"`
}

// Stage is one pass of re-warming and re-decaying.
type Stage struct {
	Name      string   `yaml:"name" json:"name"`
	Steps     int      `yaml:"steps" json:"steps"`
	Train     []string `yaml:"train,omitempty" json:"train,omitempty"`         // patterns of the parameters to train; empty means all (see Selects)
	Replay    float64  `yaml:"replay,omitempty" json:"replay,omitempty"`       // share of the clips drawn from corpora marked replay
	LR        Schedule `yaml:"lr" json:"lr"`                                   //
	Optimizer string   `yaml:"optimizer,omitempty" json:"optimizer,omitempty"` // "fresh" (default) forgets the moments of the stage before, "keep" carries them over
}

// DefaultConfig holds MERT-v1-95M's published settings (MERT_RVQ-VAE_CQT_95M.yaml) for everything that has one.
func DefaultConfig() Config {
	return Config{
		Teacher: DefaultTeacher(),
		Objective: Objective{CodebookWeight: 1, CQTWeight: 1, FeaturePenalty: 10, Temperature: 0.1, CodebookDim: 64,
			MaskProb: 0.8, MaskLength: 5, MinMasks: 2, MixtureProb: 0.5, FeatureGradMult: 0.1},
		Optimizer: Optimizer{Variant: "pytorch", Beta1: 0.9, Beta2: 0.98, Eps: 1e-6, WeightDecay: 0.01, ClipNorm: 10},
		Batch:     Batch{Clips: 8, Seconds: 5, Accumulate: 1},
		SaveEvery: 200, MaxSkipped: 10, Keep: 2,
	}
}

// FrontEnd lists the patterns of the default first stage: the convolutional front-end, its projection, the mask vector and
// all heads, with the Transformer frozen. That this is the paper's choice is recalled, not confirmed.
func FrontEnd() []string {
	return []string{"feature_extractor.", "feature_projection.", "masked_spec_embed", headPrefix}
}

// checked is the recipe with its schedules resolved, or an error that names everything that is wrong with it.
func (c Config) checked() (Config, error) {
	if err := c.validate(); err != nil {
		return c, err
	}
	return c.resolved()
}

func (c *Config) validate() error {
	var bad []string
	check := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Sprintf(format, args...))
		}
	}
	within := func(key string, v, low, high float64) {
		check(v >= low && v <= high, "%s: got %g, want %g to %g", key, v, low, high) // false for NaN
	}
	check((c.Base == "") != (len(c.Init) == 0), "give either base (a model to start from) or init (a fresh encoder's sizes)")
	check(len(c.Corpora) > 0, "corpora is empty")
	check(len(c.Stages) > 0, "stages is empty")
	seen, primary, replay := map[string]bool{}, 0, 0
	weighted := map[bool]map[bool]bool{false: {}, true: {}} // by replay: whether corpora have a weight
	for i, k := range c.Corpora {
		check(k.Name != "", "corpora[%d]: name is missing", i)
		check(k.Manifest != "", "corpora[%d] (%s): manifest is missing", i, k.Name)
		check(!seen[k.Name], "corpora[%d]: the name %q stands twice", i, k.Name)
		check(k.Name == "" || filepath.IsLocal(k.Name) && !strings.ContainsAny(k.Name, `/\`), "corpora[%d]: the name %q is no plain name: targets are kept under it", i, k.Name)
		within(fmt.Sprintf("corpora[%d] (%s): weight", i, k.Name), k.Weight, 0, 1e12)
		if _, err := audio.ParseResampling(string(k.Resampler)); err != nil {
			bad = append(bad, fmt.Sprintf("corpora[%d] (%s): %v", i, k.Name, err))
		}
		k.validateSelection(i, check)
		weighted[k.Replay][k.Weight > 0] = true
		seen[k.Name] = true
		if k.Replay {
			replay++
		} else {
			primary++
		}
	}
	check(primary > 0 || len(c.Corpora) == 0, "every corpus is marked replay; at least one must not be")
	for _, w := range weighted {
		check(len(w) < 2, "corpora: give all of them a weight or none, since a corpus without one is drawn by its duration")
	}
	o := c.Objective
	within("objective.codebook_weight", o.CodebookWeight, 0, 1e6)
	within("objective.cqt_weight", o.CQTWeight, 0, 1e6)
	within("objective.feature_penalty", o.FeaturePenalty, 0, 1e6)
	within("objective.temperature", o.Temperature, 1e-6, 1e6)
	check(o.FeatureGradMult > 0 && o.FeatureGradMult <= 1e6, "objective.feature_grad_mult: got %g, want more than 0 (freeze the front-end with a stage's train patterns)", o.FeatureGradMult)
	check(o.CodebookDim > 0, "objective.codebook_dim: got %d, want at least 1", o.CodebookDim)
	check(o.MaskProb > 0 && o.MaskProb <= 1, "objective.mask_prob: got %g, want 0 < p <= 1", o.MaskProb)
	check(o.MaskLength > 0, "objective.mask_length: got %d, want at least 1", o.MaskLength)
	check(o.MixtureProb >= 0 && o.MixtureProb <= 1, "objective.mixture_prob: got %g, want 0 to 1", o.MixtureProb)
	p := c.Optimizer
	check(p.Beta1 > 0 && p.Beta1 < 1 && p.Beta2 > 0 && p.Beta2 < 1, "optimizer: beta1 and beta2: got %g and %g, want more than 0 and less than 1", p.Beta1, p.Beta2)
	within("optimizer.eps", p.Eps, 1e-20, 1)
	within("optimizer.weight_decay", p.WeightDecay, 0, 1e3)
	within("optimizer.clip_norm", p.ClipNorm, 0, 1e12)
	within("batch.seconds", c.Batch.Seconds, 0, 3600)
	c.Teacher.validate(check)
	c.HeadsWarmup.validate(c.Base, check)
	checkExclusions("exclude", c.Exclude, check)
	check(c.SaveEvery > 0, "save_every: got %d, want at least 1", c.SaveEvery)
	within("save_minutes", c.SaveMinutes, 0, 1e6)
	check(c.Keep > 0, "keep: got %d, want at least 1", c.Keep)
	c.Heldout.validate(seen, check)
	check(c.MaxSkipped >= 0, "max_skipped: got %d, want 0 or more", c.MaxSkipped)
	check(c.Optimizer.Variant == "pytorch" || c.Optimizer.Variant == "fairseq", "optimizer.variant: got %q, want pytorch or fairseq", c.Optimizer.Variant)
	check(c.Batch.Clips > 0 && c.Batch.Accumulate > 0 && c.Batch.Seconds > 0, "batch: clips, seconds and accumulate must be positive, got %d, %g, %d",
		c.Batch.Clips, c.Batch.Seconds, c.Batch.Accumulate)
	for i, s := range c.Stages {
		at := fmt.Sprintf("stages[%d] (%s)", i, s.Name)
		check(s.Steps > 0, "%s: steps: got %d, want at least 1", at, s.Steps)
		check(!slices.Contains(s.Train, ""), "%s: train: an empty pattern selects everything; leave train out for that", at)
		check(s.Replay >= 0 && s.Replay < 1, "%s: replay: got %g, want 0 <= share < 1", at, s.Replay)
		check(s.Replay == 0 || replay > 0, "%s: replay is %g but no corpus is marked replay", at, s.Replay)
		check(s.Optimizer == "" || s.Optimizer == "fresh" || s.Optimizer == "keep", "%s: optimizer: got %q, want fresh or keep", at, s.Optimizer)
		if err := s.LR.validate(); err != nil {
			bad = append(bad, at+": "+err.Error())
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("%w: %s", ErrConfig, strings.Join(bad, "; "))
	}
	return nil
}

// maxCodebook is the most entries of a codebook: targets are kept in 16 bits.
const maxCodebook = 1 << 15

func (t TeacherConfig) validate(check func(ok bool, format string, args ...any)) {
	check(t.Path != "", "teacher.path is missing")
	check(t.Codebooks > 0 && t.Codebooks <= 1<<10, "teacher.codebooks: got %d, want 1 to %d", t.Codebooks, 1<<10)
	check(t.Size > 0 && t.Size <= maxCodebook, "teacher.codebook_size: got %d, want 1 to %d", t.Size, maxCodebook)
	check(t.Batch == 0 || t.Batch >= t.Size || t.Tokens != "", "teacher.batch: got %d, want 0 (the default) or at least codebook_size, %d", t.Batch, t.Size)
	check(t.Spectrum == "" || t.Spectrum == SpectrumCached || t.Spectrum == SpectrumCrop, "teacher.spectrum: got %q, want %s or %s", t.Spectrum, SpectrumCached, SpectrumCrop)
	check(t.Frames > 0, "teacher.frames: got %d, want at least 1", t.Frames)
	for i, f := range t.Fit {
		check(f.Manifest != "", "teacher.fit[%d] (%s): manifest is missing", i, f.Name)
		check(f.Share >= 0 && f.Share <= 1, "teacher.fit[%d] (%s): share: got %g, want 0 to 1", i, f.Name, f.Share)
		_, err := audio.ParseResampling(string(f.Resampler))
		check(err == nil, "teacher.fit[%d] (%s): %v", i, f.Name, err)
	}
	standard := DefaultTeacher()
	check(t.Tokens == "" || t.Iterations == standard.Iterations && t.Batch == standard.Batch && t.Seed == standard.Seed,
		"teacher: iterations, batch and seed are of k-means, which there is none of beside tokens")
}

func (o Optimizer) adamW() optim.AdamWConfig {
	variant := optim.PyTorch
	if o.Variant == optim.Fairseq.String() {
		variant = optim.Fairseq
	}
	return optim.AdamWConfig{Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, WeightDecay: o.WeightDecay, Variant: variant}
}
