"""Writes spherical.json and selective.json: what mergekit makes of small tensors, method by method.

Made with Python 3.11, mergekit 0.1.5, torch 2.13.0 on a CPU, seed below:

    python make.py

Each case names a set of inputs (the base first), a method, its parameters and which inputs take part, and holds the result in
float32 and, for some sets, that of the same inputs in float64. The two differ by what rounding does inside mergekit.
"""

import json
import math
import pathlib

import torch

from mergekit.merge_methods import merge_tensors

SEED = 20240704
DOUBLE = {"random 5x4", "sparse", "near"}  # sets whose results in float64 are kept too
HERE = pathlib.Path(__file__).parent

SPHERICAL = [
    # method, parameters, models (0 is the base), base given
    ("slerp", {"t": 0.3}, [0, 1], True),
    ("slerp", {"t": 0.0}, [0, 1], True),
    ("slerp", {"t": 1.25}, [0, 1], True),
    ("nuslerp", {"weight": [1.0, 2.0]}, [0, 1, 2], True),
    ("nuslerp", {"weight": [1.0, 2.0]}, [1, 2], False),
    ("nuslerp", {"weight": [1.0, -1.0]}, [0, 1, 2], True),
    ("nuslerp", {"weight": [1.0, 2.0], "nuslerp_flatten": False}, [0, 1, 2], True),
    ("nuslerp", {"weight": [3.0, 2.0], "nuslerp_flatten": False}, [1, 2], False),
    ("nuslerp", {"weight": [1.0, 2.0], "nuslerp_flatten": False, "nuslerp_row_wise": True}, [0, 1, 2], True),
    ("nuslerp", {"weight": [3.0, 2.0], "nuslerp_flatten": False, "nuslerp_row_wise": True}, [1, 2], False),
    ("multislerp", {"weight": [1.0]}, [0, 1], True),
    ("multislerp", {"weight": [1.0, 3.0]}, [0, 1, 2], True),
    ("multislerp", {"weight": [1.0, 2.0, 0.5]}, [0, 1, 2, 3], True),
    ("multislerp", {"weight": [1.0, 2.0, 0.5]}, [1, 2, 3], False),
    ("multislerp", {"weight": [0.4, 0.3, 0.2], "normalize_weights": False, "eps": 0.01}, [1, 2, 3], False),
    ("karcher", {}, [1], False),
    ("karcher", {}, [0, 1], True),
    ("karcher", {}, [0, 1, 2, 3], True),
    ("karcher", {"max_iter": 1, "tol": 1e-3}, [0, 1, 2], False),
    ("karcher", {"max_iter": 0}, [1, 2, 3], False),
    ("model_stock", {}, [0, 1, 2], True),
    ("model_stock", {}, [0, 1, 2, 3], True),
    ("model_stock", {"filter_wise": True}, [0, 1, 2, 3], True),
]

SELECTIVE = [
    ("nearswap", {"t": 0.1}, [0, 1], True),
    ("nearswap", {"t": 0.0}, [0, 1], True),
    ("nearswap", {"t": 1e-7}, [0, 1], True),
    ("nearswap", {"t": -0.5}, [0, 1], True),
    ("arcee_fusion", {}, [0, 1], True),
    ("ram", {}, [0], True),
    ("ram", {}, [0, 1, 2], True),
    ("ram", {"epsilon": 0.2}, [0, 1, 2, 3], True),
    ("ramplus_tl", {}, [0, 1, 2], True),
    ("ramplus_tl", {"r": 0.5, "alpha": 3.0, "epsilon": 0.1}, [0, 1, 2, 3], True),
    ("sce", {}, [0], True),
    ("sce", {}, [0, 1], True),
    ("sce", {"select_topk": 0.5}, [0, 1], True),
    ("sce", {}, [0, 1, 2, 3], True),
    ("sce", {"select_topk": 0.3}, [0, 1, 2], True),
    ("sce", {"select_topk": 0.7}, [0, 1, 2, 3], True),
    ("sce", {"select_topk": 0.0}, [0, 1, 2], True),
]


