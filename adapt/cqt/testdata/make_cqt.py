"""Writes cqt.json: magnitudes by nnAudio, the peer that package cqt is tested against.

Run in this folder: python make_cqt.py. The versions used are written into the file.

The clip is made of integers, so that Go has the same samples bit for bit: a 64-bit linear congruential generator,
x' = x*6364136223846793005 + 1442695040888963407 (mod 2^64), whose top 16 bits minus 32768, over 65536, are the noise;
the seed of each case is x_0 and the first sample comes from x_1. Only some bins are kept, to keep the file small.
"""
import json
import sys

import numpy as np
import torch
import nnAudio
from nnAudio.features.cqt import CQT1992v2

CASES = [
    # name, seed, samples, fmin, bins, bins per octave, keep every
    ("mert", 1, 12000, 32.7, 336, 48, 7),
    ("mert odd length", 2, 7777, 32.7, 336, 48, 13),
    ("small without a cap", 3, 12000, 65.4, 144, 24, 5),
]


def clip(seed, n):
    out, x = np.empty(n), seed
    for i in range(n):
        x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
        out[i] = ((x >> 48) - 32768) / 65536
    return out.astype(np.float32)


cases = []
for name, seed, samples, fmin, bins, per_octave, every in CASES:
    layer = CQT1992v2(sr=24000, hop_length=320, fmin=fmin, fmax=None, n_bins=bins, bins_per_octave=per_octave,
                      filter_scale=1, norm=1, window="hann", center=True, pad_mode="constant", trainable=False,
                      output_format="Magnitude", verbose=False)
    with torch.no_grad():
        c = layer(torch.from_numpy(clip(seed, samples)))[0].T.numpy()  # [frames][bins]
    cases.append({
        "name": name, "seed": seed, "samples": samples, "fmin": fmin, "bins": bins, "bins_per_octave": per_octave,
        "every": every, "lengths": [int(v) for v in layer.lenghts[::every]], "frames": c.shape[0],
        "max": float(c.max()), "magnitudes": [[float(f"{v:.8g}") for v in row] for row in c[:, ::every]],
    })

json.dump({
    "script": "make_cqt.py", "nnAudio": nnAudio.__version__, "torch": torch.__version__, "numpy": np.__version__,
    "python": sys.version.split()[0], "cases": cases,
}, open("cqt.json", "w"), separators=(",", ":"))
