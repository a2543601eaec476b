"""Writes the goldens of this directory with transformers' EncodecModel.

    python make_encodec.py [DIR]        # DIR: this file's folder

Written with torch 2.13.0 (CPU), transformers 5.24.0, safetensors 0.8.0. Each case is CASE.json, a config.json, and in
goldens.safetensors, for recordings of N samples,

    CASE.N.codes        [codebooks, frames]   what EncodecModel.encode gives at the highest bandwidth
    CASE.N.embedding    [frames, hidden]      what goes into the quantiser (small cases)

No weights are stored. Weights and samples are a formula of name and place, which golden_test.go computes as well, exactly:
element i of NAME is scale * (h / 2^23 - 1), where h is the upper 24 bits of murmur3's 32-bit finaliser of crc32(NAME) + i *
2654435761, and the scale is a power of two by the kind of tensor. The seed is the text SEED, put before each name.
"""
import json
import pathlib
import sys
import zlib

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import EncodecConfig, EncodecModel

SEED = "encodec-20261125:"
SCALES = {  # by the end of the name
    "bias": -3, "original0": 0, "original1": 0, "codebook.embed": 2, "samples": -2,
    "weight_ih_l0": -4, "weight_hh_l0": -4, "weight_ih_l1": -4, "weight_hh_l1": -4,
    "bias_ih_l0": -3, "bias_hh_l0": -3, "bias_ih_l1": -3, "bias_hh_l1": -3,
}
CASES = {
    # every option at another value than encodec_24khz: dilations, odd kernels, strides of three and five
    "dilated": (dict(
        target_bandwidths=[8.0, 19.2], num_filters=4, upsampling_ratios=[5, 3], num_residual_layers=3, kernel_size=5,
        last_kernel_size=4, residual_kernel_size=4, compress=1, hidden_size=6, codebook_size=16, num_lstm_layers=2),
        [1, 2, 3, 14, 15, 16, 31, 1000, 2003]),
    # no convolution beside the residual blocks, one stride, one LSTM layer
    "identity": (dict(
        target_bandwidths=[48.0], num_filters=6, upsampling_ratios=[4], num_residual_layers=2, dilation_growth_rate=3,
        hidden_size=5, codebook_size=8, num_lstm_layers=1, compress=3, use_conv_shortcut=False),
        [1, 7, 8, 9, 600, 1199]),
    # facebook/encodec_24khz: shorter than the reflections, and longer than two chunks of the stream
    "24khz": (dict(), [1, 700, 48321]),
}


def recipe(name, shape):
    scale = next(s for end, s in SCALES.items() if name.endswith(end))
    h = np.arange(np.prod(shape), dtype=np.uint32) * np.uint32(2654435761) + np.uint32(zlib.crc32((SEED + name).encode()))
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    values = (h >> np.uint32(8)).astype(np.float32) / np.float32(2**23) - np.float32(1)
    if name.endswith("original0"):
        values = np.float32(1.5) + values * np.float32(0.5)
    return torch.from_numpy((values * np.float32(2.0**scale)).reshape(shape))


def main(folder):
    out = {}
    for case, (options, lengths) in CASES.items():
        config = EncodecConfig(**options)
        model = EncodecModel(config).eval()
        state = model.state_dict()
        for name, value in state.items():
            if name.startswith("encoder.") or name.endswith("codebook.embed"):
                value.copy_(recipe(f"{case}:{name}", value.shape))
        model.load_state_dict(state)
        document = {k: v for k, v in config.to_dict().items() if not k.startswith("_") and k != "transformers_version"}
        (folder / f"{case}.json").write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
        for n in lengths:
            x = recipe(f"{case}:{n}:samples", (1, 1, n))
            with torch.no_grad():
                embedding = model.encoder(x)
                codes = model.encode(x, bandwidth=config.target_bandwidths[-1]).audio_codes[0, 0]
            out[f"{case}.{n}.codes"] = codes.numpy().astype(np.int16)
            if config.hidden_size < 10:
                out[f"{case}.{n}.embedding"] = np.ascontiguousarray(embedding[0].T.numpy())
            e = embedding.numpy()
            print(case, n, tuple(codes.shape), "embedding rms", float(np.sqrt((e**2).mean())), "std over time", float(e.std(-1).mean()),
                  "distinct codes", [len(np.unique(c)) for c in codes.numpy()[:8]])
    save_file(out, folder / "goldens.safetensors")


main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent)
