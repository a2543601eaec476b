package encodec

import "errors"

// ErrInvalid marks input that does not fit: weights with missing, unknown or mis-shaped tensors or values that are not
// finite, audio without samples or with such values, a number of codebooks that the model does not have.
var ErrInvalid = errors.New("invalid EnCodec input")

// Encoder is an EnCodec encoder and its quantiser with their weights in memory: about 60 MiB for encodec_24khz. It never
// changes and is safe for concurrent use.
type Encoder struct {
	cfg   Config
	hash  string
	front front
	down  activated // the last strided convolution: its weights are more than half of the front's, so it takes a whole chunk at once
	lstm  []*lstmLayer
	last  activated
	books []*codebook
}

// Config returns the encoder's configuration.
func (e *Encoder) Config() Config { return e.cfg }

// Hash names what the codes depend on: the SHA-256, in hex, of [checkpoint.Hash] over the tensors read, as float32 under
// transformers' present names. The file's container, its spelling of weight norm and the decoder do not count.
func (e *Encoder) Hash() string { return e.hash }

// assemble builds the encoder layer by layer, as transformers numbers them, with weights from v.
func assemble(cfg Config, v vars) *Encoder {
	e := &Encoder{cfg: cfg}
	number := 0
	next := func() vars {
		number++
		return v.in("encoder.layers.%d", number-1)
	}
	dim := cfg.NumFilters
	e.front = front{newConv(next(), 1, dim, cfg.KernelSize, 1, 1)}
	strides := cfg.strides()
	for i, stride := range strides {
		dilation := 1
		for range cfg.NumResidualLayers {
			e.front = append(e.front, newResidual(next(), cfg, dim, dilation))
			dilation *= cfg.DilationGrowthRate
		}
		next() // ELU
		down := activated{newConv(next(), dim, 2*dim, 2*stride, stride, 1)}
		if i < len(strides)-1 {
			e.front = append(e.front, down)
		} else {
			e.down = down
		}
		dim *= 2
	}
	lstm := next().in("lstm")
	for i := range cfg.NumLSTMLayers {
		e.lstm = append(e.lstm, newLSTMLayer(lstm, i, dim))
	}
	next() // ELU
	e.last = activated{newConv(next(), dim, cfg.HiddenSize, cfg.LastKernelSize, 1, 1)}
	for i := range cfg.Codebooks() {
		e.books = append(e.books, newCodebook(v.in("quantizer.layers.%d", i), cfg.CodebookSize, cfg.HiddenSize))
	}
	return e
}
