// Package mert is the MERT music encoder: a HuBERT-style stack of seven strided convolutions and twelve transformer
// layers that turns a 24 kHz waveform into 75 frames a second of 768 features, for any sizes that a config.json states.
//
// Where to start:
//
//   - [Open] reads a model directory as transformers and Hugging Face hold it, or MERT's training checkpoint; [Load]
//     reads any [checkpoint.Source], so a merge can go straight into an encoder without a file; [New] draws fresh weights.
//   - [Encoder.Features] and [Encoder.HiddenStates] are inference: no gradients, safe for concurrent use.
//   - [Encoder.Forward] builds the training graph over a batch; [Encoder.Params] are what an optimiser updates.
//   - An Encoder is itself a [checkpoint.Source]; with [Encoder.SideFiles] it is a whole model directory again.
//   - [Encoder.SetWeights] replaces the weights in place, which is how a sweep over scaling coefficients reuses one encoder; with
//     [Encoder.Reuse], features of audio seen before go on from where the weights have changed.
//
// Shapes: matrices are row-major and time-major, [clips*frames][channels], clip after clip. Samples are float32 in
// [-1, 1] at [Config.Rate] Hz. Hidden state 0 is the input of the first transformer layer and state i the output of
// layer i, as transformers counts them.
//
// References: Li et al., MERT (arXiv 2306.00107); Hsu et al., HuBERT (arXiv 2106.07447). The arithmetic is that of
// transformers' HubertModel, and of MERT's own code where that has more (relaxed attention, DeepNorm). testdata holds hidden
// states and gradients of the former, and of modules written from the definitions of the latter.
package mert
