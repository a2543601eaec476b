"""Writes spectral.json: small tensors merged by the methods that mergekit does not have, from their papers' formulas.

Made with Python 3.11, numpy 2.4.6, seed below:

    python spectral.py

Everything is float64 and by full singular value decompositions, solves and loops over elements: no Gram matrices, no eigenvalues.
Directions whose singular value is below 2^-23 of the largest take no part, as the methods document.
"""

import json
import pathlib

import numpy as np

SEED = 20250311
HERE = pathlib.Path(__file__).parent
NOISE = 2.0**-23


def decompose(a, k):
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    k = min(k, int(np.sum((s > 0) & (s >= NOISE * s[0]))))
    return u[:, :k], s[:k], vt[:k].T


def nearest_orthonormal(a):
    u, _, v = decompose(a, min(a.shape))
    return u @ v.T


def tsv_m(deltas, _):
    k = max(1, min(deltas[0].shape) // len(deltas))
    parts = [decompose(d, k) for d in deltas]
    u, s, v = (np.concatenate([p[i] for p in parts], axis=-1) for i in range(3))
    if s.size == 0:
        return np.zeros_like(deltas[0])
    return nearest_orthonormal(u) @ np.diag(s) @ nearest_orthonormal(v).T


def iso_c(deltas, _):
    total = sum(deltas)
    u, s, v = decompose(total, min(total.shape))
    return np.sum(s) / min(total.shape) * u @ v.T


def iso_cts(deltas, parameters):
    fraction = parameters.get("common_space_fraction", 0.8)
    total, n = sum(deltas), len(deltas)
    r = min(total.shape)
    own = min(round((r - int(r * fraction)) / n), r // n)
    parts = [decompose(total, r - own * n)]
    common = parts[0][0]
    for d in deltas:
        rest = d - common @ (common.T @ d)
        if own > 0 and np.linalg.norm(rest) > NOISE * np.linalg.norm(d):
            parts.append(decompose(rest, own))
    u, s, v = (np.concatenate([p[i] for p in parts], axis=-1) for i in range(3))
    if s.size == 0:
        return np.zeros_like(total)
    return np.sum(s) / r * nearest_orthonormal(u) @ nearest_orthonormal(v).T


def wudi(deltas, parameters):
    m = sum(deltas)
    mean, square = np.zeros_like(m), np.zeros_like(m)
    for step in range(1, parameters.get("iterations", 300) + 1):
        gradient = np.zeros_like(m)
        for d in deltas:
            norm = np.sum(d * d)
            if norm > 0:  # the derivative of sum(((m - d) @ d.T)**2) / norm
                gradient += 2 * (m - d) @ d.T @ d / norm
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        m = m - parameters.get("learning_rate", 1e-5) * (mean / (1 - 0.9**step)) / (
            np.sqrt(square / (1 - 0.999**step)) + 1e-8
        )
    return m


def fisher(tensors, information, norms, weights, parameters):
    top = np.zeros(tensors[0].size)
    bottom = np.zeros(tensors[0].size)
    for i, (x, f) in enumerate(zip(tensors, information)):
        f = f.flatten().copy()
        if i == 0 or not parameters.get("favor_target", True):
            f = np.maximum(f, parameters.get("floor", 1e-6))
        if parameters.get("normalize_fisher", True):
            f = f / norms[i]
        top += weights[i] * f * x.flatten()
        bottom += weights[i] * f
    plain = sum(w * x.flatten() for w, x in zip(weights, tensors)) / sum(weights)
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1), plain).reshape(tensors[0].shape)


def regmean(tensors, grams, weights, parameters):
    alpha = parameters.get("non_diagonal", 0.1)
    rows = tensors[0].shape[0]
    reduced = [w * (alpha * g + (1 - alpha) * np.diag(np.diag(g))) for w, g in zip(weights, grams)]
    right = sum(x.reshape(rows, -1) @ g for x, g in zip(tensors, reduced))
    return np.linalg.solve(sum(reduced).T, right.T).T.reshape(tensors[0].shape)


MATRIX = {"tsv_m": tsv_m, "iso_c": iso_c, "iso_cts": iso_cts, "wudi": wudi}


def single(x):
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def numbers(x):
    return [float(f"{v:.9g}") for v in np.asarray(x).flatten()]


def sets(rng):
    """Sets of a base and three models."""

    def normal(shape, sd=1.0):
        return single(rng.standard_normal(shape) * sd)

    made = {}
    for shape in [(6, 4), (4, 6), (5, 5), (3, 2, 4), (4,), (3, 1), (1, 1), ()]:
        base = normal(shape)
        made["random " + "x".join(map(str, shape))] = [base] + [single(base + normal(shape, 0.05)) for _ in range(3)]
    # Whole numbers of low rank, so that differences are exact: rank 1 each, of a [6][5].
    base = np.zeros((6, 5))
    made["rank one"] = [base] + [
        np.outer(rng.integers(-3, 4, 6) + 0.0, rng.integers(-3, 4, 5) + 0.5) for _ in range(3)
    ]
    base = normal((6, 5))
    part = np.where(np.arange(6)[:, None] < 4, single(rng.integers(-8, 9, (6, 5)) / 8), 0)
    made["rows untouched"] = [np.zeros((6, 5)), part, np.roll(part, 1, axis=1), np.where(part > 0, 1.0, part)]
    made["one unchanged"] = [base, single(base + normal((6, 5), 0.1)), base, single(base + normal((6, 5), 0.1))]
    made["none changed"] = [base] * 4
    whole = rng.integers(-8, 9, (6, 5)) / 4
    made["equal"] = [np.zeros((6, 5)), whole, whole, whole]
    graded = normal((8, 6)) @ np.diag(10.0 ** -np.arange(6)) @ normal((6, 6))
    made["graded"] = [np.zeros((8, 6)), single(graded), single(normal((8, 6), 1e-3)), single(graded + normal((8, 6)))]
    return made


