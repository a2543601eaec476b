"""Writes kmeans.json: Lloyd steps by scikit-learn, the peer that package kmeans is tested against.

Run in this folder: python make_kmeans.py. The versions used are written into the file.

The frames are made of integers, so that Go has the same values bit for bit: a 64-bit linear congruential generator,
x' = x*6364136223846793005 + 1442695040888963407 (mod 2^64), u = (top 16 bits - 32768)/32768. Frame i takes one draw for
its blob, (top 16 bits) mod BLOBS, then DIM draws u; value d is OFFSET + blob_centre[blob][d] + u/2, where the blob
centres are BLOBS*DIM draws 2u made first. The starting centres are frames START, 2*START, ... in order.
"""
import json
import sys

import numpy as np
import sklearn
from sklearn.cluster import KMeans

MASK = 2**64 - 1
CASES = [
    # name, seed, frames, dim, blobs, size, start, steps, offset
    ("few steps", 1, 600, 12, 20, 8, 37, 3, 0.0),
    ("to the end", 2, 600, 12, 20, 8, 31, 60, 0.0),
    ("far from zero", 3, 500, 7, 9, 12, 29, 5, 100.0),
    ("one step", 4, 700, 5, 6, 16, 41, 1, -3.0),
]


def frames(seed, n, dim, blobs, offset):
    state = seed

    def draw():
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        return state >> 48

    def u():
        return (draw() - 32768) / 32768

    centres = [[2 * u() for _ in range(dim)] for _ in range(blobs)]
    out = []
    for _ in range(n):
        b = draw() % blobs
        out.append([offset + centres[b][d] + u() / 2 for d in range(dim)])
    return np.array(out).astype(np.float32)


cases = []
for name, seed, n, dim, blobs, size, start, steps, offset in CASES:
    x = frames(seed, n, dim, blobs, offset)
    init = x[start * (1 + np.arange(size))]
    km = KMeans(size, init=init, n_init=1, max_iter=steps, tol=0, algorithm="lloyd").fit(x.astype(np.float64))
    cases.append({
        "name": name, "seed": seed, "frames": n, "dim": dim, "blobs": blobs, "size": size, "start": start, "steps": steps,
        "offset": offset, "inertia": float(km.inertia_),
        "variance": float(((x.astype(np.float64) - x.astype(np.float64).mean(0)) ** 2).sum()),
        "labels": [int(v) for v in km.labels_],
        "centres": [[float(f"{v:.9g}") for v in row] for row in km.cluster_centers_],
    })

json.dump({
    "script": "make_kmeans.py", "sklearn": sklearn.__version__, "numpy": np.__version__,
    "python": sys.version.split()[0], "cases": cases,
}, open("kmeans.json", "w"), separators=(",", ":"))
