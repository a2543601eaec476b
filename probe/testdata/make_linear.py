"""Writes linear.json: scikit-learn's Ridge and LogisticRegression on one set of features, for the heads that stream.

Made with Python 3, numpy 2.4.6, scikit-learn 1.9.1, seed 20251123, in this folder:

    python make_linear.py
"""

import json

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

SEED = 20251123
rng = np.random.default_rng(SEED)
VALID = 10


def case(name, train, dim, tags, strength):
    x = np.round(rng.normal(size=(train + VALID, dim)) * rng.uniform(0.1, 4, dim) + 5, 3).astype(np.float32)
    w = rng.normal(size=(dim, tags)) / np.sqrt(dim)
    z = (x - 5) @ w + 0.5 * rng.normal(size=(train + VALID, tags))
    y = (z > 0.3).astype(int)
    z = np.round(z, 4)
    s = StandardScaler().fit(x[:train].astype(np.float64)).transform(x.astype(np.float64))
    signs = Ridge(alpha=strength, solver="cholesky").fit(s[:train], 2.0 * y[:train] - 1)
    values = Ridge(alpha=strength, solver="cholesky").fit(s[:train], z[:train])
    logits = [LogisticRegression(C=1 / strength, tol=1e-12, max_iter=1000000).fit(s[:train], y[:train, t]).decision_function(s) for t in range(tags)]
    return {"name": name, "train": train, "dim": dim, "l2": strength, "features": x.astype(float).tolist(), "labels": y.tolist(), "targets": z.tolist(),
            "signs": signs.predict(s).tolist(), "values": values.predict(s).tolist(), "logits": np.stack(logits, 1).tolist()}


cases = [case("more rows than inputs", 70, 8, 3, 2.0), case("more inputs than rows", 20, 32, 2, 10.0)]
with open("linear.json", "w") as f:
    json.dump({"made_by": {"numpy": np.__version__, "sklearn": sklearn.__version__, "seed": SEED}, "cases": cases}, f)
