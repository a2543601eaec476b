package mergekit

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"syncretic/checkpoint"
)

// Stack is a run of layers of a model: its tensors are named prefix.NUMBER.rest, with numbers from 0.
type Stack struct {
	Prefix string // `model.layers`
	Layers int
}

// layerKeys are the keys of config.json that hold the number of layers.
var layerKeys = []string{"num_hidden_layers", "n_layer", "num_layers", "n_layers", "encoder_layers", "decoder_layers", "depth"}

// Stacks finds the stacks of layers that gradients and slices mean. A candidate is any place in the names where every number
// from 0 up stands. Where config.json gives the number of layers, the candidates with that number are the stacks; otherwise,
// or where none has it, the one with the most tensors is. Candidates inside of a layer (experts) do not count.
func Stacks(infos []checkpoint.Info, config []byte) []Stack {
	type candidate struct {
		numbers map[int]bool
		tensors int
	}
	found := make(map[string]*candidate)
	for _, info := range infos {
		if prefix, n, _, ok := outermost(info.Name); ok {
			c := found[prefix]
			if c == nil {
				c = &candidate{numbers: make(map[int]bool)}
				found[prefix] = c
			}
			c.numbers[n] = true
			c.tensors++
		}
	}
	depths := configured(config)
	var best Stack
	var most int
	var stacks []Stack
	for _, prefix := range sorted(found) {
		c := found[prefix]
		complete := true
		for i := range len(c.numbers) {
			complete = complete && c.numbers[i]
		}
		if !complete {
			continue
		}
		s := Stack{prefix, len(c.numbers)}
		if slices.Contains(depths, s.Layers) {
			stacks = append(stacks, s)
		}
		if c.tensors > most {
			best, most = s, c.tensors
		}
	}
	switch {
	case len(stacks) > 0:
		return stacks
	case most > 0:
		return []Stack{best}
	}
	return nil
}

// outermost takes a name apart at its first number.
func outermost(name string) (prefix string, n int, rest string, ok bool) {
	for at := 0; ; {
		dot := strings.IndexByte(name[at:], '.')
		word := name[at:]
		if dot >= 0 {
			word = name[at : at+dot]
		}
		if n, err := strconv.ParseUint(word, 10, 31); err == nil && at > 0 && (word == "0" || word[0] != '0') {
			return name[:at-1], int(n), name[at+len(word):], true
		}
		if dot < 0 {
			return "", 0, "", false
		}
		at += dot + 1
	}
}

// configured lists the numbers of layers that config.json gives, its own first, then those of the parts of a composed model.
func configured(config []byte) (depths []int) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(config, &fields) != nil {
		return nil
	}
	for _, key := range layerKeys {
		var n int
		if json.Unmarshal(fields[key], &n) == nil && n > 0 {
			depths = append(depths, n)
		}
	}
	for _, key := range sorted(fields) {
		if strings.HasSuffix(key, "_config") {
			depths = append(depths, configured(fields[key])...)
		}
	}
	return depths
}

// Behind tells a tensor that stands behind the layers (the final norm, the head) from those before them. In a recipe that matters
// only where the first and the last slice have other sources.
func Behind(name string) bool {
	for _, part := range strings.Split(name, ".") {
		switch part {
		case "lm_head", "norm", "final_norm", "ln_f", "norm_f", "final_layer_norm", "final_layernorm", "score", "classifier", "embed_out",
			"output", "head", "heads", "pooler", "ln_final":
			return true
		}
	}
	return false
}
