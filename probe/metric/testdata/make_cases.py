"""Writes cases.bin and cases.json: scikit-learn's values of every metric of this package on 2,000 random cases.

Made with Python 3.11, numpy 2.4.6, scikit-learn 1.9.1, seed 20260214:

    python make_cases.py

The inputs are not stored: a case is drawn from splitmix64 by rules of integer arithmetic, one division and one rounding to float32,
which cases_test.go repeats bit for bit. cases.bin holds the values alone, little-endian float64 in the order of the calls of put().
Where scikit-learn gives NaN for one tag (ROC-AUC of a tag with one class) the macro mean is that of its other values, and a projection
counts the NaN as 0: the rule that the package comment states.
"""

import json
import sys
import warnings

import numpy as np
import sklearn
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, r2_score, roc_auc_score

warnings.simplefilter("ignore")
np.seterr(all="ignore")
SEED, CASES = 20260214, 2000
U = np.uint64
out = []


def put(*values):
    out.extend(float(v) for v in values)


def mix(x):
    """The output function of splitmix64 (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> U(30))) * U(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> U(27))) * U(0x94D049BB133111EB)
    return x ^ (x >> U(31))


class Draws:
    """The numbers of one case, by their place."""

    def __init__(self, case):
        self.state = int(mix(np.array([SEED + case], dtype=U))[0])

    def at(self, first, count=1):
        k = np.arange(first + 1, first + count + 1, dtype=U)
        return mix(U(self.state) + k * U(0x9E3779B97F4A7C15))

    def below(self, place, n):
        return int(self.at(place)[0]) % n


LARGE = [1.7976931348623157e308, -1.7976931348623157e308, 5e-324, -5e-324, 0.0, -0.0, 1e300, 1e-300]
LARGE32 = [3.4028234663852886e38, -3.4028234663852886e38, 1.401298464324817e-45, -1.401298464324817e-45, 0.0, -0.0, 1e30, 1e-30]
SHARES = [0.01, 0.05, 0.3, 0.5, 0.9]


def unit(x):
    return (x >> U(11)).astype(np.float64) / 2.0**53


def scores(x, kind, positive, single):
    if kind == 0:
        return unit(x)
    if kind == 1:
        return (x % U(5)).astype(np.float64) / 4
    if kind == 2:
        return np.full(len(x), 0.25)
    if kind == 3:
        return np.array(LARGE32 if single else LARGE)[(x % U(8)).astype(int)]
    if kind == 4:
        return (unit(x) + positive) / 2
    if kind == 5:
        return 0.5 + (x % U(64)).astype(np.float64) / 2.0**40
    return (x % U(1001)).astype(np.float64) / 500 - 1


def labels(x, kind, draw):
    n = len(x)
    if kind == 0:
        return np.zeros(n, dtype=bool)
    if kind == 1:
        return np.ones(n, dtype=bool)
    if kind == 2:
        return np.arange(n) == draw % n
    return unit(x) < SHARES[kind % 5]


def multilabel(d):
    most = min(1 << d.below(0, 14), 5000)
    items = 1 + d.below(1, most) if d.below(2, 4) else most
    tags = 1 + d.below(3, 20)
    single = d.below(4, 2) == 1
    y, s = np.zeros((items, tags), dtype=bool), np.zeros((items, tags))
    for t in range(tags):
        place = 64 + 2 * t * items
        y[:, t] = labels(d.at(place, items), d.below(16 + t, 12), d.below(40, 1 << 30))
        s[:, t] = scores(d.at(place + items, items), int(d.at(16 + t)[0] >> U(32)) % 7, y[:, t], single)
    return y, s.astype(np.float32) if single else s


def projection(values):
    """One number that no value can leave or enter unseen: a sum with weights 1, 2, ..."""
    return sum((k + 1) * (0 if np.isnan(v) else v) for k, v in enumerate(values))


def summary(per_tag, micro, whole):
    defined = per_tag[~np.isnan(per_tag)]
    put(defined.mean() if defined.size else np.nan, micro, projection(per_tag))
    if whole:
        put(*per_tag)


def f1(y, s, threshold, whole):
    p = s >= s.dtype.type(threshold)
    per_tag = f1_score(y.astype(int), p.astype(int), average=None, zero_division=0) if y.shape[1] > 1 else np.array(
        [f1_score(y[:, 0], p[:, 0], zero_division=0)])
    macro = f1_score(y.astype(int), p.astype(int), average="macro", zero_division=0) if y.shape[1] > 1 else per_tag[0]
    put(macro, f1_score(y.ravel(), p.ravel(), zero_division=0), projection(per_tag))
    if whole:
        put(*per_tag)


def best_threshold(y, s):
    """The score with the highest macro F1, of equals the highest; every score is tried, the counts from sorted scores."""
    values = np.unique(s)[::-1]
    total = np.zeros(len(values))
    for t in range(y.shape[1]):
        pos, neg = np.sort(s[y[:, t], t]), np.sort(s[~y[:, t], t])
        tp = len(pos) - np.searchsorted(pos, values)
        fp = len(neg) - np.searchsorted(neg, values)
        with np.errstate(invalid="ignore"):
            total += np.where(tp > 0, 2 * tp / np.maximum(1, tp + fp + len(pos)), 0)
    return values[int(np.argmax(total))]


def classes(d):
    items, width, kind = 1 + d.below(0, 1 << d.below(1, 12)), 2 + d.below(2, 19), d.below(3, 3)
    x = d.at(64, items * width).reshape(items, width)
    s = [unit(x), (x % U(3)).astype(np.float64), np.where(x % U(4) == 0, 1.0, unit(x))][kind]
    y = (d.at(64 + items * width, items) % U(width)).astype(int)
    if d.below(4, 3) == 0:  # few of the classes occur
        y = y // 3
    elif d.below(4, 3) == 1:  # mostly right
        y = np.where(d.at(64 + (width + 1) * items, items) % U(4) == 0, y, s.argmax(axis=1))
    p = s.argmax(axis=1)
    per_class = f1_score(y, p, average=None, labels=range(width), zero_division=np.nan)
    put(accuracy_score(y, p), f1_score(y, p, average="macro", zero_division=0), projection(per_class), np.isnan(per_class).sum())


def regression(d):
    items, outputs, single = 2 + d.below(0, 1 << d.below(1, 12)), 1 + d.below(2, 4), d.below(3, 2) == 1
    y, p = np.zeros((items, outputs)), np.zeros((items, outputs))
    for k in range(outputs):
        place = 64 + 2 * k * items
        kind, a, b = d.below(16 + k, 5), unit(d.at(place, items)), unit(d.at(place + items, items))
        # with skill; without; around 1000; a constant met; a constant missed
        y[:, k] = [a, a, 1000 + a, np.full(items, 0.5), np.full(items, 0.5)][kind]
        p[:, k] = [(3 * a + b) / 4, b, 1000 + (a + b) / 2, np.full(items, 0.5), b][kind]
    if single:
        y, p = y.astype(np.float32).astype(np.float64), p.astype(np.float32).astype(np.float64)
    per = r2_score(y, p, multioutput="raw_values")
    put(r2_score(y, p, multioutput="uniform_average"), *per)


for case in range(CASES):
    y, s = multilabel(Draws(case))
    whole = case % 40 == 0
    put(y.shape[0], y.shape[1], y.sum())
    one_class = [y[:, t].all() or not y[:, t].any() for t in range(y.shape[1])]
    auc = np.array([np.nan if one else roc_auc_score(y[:, t], s[:, t]) for t, one in enumerate(one_class)])
    summary(auc, np.nan if y.all() or not y.any() else roc_auc_score(y.ravel(), s.ravel()), whole)
    if y.shape[1] > 1:
        ap = average_precision_score(y, s, average=None)
        if case % 50 == 0:  # its own averages, too
            assert abs(average_precision_score(y, s, average="macro") - ap.mean()) < 1e-13
    else:
        ap = np.array([average_precision_score(y[:, 0], s[:, 0])])
    summary(np.asarray(ap), average_precision_score(y.ravel(), s.ravel()), whole)
    f1(y, s, 0.5, whole)
    best = best_threshold(y, s)
    put(best)
    f1(y, s, best, whole)
for case in range(CASES, CASES + 400):
    classes(Draws(case))
for case in range(CASES + 400, CASES + 800):
    regression(Draws(case))

np.array(out, dtype="<f8").tofile("cases.bin")
made_by = {"python": sys.version.split()[0], "numpy": np.__version__, "sklearn": sklearn.__version__, "seed": SEED}
with open("cases.json", "w") as f:
    json.dump({"made_by": made_by, "multilabel": CASES, "single": 400, "regression": 400, "values": len(out)}, f)
    f.write("\n")