def inputs():
    """Sets of four tensors: the base and three models."""
    g = torch.Generator().manual_seed(SEED)

    def normal(shape, sd=1.0):
        return torch.randn(shape, generator=g) * sd

    sets = {}
    for shape in [(), (1,), (7,), (5, 4), (8, 1), (2, 3, 4)]:
        base = normal(shape)
        sets["random " + "x".join(map(str, shape))] = [base] + [base + normal(shape, 0.3) for _ in range(3)]
    base = normal((4, 6))
    shared = normal((4, 6), 0.2)
    # Half of the elements of each model are those of the base; what is changed has a part in common.
    sets["sparse"] = [base] + [
        base + (shared + normal((4, 6), 0.2)) * (torch.rand((4, 6), generator=g) < 0.5) for _ in range(3)
    ]
    base = normal((3, 6), 0.02)
    sets["near"] = [base] + [base + normal((3, 6), 0.0004) for _ in range(3)]
    sets["far"] = [normal((4, 5)) for _ in range(4)]
    base = normal((2, 3))
    sets["equal"] = [base] * 4
    sets["zero"] = [torch.zeros(2, 3)] * 4
    x = normal((2, 3))
    sets["opposed"] = [torch.zeros(2, 3), x, -x, 2 * x]
    sets["one zero row"] = [torch.zeros(2, 3), x, torch.cat([normal((1, 3)), torch.zeros(1, 3)]), 2 * x]
    sets["empty"] = [torch.zeros(0, 3)] * 4
    return sets


# Where mergekit crashes on tensors without elements.
CRASHES_EMPTY = {"arcee_fusion", "nuslerp"}


def noise(name, method, parameters, models):
    """Whether mergekit's result in float32 follows the sign of rounding errors: opposed vectors, whose logarithm or great circle
    is not unique, and divergences between rows that hardly differ."""
    return (
        (name == "opposed" and method == "nuslerp" and parameters.get("nuslerp_row_wise", False))
        or (name == "opposed" and method == "karcher" and len(models) > 3)
        or (name == "near" and method == "arcee_fusion")
    )


def run(tensors, method, parameters, base, dtype):
    out = merge_tensors(
        [x.clone() for x in tensors], method, parameters=parameters, base_index=0 if base else None, dtype=dtype
    )
    return out.flatten()


def numbers(x):
    return [float(f"{v:.9g}") for v in x.tolist()]


def main():
    sets = inputs()
    for file, table in (("spherical", SPHERICAL), ("selective", SELECTIVE)):
        cases = []
        for name, tensors in sets.items():
            for method, parameters, models, base in table:
                if name == "empty" and method in CRASHES_EMPTY:
                    continue
                case = {"set": name, "method": method, "parameters": parameters, "models": models, "base": base}
                chosen = [tensors[i] for i in models]
                try:
                    if not noise(name, method, parameters, models):
                        case["single"] = numbers(run(chosen, method, parameters, base, torch.float32))
                        assert all(map(math.isfinite, case["single"])), case
                    elif name not in DOUBLE:
                        continue
                    if name in DOUBLE:
                        case["double"] = numbers(run(chosen, method, parameters, base, torch.float64))
                except ValueError as e:
                    case["error"] = str(e).split(".")[0]
                cases.append(case)
        data = {
            "made": f"mergekit 0.1.5, torch {torch.__version__}, seed {SEED}",
            "sets": {
                name: {"shape": list(t[0].shape), "models": [numbers(x.flatten()) for x in t]} for name, t in sets.items()
            },
            "cases": cases,
        }
        lines = json.dumps(data).replace('{"set"', '\n{"set"').replace('"sets"', '\n"sets"').replace('"cases"', '\n"cases"')
        (HERE / f"{file}.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()
