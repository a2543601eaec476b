"""Writes logistic.json (scikit-learn's logistic regression) and the .npy files that the readers are tested with (numpy's).

Made with Python 3, numpy 2.4.6, scikit-learn 1.9.1, seed 20251123, in this folder:

    python make_golden.py
"""

import json

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

SEED = 20251123
rng = np.random.default_rng(SEED)


def case(name, train, valid, layers, dim, tags, strength, constant=False):
    x = np.round(rng.normal(size=(train + valid, layers * dim)) * rng.uniform(0.1, 4, layers * dim) + 1, 3)
    if constant:
        x[:, 1] = 0.1
    x = x.astype(np.float32).astype(np.float64)
    w = rng.normal(size=(layers * dim, tags)) / np.sqrt(layers * dim)
    y = (x @ w + rng.normal(size=(train + valid, tags)) > np.median(x @ w, axis=0) + 0.3).astype(int)
    scaler = StandardScaler().fit(x[:train])
    z = scaler.transform(x)
    p = []
    for t in range(tags):
        model = LogisticRegression(C=1 / strength, tol=1e-12, max_iter=1000000).fit(z[:train], y[:train, t])
        p.append(model.predict_proba(z)[:, 1])
    return {
        "name": name, "train": train, "layers": layers, "dim": dim, "l2": strength,
        "features": x.tolist(), "labels": y.tolist(), "probabilities": np.stack(p, 1).tolist(),
    }


cases = [
    case("more items than inputs", 60, 15, 2, 4, 3, 1.0),
    case("weak penalty", 50, 10, 1, 5, 2, 0.1),
    case("more inputs than items", 20, 10, 3, 16, 2, 10.0),
    case("as many inputs as items", 24, 10, 3, 8, 2, 3.0),
    case("a constant input", 40, 10, 2, 3, 2, 1.0, constant=True),
]
with open("logistic.json", "w") as f:
    json.dump({"made_by": {"numpy": np.__version__, "sklearn": sklearn.__version__, "seed": SEED}, "cases": cases}, f)

# element [i][j] of an array is (3 i + j) % 2, plus 0.25 where the type is floating
y = (3 * np.arange(4)[:, None] + np.arange(3)[None, :]) % 2
for name in ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
    np.save(f"{name}.npy", y.astype(name))
np.save("float32.npy", (y + 0.25).astype(np.float32))
np.save("float64.npy", y + 0.25)
np.save("fortran.npy", np.asfortranarray(y + 0.25))
with open("version2.npy", "wb") as f:
    np.lib.format.write_array(f, y + 0.25, version=(2, 0))
np.save("bigendian.npy", y.astype(">f8"))
np.save("complex.npy", y.astype(np.complex128))
np.save("flat.npy", y.ravel().astype(np.float64))
np.save("cube.npy", y[None].astype(np.float64))
np.save("empty.npy", np.zeros((0, 3)))
np.save("object.npy", np.array([[None, 1]], dtype=object), allow_pickle=True)
