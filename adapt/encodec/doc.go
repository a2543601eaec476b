// Package encodec turns 24 kHz recordings into the discrete tokens of EnCodec: 75 frames a second, one code for each
// codebook of a residual vector quantiser. They are what MERT learns to predict behind its masks.
//
//	enc, err := encodec.Open("encodec_24khz")                        // a Hugging Face model directory
//	codes, err := enc.Encode(ctx, samples, 8)                        // a clip in memory: [codebook][frame]
//	codes, err := enc.EncodeFrom(ctx, file, file.Frames, encodec.Options{Codebooks: 8}) // a recording of any length
//
// Where to start:
//
//   - [Open] reads a directory as transformers holds facebook/encodec_24khz; [Load] reads any [checkpoint.Source]. Only
//     the encoder and the codebooks are read: the decoder's tensors are passed over.
//   - [Encoder.EncodeFrom] streams: memory does not grow with the recording, but for the codes themselves.
//   - [Config] says what is supported: causal convolutions with weight norm and reflected edges, of any sizes.
//
// # Scheme
//
// The encoder is SEANet (Défossez et al., High Fidelity Neural Audio Compression, arXiv 2210.13438, section 3.1): strided
// causal convolutions with residual blocks between them, then an LSTM with a skip, then one more convolution.
//
//	samples ─▶ conv ─▶ (residual block, strided conv)… ─▶ LSTM layer… ─▶ skip, conv, quantiser ─▶ codes
//	           └── pieces of frames, on all cores ────┘   └ one core each ┘ └──── one core ────┘
//
// A recording passes through in chunks, and each part of the line works on another chunk at the same time. The
// convolutions look back on 1.5 frames only, so a piece of a chunk is computed from its own samples and those few before
// it, and no state passes between pieces. The LSTM's state and the last convolution's tail pass from chunk to chunk.
// Every value is computed by the same operations in the same order wherever the cuts are, so codes do not depend on
// chunks or on GOMAXPROCS: those of a stream are those of the whole recording at once, bit for bit.
//
// Matrices are row-major and time-major, [time][channels]. Samples are float32 in [-1, 1] at [Config.SamplingRate] Hz.
// The arithmetic is that of transformers' EncodecModel, against which testdata holds codes.
package encodec
