"""Makes spectra.json: ranks and shared directions of small matrices, by numpy's singular value decomposition.

    python spectra.py > spectra.json

numpy 2.4.6, seed 7.
"""
import json

import numpy as np

rng = np.random.default_rng(7)


def effective_rank(s):
    p = s / s.sum()
    p = p[p > 0]
    return float(np.exp(-(p * np.log(p)).sum()))


def overlap(u, v, k):
    return float((np.linalg.svd(u[:, :k].T @ v[:, :k], compute_uv=False) ** 2).mean())  # cosines of the principal angles


def case(shape, ranks):
    rows, width = shape[0], int(np.prod(shape[1:]))
    shared = rng.normal(size=(rows, 2)) @ rng.normal(size=(2, width))
    vectors = []
    for r in ranks:
        a = rng.normal(size=(rows, r)) @ rng.normal(size=(r, width)) + 2 * shared
        vectors.append(a.astype(np.float32))
    svds = [np.linalg.svd(a.astype(np.float64), full_matrices=False) for a in vectors]
    noise = 2.0**-23
    svds = [(u[:, s > noise * s[0]], s[s > noise * s[0]], vt[s > noise * s[0]]) for u, s, vt in svds]
    pairs = []
    for j in range(len(ranks)):
        for i in range(j):
            k = int(np.ceil(min(effective_rank(svds[i][1]), effective_rank(svds[j][1]))))
            o = (overlap(svds[i][0], svds[j][0], k) + overlap(svds[i][2].T, svds[j][2].T, k)) / 2
            pairs.append({"i": i, "j": j, "overlap": o, "chance": (k / rows + k / width) / 2})
    return {
        "shape": shape, "vectors": [[float(x) for x in a.reshape(-1)] for a in vectors],
        "effective_rank": [effective_rank(s) for _, s, _ in svds],
        "stable_rank": [float((s**2).sum() / s[0] ** 2) for _, s, _ in svds], "pairs": pairs,
    }


print(json.dumps([case([12, 9], [3, 12, 1]), case([5, 4, 3], [2, 5]), case([8, 20], [8, 8])]))
