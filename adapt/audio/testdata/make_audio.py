"""Writes the small recordings beside this script and audio.json, their samples as libsndfile reads them.

Run in this folder: python make_audio.py. The versions used and the seed are written into audio.json.
"""
import json
import sys

import numpy as np
import soundfile as sf

SEED, RATE = 20, 24000
# file, container, subtype, channels, frames
FILES = [
    ("pcm8_mono.wav", "WAV", "PCM_U8", 1, 201),
    ("pcm16_mono.wav", "WAV", "PCM_16", 1, 200),
    ("pcm16_stereo.wav", "WAV", "PCM_16", 2, 200),
    ("pcm24_three.wav", "WAV", "PCM_24", 3, 101),
    ("pcm32_stereo.wav", "WAV", "PCM_32", 2, 100),
    ("float_mono.wav", "WAV", "FLOAT", 1, 100),
    ("float_stereo.wav", "WAV", "FLOAT", 2, 100),
    ("extensible16_stereo.wav", "WAVEX", "PCM_16", 2, 100),
    ("extensible24_mono.wav", "WAVEX", "PCM_24", 1, 99),
    ("extensible_float.wav", "WAVEX", "FLOAT", 1, 100),
    ("flac16_mono.flac", "FLAC", "PCM_16", 1, 5000),
    ("flac16_stereo.flac", "FLAC", "PCM_16", 2, 5000),
    ("flac24_stereo.flac", "FLAC", "PCM_24", 2, 700),
    ("flac8_mono.flac", "FLAC", "PCM_S8", 1, 300),
]

rng = np.random.default_rng(SEED)
entries = []
for name, container, subtype, channels, frames in FILES:
    t = np.arange(frames)[:, None] / RATE
    tone = 0.4 * np.sin(2 * np.pi * 440 * (1 + np.arange(channels)) * t)
    x = np.clip(tone + 0.2 * rng.standard_normal((frames, channels)) * (t < 0.02), -1, 1)
    x[0], x[1] = 1.0, -1.0
    sf.write(name, x, RATE, subtype=subtype, format=container)
    back, rate = sf.read(name, dtype="float64", always_2d=True)
    assert rate == RATE and back.shape == (frames, channels)
    mono = back.mean(axis=1)
    entries.append({
        "file": name, "channels": channels, "frames": frames,
        # the first 100 samples and a weighted sum of all, which no two samples can swap places in
        "first": [float(f"{v:.9g}") for v in mono[:100]],
        "sum": float(np.sum(mono * (1 + np.arange(frames) % 977))),
    })

json.dump({
    "script": "make_audio.py", "seed": SEED, "soundfile": sf.__version__, "libsndfile": sf.__libsndfile_version__,
    "numpy": np.__version__, "python": sys.version.split()[0], "files": entries,
}, open("audio.json", "w"), separators=(",", ":"))
