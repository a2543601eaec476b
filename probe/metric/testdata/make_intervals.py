"""Writes intervals.json: scipy's bootstrap intervals and paired permutation tests.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, seed 20260215:

    python make_intervals.py > intervals.json

A BCa interval is stored with the draws and the values without each item that it was made of, so that it can be checked to rounding;
permutation tests are the exact ones, of all 2^n exchanges.
"""

import json
import sys

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.metrics import roc_auc_score

SEED = 20260215
rng = np.random.default_rng(SEED)


def interval(name, values, statistic, draws):
    res = {}
    for method in ("BCa", "percentile"):
        r = stats.bootstrap((values,), statistic, n_resamples=draws, method=method, vectorized=False, rng=np.random.default_rng(7))
        res[method] = [float(r.confidence_interval.low), float(r.confidence_interval.high)]
    without = [float(statistic(np.delete(values, i))) for i in range(len(values))]
    return {"name": name, "value": float(statistic(values)), "draws": np.sort(r.bootstrap_distribution).tolist(), "without": without,
            "bca": res["BCa"], "percentile": res["percentile"]}


def mean_test(n, shift):
    a, b = rng.normal(size=n) + shift, rng.normal(size=n)
    r = stats.permutation_test((a, b), lambda x, y: np.mean(x) - np.mean(y), permutation_type="samples", vectorized=False, n_resamples=np.inf)
    return {"kind": "mean", "a": a.tolist(), "b": b.tolist(), "difference": float(r.statistic), "p": float(r.pvalue)}


def auc_test(n, skill):
    y = np.arange(n) % 3 == 0
    a, b = y * skill + rng.normal(size=n), np.round(10 * (y + rng.normal(size=n)))  # of another scale, with ties
    i = np.arange(n)
    ra, rb = stats.rankdata(a), stats.rankdata(b)

    def statistic(x, z):  # ranks that carry their item
        return roc_auc_score(y[(x % 100).astype(int)], x // 100) - roc_auc_score(y[(z % 100).astype(int)], z // 100)

    r = stats.permutation_test((200 * ra + i, 200 * rb + i), statistic, permutation_type="samples", vectorized=False, n_resamples=np.inf)
    return {"kind": "auc", "labels": y.astype(int).tolist(), "a": a.tolist(), "b": b.tolist(), "difference": float(r.statistic), "p": float(r.pvalue)}


json.dump({
    "made_by": {"numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__, "seed": SEED},
    "intervals": [
        interval("mean of skewed values", rng.exponential(size=25), np.mean, 199),
        interval("variance", rng.normal(size=18), np.var, 150),
        interval("share", (rng.random(size=40) < 0.8).astype(float), np.mean, 120),
    ],
    "tests": [mean_test(8, 0.0), mean_test(9, 1.5), auc_test(9, 2.0), auc_test(10, 0.0)],
}, sys.stdout)
print()
