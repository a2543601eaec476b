package adapt

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/mert"
	"syncretic/adapt/op"
	"syncretic/adapt/optim"
	"syncretic/checkpoint"
)

// Model is an encoder with the heads that pre-training needs. As a checkpoint.Source it holds both, the heads under
// "pretrain.", so task vectors and merges of Models keep heads and encoder together.
type Model struct {
	Encoder *mert.Encoder
	Heads   *Heads
	obj     Objective
	teacher *Teacher
	source  checkpoint.Source
}

// NewModel joins an encoder with heads: those in src (tensors as in [Heads]), or fresh ones when src is nil.
func NewModel(e *mert.Encoder, src checkpoint.Source, t *Teacher, obj Objective, seed uint64) (*Model, error) {
	books, entries := t.Codebooks()
	h := newHeads(headSizes{hidden: e.Config().HiddenSize, books: books, size: entries, dim: obj.CodebookDim, bins: t.Bins()}, seed)
	if src != nil {
		if err := h.set(src); err != nil {
			return nil, err
		}
	}
	source, err := checkpoint.Union(e, checkpoint.Prefix(h, headPrefix))
	if err != nil {
		return nil, err
	}
	return &Model{Encoder: e, Heads: h, obj: obj, teacher: t, source: source}, nil
}

// OpenModel reads a directory that Train wrote: the encoder and its heads.
func OpenModel(dir string, t *Teacher, obj Objective) (*Model, error) {
	e, err := mert.Open(dir)
	if err != nil {
		return nil, err
	}
	heads, err := checkpoint.Open(filepath.Join(dir, headsFile))
	if err != nil {
		return nil, fmt.Errorf("%s: the pre-training heads: %w", dir, err)
	}
	defer heads.Close()
	m, err := NewModel(e, heads, t, obj, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return m, nil
}

// Tensors and Read make the model a checkpoint.Source.
func (m *Model) Tensors() []checkpoint.Info { return m.source.Tensors() }

func (m *Model) Read(name string, offset int, dst []float32) error {
	return m.source.Read(name, offset, dst)
}

// Params lists the trainable parameters: the encoder's under their Hugging Face names, the heads' under "pretrain.".
func (m *Model) Params() []optim.Param { return append(m.Encoder.Params(), m.Heads.params()...) }

// SetWeights reads encoder and heads from a Source with this model's names, in place.
func (m *Model) SetWeights(src checkpoint.Source) error {
	isHead := func(name string) bool { return strings.HasPrefix(name, headPrefix) }
	if err := m.Encoder.SetWeights(checkpoint.Select(src, func(name string) bool { return !isHead(name) })); err != nil {
		return err
	}
	return m.Heads.set(renamed{src, headPrefix})
}

// renamed shows the tensors of src whose names begin with prefix, without it.
type renamed struct {
	src    checkpoint.Source
	prefix string
}

func (r renamed) Tensors() []checkpoint.Info {
	var infos []checkpoint.Info
	for _, info := range r.src.Tensors() {
		if name, ok := strings.CutPrefix(info.Name, r.prefix); ok {
			info.Name = name
			infos = append(infos, info)
		}
	}
	return infos
}

func (r renamed) Read(name string, offset int, dst []float32) error {
	return r.src.Read(r.prefix+name, offset, dst)
}

// Freeze turns every gradient off: for models that are only read from.
func (m *Model) Freeze() {
	for _, p := range m.Params() {
		p.Value.SetRequiresGrad(false)
	}
}

// Parts are the pieces of one loss, in nats and squared units, before weighting.
type Parts struct {
	Loss           float64   `json:"loss"`     // the weighted sum that is minimised
	Codebooks      []float64 `json:"ce"`       // mean cross-entropy by codebook, nats
	Accuracy       []float64 `json:"accuracy"` // share of masked frames whose code is the likeliest, by codebook
	CQT            float64   `json:"cqt_mse"`  // mean squared error over masked frames and bins
	FeaturePenalty float64   `json:"feature_penalty"`
	Frames         int       `json:"masked_frames"`
}

// CE is the cross-entropy summed over codebooks.
func (p Parts) CE() float64 {
	sum := 0.0
	for _, v := range p.Codebooks {
		sum += v
	}
	return sum
}

// forward runs the objective on a batch. The returned tensor is the scalar loss times scale; parts are read from values.
func (m *Model) forward(b *batch, train bool, seed uint64, scale float32) (mat.Tensor, Parts, error) {
	out, err := m.Encoder.Forward(mert.Input{Samples: b.samples, Clips: b.clips, Mask: b.mask, Extra: b.extra, Train: train, Seed: seed,
		FeatureGradMult: float32(m.obj.FeatureGradMult)})
	if err != nil {
		return nil, Parts{}, err
	}
	last := out.Hidden[len(out.Hidden)-1]
	books, entries := m.teacher.Codebooks()
	sizes := make([]int, books)
	for i := range sizes {
		sizes[i] = entries
	}
	codes, stats := op.CodebookLoss(op.Linear(last, m.Heads.projection, m.Heads.projectionBias, op.None), m.Heads.embeddings, sizes,
		b.rows, b.codes, float32(m.obj.Temperature))
	spectrum := op.MaskedMSE(op.Linear(last, m.Heads.spectrum, m.Heads.spectrumBias, op.None), b.spectrum, b.rows)
	penalty := op.MeanSquare(out.Conv)
	loss := op.WeightedSum([]float32{scale * float32(m.obj.CodebookWeight), scale * float32(m.obj.CQTWeight), scale * float32(m.obj.FeaturePenalty)},
		codes, spectrum, penalty)
	p := Parts{Codebooks: stats.Loss, Accuracy: make([]float64, books), CQT: scalar(spectrum), FeaturePenalty: scalar(penalty), Frames: len(b.rows)}
	for i, n := range stats.Correct {
		p.Accuracy[i] = float64(n) / float64(len(b.rows))
	}
	p.Loss = m.obj.CodebookWeight*p.CE() + m.obj.CQTWeight*p.CQT + m.obj.FeaturePenalty*p.FeaturePenalty
	return loss, p, nil
}

func scalar(t mat.Tensor) float64 { return t.Value().Item().F64() }

// Write stores the encoder as a model directory, with the heads and the given files beside it. scratch is a folder for the
// heads' file while it is made.
func (m *Model) Write(ctx context.Context, dir, scratch string, opts checkpoint.WriteOptions) error {
	path := filepath.Join(scratch, headsFile)
	if err := checkpoint.Write(ctx, path, m.Heads, checkpoint.WriteOptions{Metadata: opts.Metadata, Force: true}); err != nil {
		return err
	}
	defer os.Remove(path)
	heads, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	opts.SideFiles = append(append(m.Encoder.SideFiles(), opts.SideFiles...), checkpoint.SideFile{Name: headsFile, Data: heads})
	return checkpoint.Write(ctx, dir, m.Encoder, opts)
}
