"""Writes sklearn.json: scikit-learn's values of the metrics of this package.

Made with Python 3, numpy 2.4.6, scikit-learn 1.9.1, seed 20251123:

    python make_sklearn.py > sklearn.json

Where scikit-learn gives NaN for one tag (ROC-AUC of a tag with one class), the macro mean here is the mean of its other values,
the rule that the package comment states.
"""

import json
import sys
import warnings

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

warnings.simplefilter("ignore")
SEED = 20251123
rng = np.random.default_rng(SEED)


def number(x):
    return None if np.isnan(x) else float(x)


def ranking(function, y, s):
    per_tag = np.array([function(y[:, t], s[:, t]) for t in range(y.shape[1])])
    defined = per_tag[~np.isnan(per_tag)]
    return {
        "macro": number(defined.mean()) if defined.size else None,
        "micro": number(function(y.ravel(), s.ravel())),
        "per_tag": [number(v) for v in per_tag],
        "left_out": int(np.isnan(per_tag).sum()),
    }


def best_threshold(y, s, average):
    values = np.unique(s)[::-1]
    f1 = [f1_score(y, s >= v, average=average, zero_division=0) for v in values]
    return {"f1": float(np.max(f1)), "threshold": float(values[int(np.argmax(f1))])}


def case(name, y, s, threshold):
    y = np.asarray(y, dtype=int)
    s = np.asarray(s, dtype=np.float64)
    p = (s >= threshold).astype(int)
    per_tag = [float(f1_score(y[:, t], p[:, t], zero_division=0)) for t in range(y.shape[1])]
    return {
        "name": name,
        "labels": y.tolist(),
        "scores": s.tolist(),
        "roc_auc": ranking(roc_auc_score, y, s),
        "average_precision": ranking(average_precision_score, y, s),
        "f1": {
            "macro": float(np.mean(per_tag)),
            "micro": float(f1_score(y.ravel(), p.ravel(), zero_division=0)),
            "per_tag": per_tag,
            "threshold": threshold,
        },
        "best_macro": best_threshold(y, s, "macro") if y.shape[1] > 1 else None,
        "best_micro": best_threshold(y, s, "micro") if y.shape[1] > 1 else None,
    }


def draw(items, tags, rate, skill):
    y = (rng.random((items, tags)) < rate).astype(int)
    s = 1 / (1 + np.exp(-(rng.normal(size=(items, tags)) + skill * y - 1)))
    return y, s


cases = []
y, s = draw(140, 15, 0.2, 1.0)
cases.append(case("140 items x 15 tags", y, s, 0.5))
y, s = draw(60, 6, 0.3, 0.7)
cases.append(case("ties: scores in tenths", y, np.round(s, 1), 0.5))
y, s = draw(50, 4, 0.4, 0.5)
cases.append(case("ties: two values", y, (s > 0.4) * 0.75, 0.75))
y, s = draw(20, 3, 0.5, 1.0)
cases.append(case("constant scores", y, np.full_like(s, 0.5), 0.5))
y, s = draw(30, 5, 0.4, 1.0)
y[:, 1] = 0
y[:, 3] = 1
cases.append(case("a tag without positives, one without negatives", y, s, 0.5))
y, s = draw(12, 3, 0.4, 1.0)
cases.append(case("no positives at all", np.zeros_like(y), s, 0.5))
cases.append(case("no negatives at all", np.ones_like(y), s, 0.5))
y, s = draw(25, 3, 0.3, 1.0)
cases.append(case("nothing predicted", y, s, 2.0))
cases.append(case("all predicted, logits of both signs", y, np.log(s / (1 - s)), -50.0))
cases.append(case("one item", [[1, 0, 1]], [[0.9, 0.2, 0.4]], 0.5))
y, s = draw(40, 1, 0.3, 1.0)
cases.append(case("one tag", y, s, 0.5))
y, s = draw(30, 3, 0.3, 1.0)
cases.append(case("tiny differences", y, 0.5 + np.round(s * 8) * 2.0**-53, 0.5 + 2.0**-51))

quantiles = []
for n in (1, 2, 7, 40, 41, 1000):
    v = np.sort(rng.normal(size=min(n, 60)))
    quantiles.append({"values": v.tolist(), "low": float(np.quantile(v, 0.025)), "high": float(np.quantile(v, 0.975))})

json.dump(
    {
        "made_by": {"numpy": np.__version__, "sklearn": sklearn.__version__, "seed": SEED},
        "cases": cases,
        "quantiles": quantiles,
    },
    sys.stdout,
)
