"""Writes cka.json: linear CKA by the formulas of the papers, on whole Gram matrices.

Made with Python 3.11, numpy 2.4.6, seed 20260216:

    python make_cka.py > cka.json
"""

import json
import sys

import numpy as np

SEED = 20260216
rng = np.random.default_rng(SEED)


def biased(x, y):
    """Kornblith et al. 2019, equations 3 and 4, with the centring matrix H."""
    n = len(x)
    h = np.eye(n) - np.ones((n, n)) / n

    def hsic(k, l):
        return np.trace(k @ h @ l @ h) / (n - 1) ** 2

    k, l = x @ x.T, y @ y.T
    return hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l))


def unbiased(x, y):
    """Song et al. 2012, equation 5."""
    n = len(x)

    def hsic(k, l):
        k, l, one = k - np.diag(np.diag(k)), l - np.diag(np.diag(l)), np.ones(n)
        return (np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))

    k, l = x @ x.T, y @ y.T
    return hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l))


def case(name, items, a, b):
    shared = rng.normal(size=(items, 3))

    def features(layers, dim):
        out = [shared @ rng.normal(size=(3, dim)) + (l + 0.5) * rng.normal(size=(items, dim)) + 2 for l in range(layers)]
        return np.round(np.stack(out, axis=1), 3).astype(np.float32)  # [items][layers][dim]

    x, y = features(*a), features(*b)
    table = [[[f(x[:, l].astype(float), y[:, m].astype(float)) for m in range(b[0])] for l in range(a[0])] for f in (biased, unbiased)]
    return {"name": name, "items": items, "shape_a": a, "shape_b": b, "a": [round(float(v), 3) for v in x.ravel()],
            "b": [round(float(v), 3) for v in y.ravel()], "biased": table[0], "unbiased": table[1]}


json.dump({
    "made_by": {"numpy": np.__version__, "seed": SEED},
    "cases": [case("fewer items than dimensions", 7, (2, 9), (3, 12)), case("more items than dimensions", 60, (3, 5), (2, 4)),
              case("the fewest items", 4, (1, 3), (1, 3))],
}, sys.stdout)
print()
