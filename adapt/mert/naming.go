package mert

import (
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// naming is how a source spells the encoder's tensors: transformers' way, bare or under a prefix as task heads write
// them, or as fairseq does in the training checkpoints of MERT.
type naming struct {
	prefix  string
	fairseq bool
}

// namingOf recognises the naming of a source. Of the prefixes the first counts under which any name fits.
func namingOf(table []weight, infos []checkpoint.Info) naming {
	if isTraining(infos) {
		return naming{fairseq: true}
	}
	present := make(map[string]bool, len(infos))
	for _, info := range infos {
		present[info.Name] = true
	}
	for _, prefix := range []string{"", "hubert.", "model."} {
		n := naming{prefix: prefix}
		if slices.ContainsFunc(table, func(w weight) bool {
			return slices.ContainsFunc(n.spellings(w.name), func(name string) bool { return present[name] })
		}) {
			return n
		}
	}
	return naming{}
}

// isTraining tells a training checkpoint by the name of the positional convolution, which every one has.
func isTraining(infos []checkpoint.Info) bool {
	return slices.ContainsFunc(infos, func(info checkpoint.Info) bool { return strings.HasPrefix(info.Name, fairseqPosition) })
}

// spellings are the names that a source may give a tensor of the table, the usual one first.
func (n naming) spellings(name string) []string {
	if n.fairseq {
		return fairseqNames(name)
	}
	return bothNorms(n.prefix + name)
}

// bothNorms adds the old spelling of a weight norm to the new.
func bothNorms(name string) []string {
	if base, ok := strings.CutSuffix(name, gainName); ok {
		return []string{name, base + oldGainName}
	}
	if base, ok := strings.CutSuffix(name, directionName); ok {
		return []string{name, base + oldDirectionName}
	}
	return []string{name}
}

const (
	convLayers      = "feature_extractor.conv_layers."
	fairseqPosition = "encoder.pos_conv.0."
)

// fairseqNames are the names in a training checkpoint: the map of MERT's own conversion script, the other way round.
func fairseqNames(name string) []string {
	if layer, ok := strings.CutPrefix(name, convLayers); ok {
		layer = strings.Replace(layer, ".conv.", ".0.", 1)
		if of, end, ok := strings.Cut(layer, ".layer_norm."); ok {
			return []string{convLayers + of + ".2." + end, convLayers + of + ".2.1." + end} // group and layer norm
		}
		return []string{convLayers + layer}
	}
	if name == "masked_spec_embed" {
		return []string{"mask_emb"}
	}
	names := bothNorms(strings.NewReplacer(
		"feature_projection.layer_norm.", "layer_norm.",
		"feature_projection.projection.", "post_extract_proj.",
		"encoder.pos_conv_embed.conv.", fairseqPosition,
		"encoder.layer_norm.", "encoder.layer_norm.",
		".attention.", ".self_attn.",
		".layer_norm.", ".self_attn_layer_norm.",
		".feed_forward.intermediate_dense.", ".fc1.",
		".feed_forward.output_dense.", ".fc2.",
	).Replace(name))
	slices.Reverse(names) // fairseq's own are the old ones
	return names
}

// beside tells names that a source may have next to the encoder's: in a training checkpoint what pre-training alone
// needs, among it the constant kernels of its spectra.
func (n naming) beside(name string) bool {
	return n.fairseq && slices.ContainsFunc([]string{
		"final_proj.", "final_projs.", "label_embs_concat", "target_glu.", "logit_temp_list",
		"encoder_cqt_model.", "encoder_mel_model.", "feature_extractor_cqt.",
	}, func(start string) bool { return strings.HasPrefix(name, start) })
}
