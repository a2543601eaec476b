"""Distribution facts for package mergekit: what mergekit drops at random, and what it multiplies the rest by.

Run with mergekit 0.1.5 and torch 2.13.0 on a CPU, in this folder; seeds 1 to 200. It writes

    random.safetensors   w, a task vector of 4096 values of which no two have one magnitude
    random.json          for each method, with the parameters given: facts over 200 runs, a seed each

Every merge here is over a base of zeros and with weight 1, so that the output over w is what the method did to an element: 0 where
it dropped it, else the factor. A row is a slice along dimension 1, a vector is one row; ranks rise with the magnitude.

    kept     of all elements: mean and variance over runs of the share that stayed
    bins     of the elements whose rank r in their row of n has ⌊bins·r/n⌋ = 0, 1, ...: the same (10, or one a rank in shorter rows)
    elements lowest and highest number of runs in which one element stayed
    factor   mean, variance, least and most over runs
    both     with a second model, 1024 w: mean over runs of the share that stayed in both (without rescale, as sums of the two)
"""

import json
import pathlib

import torch
from mergekit.merge_methods import merge_tensors
from safetensors.torch import save_file

RUNS = 200
HERE = pathlib.Path(__file__).parent

DENSITIES = {"dare_linear": (0.3, 0.7), "dare_ties": (0.5,), "della": (0.5,), "della_linear": (0.3,)}


def ranks(w):
    rows = w.abs() if w.dim() > 1 else w.abs()[None]
    return rows.argsort(dim=1).argsort(dim=1).reshape(w.shape), rows.shape[1]


def spread(x):
    x = torch.tensor(x, dtype=torch.float64)
    return {"mean": x.mean().item(), "variance": x.var().item()}


def merge(method, models, seed, parameters):
    torch.manual_seed(seed)
    return merge_tensors([torch.zeros_like(models[0]), *models], method, parameters={"weight": 1.0, **parameters}, base_index=0)


def facts(method, w, parameters):
    rank, length = ranks(w)
    bins = min(10, length)
    where = [(rank * bins).div(length, rounding_mode="floor") == b for b in range(bins)]
    kept, shares, factors, times = [], [[] for _ in where], [], torch.zeros(w.shape)
    for seed in range(1, RUNS + 1):
        ratio = merge(method, [w], seed, parameters).double() / w
        stays = ratio != 0
        factor = ratio[stays].median().item()
        assert (ratio[stays] - factor).abs().max() < 1e-5 * factor
        kept.append(stays.double().mean().item())
        factors.append(factor)
        times += stays
        for share, b in zip(shares, where):
            share.append(stays[b].double().mean().item())
    result = {"kept": spread(kept), "bins": [{"elements": int(b.sum()), **spread(s)} for s, b in zip(shares, where)],
              "elements": [int(times.min()), int(times.max())], "factor": {**spread(factors), "least": min(factors), "most": max(factors)}}
    if not parameters["rescale"]:
        both = []
        for seed in range(1, RUNS + 1):
            ratio = (merge(method, [w, 1024 * w], seed, parameters).double() / w).round()
            assert set(ratio.unique().tolist()) <= {0, 1, 1024, 1025}
            both.append((ratio == 1025).double().mean().item())
        result["both"] = spread(both)
    return result


def main():
    w = 0.01 * torch.randn(64, 64, generator=torch.Generator().manual_seed(20251125))
    assert w.abs().unique().numel() == w.numel() and w.abs().min() > 0
    save_file({"w": w}, HERE / "random.safetensors")
    cases = []
    for method, densities in DENSITIES.items():
        ranked = method.startswith("della")
        for density in densities:
            for shape in [[64, 64], [4096], [8, 8, 64]] if ranked else [[64, 64]]:
                for rescale in (True, False):
                    parameters = {"density": density, "rescale": rescale, "normalize": False} | ({"epsilon": 0.15} if ranked else {})
                    cases.append({"method": method, "shape": shape, "parameters": parameters, "runs": RUNS, **facts(method, w.reshape(shape), parameters)})
    json.dump(cases, open(HERE / "random.json", "w"), indent=1)
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
