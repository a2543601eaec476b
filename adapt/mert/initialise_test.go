package mert

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// TestInitialisation: the law of every kind of tensor in a wider encoder, by its sample mean and deviation.
func TestInitialisation(t *testing.T) {
	c := tiny()
	c.HiddenSize, c.IntermediateSize, c.ConvDim = 64, 128, []int{64, 64, 64}
	e, err := New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name          string
		mean, std     float64
		least, beyond float64 // all values lie in [least, beyond]
	}{
		{"feature_extractor.conv_layers.0.conv.weight", 0, math.Sqrt(2.0 / 10), -2, 2},
		{"feature_extractor.conv_layers.1.conv.weight", 0, math.Sqrt(2.0 / (64 * 3)), -1, 1},
		{"feature_extractor.conv_layers.0.layer_norm.weight", 1, 0, 1, 1},
		{"feature_projection.projection.weight", 0, 1 / math.Sqrt(3*64), -0.125, 0.125},
		{"feature_projection.projection.bias", 0, 1 / math.Sqrt(3*64), -0.125, 0.125},
		{"masked_spec_embed", 0.5, 1 / math.Sqrt(12), 0, 1},
		{"encoder.layers.0.attention.k_proj.weight", 0, 0.02, -0.2, 0.2},
		{"encoder.layers.2.feed_forward.output_dense.weight", 0, 0.02, -0.2, 0.2},
		{"encoder.layers.1.attention.k_proj.bias", 0, 0, 0, 0},
		{"encoder.pos_conv_embed.conv.bias", 0, 0, 0, 0},
		{"encoder.pos_conv_embed.conv.parametrizations.weight.original1", 0, math.Sqrt(4.0 / (8 * 64)), -1, 1},
	}
	for _, c := range cases {
		x := e.weight(c.name)
		sum, squares := 0.0, 0.0
		for _, v := range x {
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
		n := float64(len(x))
		mean := sum / n
		std := math.Sqrt(max(squares/n-mean*mean, 0))
		// Five standard errors of the mean and of the deviation; exact for constants.
		if math.Abs(mean-c.mean) > 5*c.std/math.Sqrt(n) || math.Abs(std-c.std) > 5*c.std/math.Sqrt(n) {
			t.Errorf("%s: mean %.4g and deviation %.4g of %d values, want %.4g and %.4g", c.name, mean, std, len(x), c.mean, c.std)
		}
		if float64(slices.Min(x)) < c.least || float64(slices.Max(x)) > c.beyond {
			t.Errorf("%s: values from %g to %g, want %g to %g", c.name, slices.Min(x), slices.Max(x), c.least, c.beyond)
		}
	}
}

// TestPositionalConvolutionStartsUnscaled: the gain is the norm of the direction, so the weight norm does nothing yet.
func TestPositionalConvolutionStartsUnscaled(t *testing.T) {
	e := newTiny(t, 2)
	gain, direction := e.weight("encoder.pos_conv_embed.conv."+gainName), e.weight("encoder.pos_conv_embed.conv."+directionName)
	for k := range gain {
		norm := 0.0
		for i := k; i < len(direction); i += len(gain) {
			norm += float64(direction[i]) * float64(direction[i])
		}
		if math.Abs(float64(gain[k])-math.Sqrt(norm)) > 1e-7 {
			t.Errorf("tap %d: gain %g, want %g", k, gain[k], math.Sqrt(norm))
		}
	}
}

func TestSeeds(t *testing.T) {
	sameWeights(t, newTiny(t, 5), newTiny(t, 5))
	a, b := newTiny(t, 5), newTiny(t, 6)
	for i, w := range a.table {
		if w.fill.kind != constantKind && slices.Equal(a.data[i], b.data[i]) {
			t.Errorf("%s does not depend on the seed", w.name)
		}
	}
	q, k := a.weight("encoder.layers.0.attention.q_proj.weight"), a.weight("encoder.layers.0.attention.k_proj.weight")
	if slices.Equal(q, k) {
		t.Error("two tensors of one shape are the same")
	}
	deep := tiny()
	deep.NumHiddenLayers++
	e, err := New(deep, 5)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range a.table {
		if !slices.Equal(a.data[i], e.weight(w.name)) {
			t.Errorf("%s depends on the number of layers", w.name)
		}
	}
}

func TestCentredConvInit(t *testing.T) {
	c := tiny()
	c.CentredConvInit = true
	e, err := New(c, 5)
	if err != nil {
		t.Fatal(err)
	}
	plain := newTiny(t, 5)
	for i, w := range e.table {
		if !strings.HasPrefix(w.name, "feature_extractor.") || !strings.HasSuffix(w.name, "conv.weight") {
			continue
		}
		if strings.Contains(w.name, "conv_layers.0.") {
			if !slices.Equal(e.data[i], plain.data[i]) {
				t.Errorf("%s changed: only layers from 1 are centred", w.name)
			}
			continue
		}
		size := w.elements() / w.shape[0]
		for f := range w.shape[0] {
			sum := 0.0
			for _, v := range e.data[i][f*size : (f+1)*size] {
				sum += float64(v)
			}
			if math.Abs(sum) > 1e-5 {
				t.Errorf("%s: filter %d sums to %g, want 0", w.name, f, sum)
			}
		}
	}
}
