package mert

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/cqt"
	"syncretic/adapt/op"
	"syncretic/adapt/optim"
	"syncretic/checkpoint"
)

// ErrInvalid marks input that does not fit: weights with missing, extra or mis-shaped tensors, a malformed
// preprocessor_config.json, audio too short for a frame.
var ErrInvalid = errors.New("invalid encoder input")

// Encoder is a MERT encoder with its weights in memory, 4 bytes a weight, and as much again from the first inference on. It is a [checkpoint.Source] whose tensors
// have transformers' names and are F32. Its inference methods are safe for concurrent use, as long as nothing updates
// the weights meanwhile.
type Encoder struct {
	cfg        Config
	prep       preprocessor
	code       []checkpoint.SideFile // the *.py of the directory that Open read
	table      []weight              // sorted by name
	data       [][]float32           // by table row; shared by params and eval
	params     []optim.Param         // by table row
	train      *model                // over params
	eval       atomic.Pointer[model] // over constants: frozen ones, with their packed forms, unless Params has been called
	trained    atomic.Bool
	frozen     []*op.Frozen // by table row: what eval has; nil once trained
	versions   []string     // by table row: checkpoint.Versioned's of the values that data has, "" where that is not known
	reuse      reuse
	transform  *cqt.Transform // nil unless the config concatenates a CQT
	rowsByName map[string]int
}

// New draws an encoder with fresh weights, as MERT's pre-training starts: Kaiming normal convolutions, N(0,
// initializer_range) transformer weights, torch's default in the feature projection, norms of ones and zeros. The same
// seed gives the same weights on every machine. Errors are [ErrConfig].
func New(cfg Config, seed uint64) (*Encoder, error) {
	e, err := allocate(cfg)
	if err != nil {
		return nil, err
	}
	_ = each(len(e.table), func(i int) error { // which never fails
		e.table[i].initialise(e.data[i], seed)
		return nil
	})
	tapNorms(e.weight("encoder.pos_conv_embed.conv."+gainName), e.weight("encoder.pos_conv_embed.conv."+directionName))
	return e, nil
}

// allocate builds an encoder whose weights are zero.
func allocate(cfg Config) (*Encoder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &Encoder{cfg: cfg.clone(), prep: defaultPreprocessor(cfg), table: cfg.weights(), rowsByName: map[string]int{}}
	if cfg.FeatureExtractorCQT {
		var err error
		if e.transform, err = cqt.New(cfg.cqtConfig()); err != nil {
			return nil, fmt.Errorf("%w: feature_extractor_cqt: %w", ErrConfig, err)
		}
	}
	for i, w := range e.table {
		values := make([]float32, w.elements())
		rows, cols := w.matrix()
		e.data = append(e.data, values)
		e.params = append(e.params, optim.Param{Name: w.name, Value: op.Param(rows, cols, values)})
		e.rowsByName[w.name] = i
	}
	e.train = e.wire(func(i, rows, cols int) mat.Tensor { return e.params[i].Value })
	e.frozen, e.versions = make([]*op.Frozen, len(e.table)), make([]string, len(e.table))
	e.thaw(func(int) bool { return true })
	return e, nil
}

// Config is the encoder's configuration.
func (e *Encoder) Config() Config { return e.cfg.clone() }

// Params lists the weights as parameters, sorted by name. They share the encoder's memory: an optimiser that updates
// them updates the encoder, and SetWeights is seen through them. Freeze one with SetRequiresGrad(false).
//
// From then on the encoder keeps no packed forms of its weights, for they would not follow; inference is a little slower.
func (e *Encoder) Params() []optim.Param {
	if !e.trained.Swap(true) {
		e.frozen, e.versions = nil, nil
		e.reuse.forget()
		e.eval.Store(e.wire(func(i, rows, cols int) mat.Tensor { return op.Tensor(rows, cols, e.data[i]) }))
	}
	return slices.Clone(e.params)
}

// Frames is [Config.Frames]: 75 a second less one for MERT at 24 kHz, 374 for 5 s.
func (e *Encoder) Frames(samples int) int { return e.cfg.Frames(samples) }

// Tensors lists the weights, sorted by name.
func (e *Encoder) Tensors() []checkpoint.Info {
	infos := make([]checkpoint.Info, len(e.table))
	for i, w := range e.table {
		infos[i] = checkpoint.Info{Name: w.name, DType: checkpoint.F32, Shape: slices.Clone(w.shape)}
	}
	return infos
}

// Read copies elements [offset, offset+len(dst)) of the named weight.
func (e *Encoder) Read(name string, offset int, dst []float32) error {
	i, ok := e.rowsByName[name]
	if !ok {
		return fmt.Errorf("%w: no tensor %q in this encoder", ErrInvalid, name)
	}
	if offset < 0 || offset > len(e.data[i])-len(dst) {
		return fmt.Errorf("%w: tensor %q: elements %d to %d, want a range within 0 to %d",
			ErrInvalid, name, offset, offset+len(dst), len(e.data[i]))
	}
	copy(dst, e.data[i][offset:])
	return nil
}

// weight is the data of a tensor that the table has.
func (e *Encoder) weight(name string) []float32 { return e.data[e.rowsByName[name]] }

// each calls f(0) to f(n-1) on up to GOMAXPROCS goroutines and returns the error of the lowest index.
func each(n int, f func(int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				errs[i] = f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