def main():
    rng = np.random.default_rng(SEED)
    tables = sets(rng)
    statistics = {}
    cases = []
    for name, tensors in tables.items():
        shape = tensors[0].shape
        matrix = len(shape) > 1 and shape[0] > 1 and tensors[0].size > shape[0]

        def task(method, parameters, models, weights):
            deltas = [w * (tensors[i] - tensors[0]) for i, w in zip(models, weights)]
            if matrix and not parameters.get("matrix") == "no":
                flat = [d.reshape(shape[0], -1) for d in deltas]
                m = MATRIX[method](flat, parameters).reshape(shape)
            else:
                m = sum(deltas) / len(deltas)
            result = tensors[0] + parameters.get("lambda", 1.0) * m
            cases.append(
                {
                    "set": name,
                    "method": method,
                    "parameters": {**parameters, "weight": weights},
                    "models": [0] + models,
                    "base": True,
                    "result": numbers(result),
                }
            )

        for method in MATRIX:
            task(method, {}, [1], [1.0])
            task(method, {}, [1, 2], [1.0, 1.0])
            task(method, {"lambda": 0.5}, [1, 2, 3], [1.0, 1.0, 1.0])
            task(method, {}, [1, 2, 3], [0.5, -1.0, 2.0])
        task("tsv_m", {}, [1, 2, 3, 1, 2, 3, 1], [1.0] * 7)
        task("iso_c", {"matrix": "no"}, [1, 2], [1.0, 1.0])
        for fraction in (0.0, 0.5, 1.0):
            task("iso_cts", {"common_space_fraction": fraction}, [1, 2, 3], [1.0, 1.0, 1.0])
        task("wudi", {"iterations": 7, "learning_rate": 0.01}, [1, 2, 3], [1.0, 1.0, 1.0])

        # Statistics: Fisher information with zeros, and Gram matrices of a few inputs.
        information = [single(rng.standard_normal(shape) ** 2 * (rng.random(shape) < 0.7)) for _ in range(3)]
        other = single(rng.standard_normal(4) ** 2)  # of another tensor, which counts in the norm
        width = tensors[0].size // shape[0] if matrix else 0
        inputs = [rng.standard_normal((12, width)) * (1 + i) for i in range(3)]
        grams = [single(x.T @ x) for x in inputs]
        statistics[name] = {
            "information": [numbers(f) for f in information],
            "other": numbers(other),
            "grams": [numbers(g) for g in grams] if matrix else None,
        }
        norms = [np.sqrt(np.sum(f**2) + np.sum(other**2)) for f in information]
        for method in ("fisher", "regmean"):
            for parameters in (
                [{}, {"favor_target": False, "floor": 0.5}, {"normalize_fisher": False, "floor": 0.0}]
                if method == "fisher"
                else [{}, {"non_diagonal": 0.9}, {"non_diagonal": 0.0}]
            ):
                for models, weights in (([1], [1.0]), ([1, 2, 3], [1.0, 1.0, 1.0]), ([1, 2, 3], [0.2, 0.0, 3.0])):
                    used = [i - 1 for i in models]
                    taken = [tensors[i] for i in models]
                    if method == "fisher":
                        result = fisher(taken, [information[i] for i in used], [norms[i] for i in used], weights, parameters)
                    elif matrix:
                        result = regmean(taken, [grams[i] for i in used], weights, parameters)
                    else:
                        result = sum(w * x for w, x in zip(weights, taken)) / sum(weights)
                    for base in (False, True) if not parameters else (True,):
                        p = dict(parameters, weight=weights)
                        r = result
                        if base:
                            p["lambda"] = 0.25
                            r = tensors[0] + 0.25 * (result - tensors[0])
                        cases.append(
                            {"set": name, "method": method, "parameters": p, "models": [0] * base + models, "base": base, "result": numbers(r)}
                        )

    data = {
        "made": f"numpy {np.__version__}, seed {SEED}",
        "sets": {k: {"shape": list(v[0].shape), "models": [numbers(x) for x in v]} for k, v in tables.items()},
        "statistics": statistics,
        "cases": cases,
    }
    lines = json.dumps(data).replace('{"set"', '\n{"set"').replace('"sets"', '\n"sets"').replace('"cases"', '\n"cases"')
    (HERE / "spectral.json").write_text(lines.replace('"statistics"', '\n"statistics"') + "\n")


if __name__ == "__main__":
    main()
