"""Goldens for the methods beyond mergekit that add whole task vectors element by element: magmax, emr, consensus and lines.

Run with numpy 2, in this folder; seed 7. Written from the papers' formulas, one element at a time in float64, and not from any code:

    magmax     theta_0 + lambda tau_j, j = argmax_i |tau_i| at the element (arXiv 2407.06322, section 3.2)
    emr        sign of the sum; of the tau_i with that sign the largest magnitude (arXiv 2405.17461, section 3.2)
    consensus  sum of the tau_i where at least k of the masks |tau_i| > l_i |sum_j tau_j - tau_i| are on (arXiv 2405.07813, eq. 4 and 6)
    lines      theta_0 + lambda (alpha + beta l / (L - 1)) sum_i tau_i in layer l of L (arXiv 2410.17146, eq. 4)

It writes beyond.json: inputs and results as lists, with weights w_i that scale the task vectors first.
"""
import json

import numpy as np

rng = np.random.default_rng(7)
n = 40
base = rng.normal(size=n).astype(np.float32)
models = [(base + 0.1 * rng.normal(size=n) * (rng.random(n) < 0.8)).astype(np.float32) for _ in range(3)]
weights = [1.0, 0.5, -0.75]
taus = [w * (m.astype(np.float64) - base) for w, m in zip(weights, models)]


def magmax(lam):
    out = []
    for i in range(n):
        best = 0
        for t in taus:
            if abs(t[i]) > abs(best):
                best = t[i]
        out.append(float(base[i]) + lam * best)
    return out


def emr(lam):
    out = []
    for i in range(n):
        s = sum(t[i] for t in taus)
        agree = [abs(t[i]) for t in taus if t[i] * s > 0]
        out.append(float(base[i]) + lam * np.sign(s) * max(agree, default=0))
    return out


def consensus(lam, k, ls):
    out = []
    for i in range(n):
        s = sum(t[i] for t in taus)
        on = sum(abs(t[i]) > l * abs(s - t[i]) for t, l in zip(taus, ls))
        out.append(float(base[i]) + (lam * s if on >= k else 0))
    return out


def lines(lam, alpha, beta, layer, layers):
    scale = alpha + (beta * layer / (layers - 1) if layer >= 0 else 0)
    return [float(base[i]) + lam * scale * sum(t[i] for t in taus) for i in range(n)]


cases = [
    {"method": "magmax", "params": {"lambda": 0.5}, "want": magmax(0.5)},
    {"method": "emr", "params": {"lambda": 1.0}, "want": emr(1.0)},
    {"method": "consensus", "params": {"lambda": 0.7, "k": 2}, "tall_lambda": [0.4, 0.4, 0.4], "want": consensus(0.7, 2, [0.4] * 3)},
    {"method": "consensus", "params": {"lambda": 1.0, "k": 1}, "tall_lambda": [0.2, 0.6, 1.5], "want": consensus(1.0, 1, [0.2, 0.6, 1.5])},
    {"method": "consensus", "params": {"lambda": 1.0, "k": 0}, "tall_lambda": [0.4] * 3, "want": consensus(1.0, 0, [0.4] * 3)},
    {"method": "lines", "params": {"lambda": 0.9, "alpha": 0.25, "beta": 0.5}, "layer": 2, "layers": 5, "want": lines(0.9, 0.25, 0.5, 2, 5)},
    {"method": "lines", "params": {"lambda": 0.9}, "layer": 4, "layers": 5, "want": lines(0.9, 1 / 3, 2 / 3, 4, 5)},
    {"method": "lines", "params": {"lambda": 0.9}, "layer": -1, "layers": 5, "want": lines(0.9, 1 / 3, 2 / 3, -1, 5)},
]
json.dump({"base": base.tolist(), "models": [m.tolist() for m in models], "weights": weights, "cases": cases}, open("beyond.json", "w"))
