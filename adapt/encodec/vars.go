package encodec

import (
	"fmt"
	"strings"
)

// vars hands a layer its weights, by name within the layer's own prefix. Building the model twice with different get, once
// to list names and shapes and once to read, leaves no second place that states either.
type vars struct {
	prefix string
	get    func(name string, shape []int) []float32 // nil in the dry run that lists
}

func (v vars) in(format string, args ...any) vars {
	v.prefix += fmt.Sprintf(format, args...) + "."
	return v
}

func (v vars) tensor(name string, shape ...int) []float32 { return v.get(v.prefix+name, shape) }

// weight is a tensor that the encoder needs, by transformers' name.
type weight struct {
	name  string
	shape []int
}

// weights lists every tensor that an encoder of this configuration needs.
func (c Config) weights() []weight {
	var table []weight
	assemble(c, vars{get: func(name string, shape []int) []float32 {
		table = append(table, weight{name, shape})
		return nil
	}})
	return table
}

// The two spellings of weight norm: the first is what torch has written since 2.1, the second is in the released files.
const (
	gainName, directionName       = "parametrizations.weight.original0", "parametrizations.weight.original1"
	oldGainName, oldDirectionName = "weight_g", "weight_v"
)

// canonical turns the old spelling of weight norm into the new one.
func canonical(name string) string {
	if base, ok := strings.CutSuffix(name, ".conv."+oldGainName); ok {
		return base + ".conv." + gainName
	}
	if base, ok := strings.CutSuffix(name, ".conv."+oldDirectionName); ok {
		return base + ".conv." + directionName
	}
	return name
}

// unused reports whether a tensor of an EnCodec model has no part in encoding: the decoder, and what the codebooks keep for
// training.
func unused(name string) bool {
	if strings.HasPrefix(name, "decoder.") {
		return true
	}
	if !strings.HasPrefix(name, "quantizer.layers.") {
		return false
	}
	for _, kept := range []string{".codebook.inited", ".codebook.cluster_size", ".codebook.embed_avg"} {
		if strings.HasSuffix(name, kept) {
			return true
		}
	}
	return false
}
