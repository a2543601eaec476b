"""Writes adamw.json: ten steps of AdamW and gradient clipping, for optim's tests.

    python make_adamw.py adamw.json

PyTorch's cases come from torch.optim.AdamW and torch.nn.utils.clip_grad_norm_;
the fairseq cases from the formula below in float64 numpy, written from its
definition. The versions and the seed are in the file, under "made_with".
"""

import json
import sys

import numpy as np
import torch

SEED = 20
SHAPES = {"weight": (3, 4), "bias": (5,), "late": (2, 2)}
STEPS = 10
LATE = 3  # "late" receives its first gradient at this step, counted from 0
RATES = [0.001 * (s + 1) for s in range(5)] + [0.005 / (s + 1) for s in range(5)]


def short(array):
    """The shortest decimals that give back the float32 values."""
    return [float(str(v)) for v in np.asarray(array, dtype=np.float32).ravel()]


def draw(rng):
    start = {n: rng.standard_normal(s).astype(np.float32) for n, s in SHAPES.items()}
    grads = []
    for step in range(STEPS):
        scale = 10.0 ** rng.integers(-4, 3)
        grads.append({n: (scale * rng.standard_normal(s)).astype(np.float32)
                      for n, s in SHAPES.items() if n != "late" or step >= LATE})
    return start, grads


def pytorch(start, grads, beta1, beta2, eps, decay):
    params = {n: torch.nn.Parameter(torch.tensor(v)) for n, v in start.items()}
    opt = torch.optim.AdamW(params.values(), lr=1.0, betas=(beta1, beta2), eps=eps, weight_decay=decay)
    values = []
    for rate, grad in zip(RATES, grads):
        opt.param_groups[0]["lr"] = rate
        for n, p in params.items():
            p.grad = torch.tensor(grad[n]) if n in grad else None
        opt.step()
        values.append({n: short(p.detach()) for n, p in params.items()})
    state = {n: {"step": int(opt.state[p]["step"]), "m": short(opt.state[p]["exp_avg"]),
                 "v": short(opt.state[p]["exp_avg_sq"])} for n, p in params.items()}
    return values, state


def fairseq(start, grads, beta1, beta2, eps, decay):
    p = {n: v.astype(np.float64) for n, v in start.items()}
    m = {n: np.zeros(v.shape) for n, v in p.items()}
    v = {n: np.zeros(x.shape) for n, x in p.items()}
    t = {n: 0 for n in p}
    values = []
    for rate, grad in zip(RATES, grads):
        for n, g in grad.items():
            g = g.astype(np.float64)
            t[n] += 1
            m[n] = beta1 * m[n] + (1 - beta1) * g
            v[n] = beta2 * v[n] + (1 - beta2) * g**2
            size = rate * np.sqrt(1 - beta2 ** t[n]) / (1 - beta1 ** t[n])
            p[n] = p[n] - decay * rate * p[n]
            p[n] = p[n] - size * m[n] / (np.sqrt(v[n]) + eps)
        values.append({n: short(x) for n, x in p.items()})
    return values, {n: {"step": t[n], "m": short(m[n]), "v": short(v[n])} for n in p}


def clip(rng, scale, limit):
    params = {n: torch.nn.Parameter(torch.zeros(s)) for n, s in SHAPES.items()}
    for p in params.values():
        p.grad = torch.tensor((scale * rng.standard_normal(p.shape)).astype(np.float32))
    before = {n: short(p.grad) for n, p in params.items()}
    norm = torch.nn.utils.clip_grad_norm_(params.values(), limit)
    after = {n: short(p.grad) for n, p in params.items()}
    return {"max": limit, "norm": float(norm), "before": before, "after": after}


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    for name, rule, beta1, beta2, eps, decay in [
        ("pytorch with decay", pytorch, 0.9, 0.999, 1e-8, 0.01),
        ("pytorch without decay", pytorch, 0.8, 0.98, 1e-6, 0.0),
        ("fairseq with decay", fairseq, 0.9, 0.98, 1e-6, 0.01),
        ("fairseq with a large eps", fairseq, 0.9, 0.999, 1e-2, 0.1),
    ]:
        start, grads = draw(rng)
        values, state = rule(start, grads, beta1, beta2, eps, decay)
        cases.append({
            "name": name, "fairseq": rule is fairseq, "beta1": beta1, "beta2": beta2, "eps": eps, "decay": decay,
            "start": {n: short(v) for n, v in start.items()},
            "grads": [{n: short(g) for n, g in step.items()} for step in grads],
            "values": values, "state": state,
        })
    golden = {
        "made_with": {"torch": torch.__version__, "numpy": np.__version__, "seed": SEED},
        "rates": RATES, "cases": cases,
        "clip": [clip(rng, 5.0, 1.0), clip(rng, 0.01, 1.0), clip(rng, 100.0, 10.0)],
    }
    with open(sys.argv[1], "w") as f:
        json.dump(golden, f, separators=(",", ":"))
        f.write("\n")


main()
