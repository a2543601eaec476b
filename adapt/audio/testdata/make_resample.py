"""Writes resample.json: bursts of tones, resampled to 24 kHz by soxr (VHQ) and by torchaudio's default, as float32 in base64.

Run in this folder: python make_resample.py. Versions are written into resample.json; nothing is random. The test computes the same
bursts: x[n] = sin²(π(n+0.5)/N) · Σ_k 0.2·sin(2π·f_k·n/rate + k), in band for soxr, with tones above 12 kHz as well for torchaudio.
"""
import base64
import json
import sys

import numpy as np
import soxr
import torch
import torchaudio
from torchaudio.functional.functional import _apply_sinc_resample_kernel, _get_sinc_resample_kernel

SECONDS = 0.02
IN_BAND = [97.0, 1234.5, 3000.0, 5210.0]
BEYOND = [11500.0, 13000.0, 17000.0]
RATES = [8000, 16000, 22050, 44056, 44100, 48000, 96000]


def burst(rate, tones):
    n = np.arange(round(rate * SECONDS))
    w = np.sin(np.pi * (n + 0.5) / len(n)) ** 2
    return w * sum(0.2 * np.sin(2 * np.pi * f * n / rate + k) for k, f in enumerate(tones))


def torchaudio_default(x, rate):
    gcd = int(np.gcd(rate, 24000))
    args = rate, 24000, gcd
    kernel, width = _get_sinc_resample_kernel(*args, 6, 0.99, "sinc_interp_hann", None, torch.device("cpu"), torch.float64)
    y = _apply_sinc_resample_kernel(torch.from_numpy(x)[None], *args, kernel, width)[0].numpy()
    near = torchaudio.transforms.Resample(rate, 24000)(torch.from_numpy(x.astype(np.float32))[None])[0].numpy()
    # the public call, which computes where its samples lie in float32: the odder the ratio, the further off
    assert len(near) == len(y) and np.abs(near - y).max() < (3e-5 if rate == 44056 else 3e-6)
    return y


def pack(y):
    return base64.b64encode(y.astype("<f4").tobytes()).decode()


cases = []
for rate in RATES:
    tones = [f for f in IN_BAND if f < 0.44 * rate]
    x = burst(rate, tones)
    pad = rate // 5  # soxr takes the stream to begin and end with it; so do we, once there is silence
    y = soxr.resample(np.concatenate([np.zeros(pad), x, np.zeros(pad)]), rate, 24000, "VHQ")
    at = pad * 24000 / rate
    case = {"rate": rate, "tones": tones, "beyond": [f for f in tones + BEYOND if f < rate / 2]}
    if at == int(at):
        case["soxr"] = pack(y[int(at):int(at) + int(np.ceil(len(x) * 24000 / rate))])
    case["torchaudio"] = pack(torchaudio_default(burst(rate, case["beyond"]), rate))
    cases.append(case)

json.dump({"script": "make_resample.py", "soxr": soxr.__version__, "libsoxr": soxr.__libsoxr_version__, "torchaudio": torchaudio.__version__,
           "torch": torch.__version__, "numpy": np.__version__, "python": sys.version.split()[0], "seconds": SECONDS, "cases": cases},
          open("resample.json", "w"), separators=(",", ":"))
