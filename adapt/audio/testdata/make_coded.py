"""Writes the small lossy recordings beside this script and coded.json, their samples as libsndfile (MP3) and ffmpeg decode them.

Run in this folder: python make_coded.py. It needs ffmpeg with libmp3lame and libopus. Versions and seed are written into coded.json.
Both trim what encoders add at both ends, by LAME's tag and by Opus's header, so that lengths are part of what is compared.
"""
import json
import subprocess
import sys

import numpy as np
import soundfile as sf

SEED, EVERY = 21, 37
# file, rate in, channels, seconds, encoder's arguments
FILES = [
    ("stereo44.mp3", 44100, 2, 0.6, "-c:a libmp3lame -q:a 6"),
    ("joint48.mp3", 48000, 2, 0.4, "-c:a libmp3lame -b:a 64k -joint_stereo 1"),
    ("mono24.mp3", 24000, 1, 0.7, "-c:a libmp3lame -b:a 32k"),
    ("notag44.mp3", 44100, 1, 0.4, "-c:a libmp3lame -b:a 48k -write_xing 0 -id3v2_version 0"),
    ("music.opus", 48000, 2, 0.4, "-c:a libopus -b:a 64k -application lowdelay"),
    ("gain.opus", 48000, 1, 0.4, "-c:a libopus -b:a 32k -application lowdelay -frame_duration 5"),
    ("hybrid.opus", 48000, 1, 0.4, "-c:a libopus -b:a 28k -application voip"),
    ("speech.opus", 16000, 1, 21.5, "-c:a libopus -b:a 6k -application voip -frame_duration 60"),
    ("long.opus", 48000, 1, 21.5, "-c:a libopus -b:a 8k -application lowdelay -cutoff 4000"),
    ("other.m4a", 44100, 2, 0.3, "-c:a aac -b:a 48k"),
]


def ffmpeg(args, data=b""):
    return subprocess.run(["ffmpeg", "-v", "error", "-y", *args], input=data, stdout=subprocess.PIPE, check=True).stdout


def signal(rng, rate, channels, seconds):
    """Plucked notes with a little noise: attacks, tones and silence in between."""
    t = np.arange(int(rate * seconds)) / rate
    out = np.zeros((len(t), channels))
    for c in range(channels):
        for k, at in enumerate(np.arange(0, seconds, 0.15 if seconds < 2 else 1.7)):
            f = rng.uniform(150, 1800)
            d = np.where(t >= at, t - at, 0)
            out[:, c] += (t >= at) * 0.3 * np.exp(-d * 9) * (np.sin(2 * np.pi * f * d) + 0.3 * np.sin(6.1 * np.pi * f * d))
    return (out + 0.002 * rng.standard_normal(out.shape)).astype(np.float32)


rng = np.random.default_rng(SEED)
entries = []
for name, rate, channels, seconds, args in FILES:
    x = signal(rng, rate, channels, seconds)
    if name == "joint48.mp3":  # nearly the same on both sides, for mid/side coding
        x = np.stack([x[:, 0] + 0.1 * x[:, 1], x[:, 0] - 0.1 * x[:, 1]], axis=1)
    raw = ["-f", "f32le", "-ar", str(rate), "-ac", str(channels), "-i", "pipe:0", "-map_metadata", "-1", "-fflags", "+bitexact"]
    ffmpeg([*raw, *args.split(), name], x.tobytes())
    if name == "gain.opus":  # a header that asks for -3 dB, with its page's sum set anew
        b = bytearray(open(name, "rb").read())
        b[28 + 16:28 + 18] = (-768 & 0xFFFF).to_bytes(2, "little")
        n = 27 + b[26] + sum(b[27:27 + b[26]])
        b[22:26] = bytes(4)
        c = 0
        for v in b[:n]:
            c ^= v << 24
            for _ in range(8):
                c = (c << 1 ^ (0x04C11DB7 if c >> 31 else 0)) & 0xFFFFFFFF
        b[22:26] = c.to_bytes(4, "little")
        open(name, "wb").write(b)
    back = 48000 if name.endswith(".opus") else rate
    if name.endswith(".mp3"):  # by mpg123: ffmpeg has a wrong band edge at 24 kHz
        y, got = sf.read(name, dtype="float64", always_2d=True)
        assert got == rate
    else:  # libopus is the reference decoder
        decoder = ["-c:a", "libopus", "-request_sample_fmt", "flt"] if name.endswith(".opus") else []
        y = np.frombuffer(ffmpeg([*decoder, "-i", name, "-f", "f32le", "-"]), np.float32).reshape(-1, channels)
    y = y.astype(np.float64).mean(axis=1)
    entries.append({"file": name, "rate": back, "channels": channels, "frames": len(y), "every": EVERY if seconds < 2 else 1009,
                    "samples": [round(float(v), 6) for v in y[::EVERY if seconds < 2 else 1009]]})

version = subprocess.run(["ffmpeg", "-version"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]
json.dump({"script": "make_coded.py", "seed": SEED, "ffmpeg": version, "libsndfile": sf.__libsndfile_version__, "numpy": np.__version__, "python": sys.version.split()[0],
           "files": entries}, open("coded.json", "w"), separators=(",", ":"))
