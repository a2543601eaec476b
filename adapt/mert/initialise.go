package mert

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// fill says how a fresh tensor is drawn: a kind and its scale.
type fill struct {
	kind  fillKind
	scale float64
}

type fillKind int

const (
	constantKind fillKind = iota // scale itself
	normalKind                   // N(0, scale)
	centredKind                  // N(0, scale), then each filter less its mean
	uniformKind                  // U(-scale, scale)
	unitKind                     // U[0, 1)
	gainKind                     // the norms of the tensor named beside it, one a tap
)

var (
	zeroFill = fill{constantKind, 0}
	oneFill  = fill{constantKind, 1}
	unitFill = fill{kind: unitKind}
	gainFill = fill{kind: gainKind}
)

// convFill is Kaiming's normal initialisation with gain √2: standard deviation √(2 / fan-in).
func (c Config) convFill(layer int) fill {
	in := 1
	if layer > 0 {
		in = c.ConvDim[layer-1]
	}
	f := fill{normalKind, math.Sqrt(2 / float64(in*c.ConvKernel[layer]))}
	if c.CentredConvInit && layer > 0 {
		f.kind = centredKind
	}
	return f
}

// directionFill is fairseq's for the positional convolution: standard deviation √(4 / (taps · channels)).
func (c Config) directionFill() fill {
	return fill{normalKind, math.Sqrt(4 / float64(c.NumConvPosEmbeddings*c.HiddenSize))}
}

// fanInFill is torch.nn.Linear's own default, for weights and biases alike.
func fanInFill(in int) fill {
	return fill{uniformKind, 1 / math.Sqrt(float64(in))}
}

// initialise draws a tensor. The stream depends on the seed and the tensor's name alone, so encoders that share a
// tensor's name and shape share its values, whatever else differs.
func (w weight) initialise(dst []float32, seed uint64) {
	h := fnv.New64a()
	h.Write([]byte(w.name))
	rng := rand.New(rand.NewPCG(seed, h.Sum64()))
	switch w.fill.kind {
	case constantKind:
		for i := range dst {
			dst[i] = float32(w.fill.scale)
		}
	case normalKind, centredKind:
		for i := range dst {
			dst[i] = float32(rng.NormFloat64() * w.fill.scale)
		}
	case uniformKind:
		for i := range dst {
			dst[i] = float32((2*rng.Float64() - 1) * w.fill.scale)
		}
	case unitKind:
		for i := range dst {
			dst[i] = rng.Float32()
		}
	}
	if w.fill.kind == centredKind {
		size := len(dst) / w.shape[0]
		for i := 0; i < len(dst); i += size {
			centre(dst[i : i+size])
		}
	}
}

// centre subtracts the mean.
func centre(x []float32) {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean := float32(sum / float64(len(x)))
	for i := range x {
		x[i] -= mean
	}
}

// tapNorms sets gain[k] to the norm of direction[..][k] over all its channels, so that the weight norm starts out as
// the identity: w = gain·v/|v| = v.
func tapNorms(gain, direction []float32) {
	sums := make([]float64, len(gain))
	for i, v := range direction {
		sums[i%len(gain)] += float64(v) * float64(v)
	}
	for k, s := range sums {
		gain[k] = float32(math.Sqrt(s))
	}
}
