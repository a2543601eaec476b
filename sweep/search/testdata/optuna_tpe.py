"""Writes optuna_tpe.json: the best values that Optuna's TPESampler, as it is by default, finds on the functions of functions.py.

    python optuna_tpe.py > optuna_tpe.json

Made with optuna 5.0.0, numpy 2.4.6 and Python 3.11. By default that sampler is multivariate and starts with 10 random trials.
"best" holds, by function and number of dimensions, the best value after the budget for each seed, ascending: of 20 seeds, and
of 100 in one dimension, where a search either finds the best of several minima or does not, so that a median of 20 is a
toss-up. "probe" is the function's value at x_i = 0.3 i - 1, by which the Go test makes sure that both sides measure the same.
"""

import json
import statistics
import sys
import warnings

import numpy
import optuna

from functions import FUNCTIONS

SEEDS = {1: 100, 2: 20, 5: 20, 8: 20}
BUDGET = {1: 50, 2: 100, 5: 200, 8: 300}


def best(name, n, seed):
    low, high, f = FUNCTIONS[name]
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(lambda t: f([t.suggest_float(f"x{i}", low, high) for i in range(n)]), n_trials=BUDGET[n])
    return study.best_value


def main():
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    cells = []
    for n, budget in BUDGET.items():
        for name, (_, _, f) in FUNCTIONS.items():
            values = sorted(float(f"{best(name, n, seed):.6g}") for seed in range(SEEDS[n]))
            cells.append({
                "function": name, "dimensions": n, "trials": budget, "median": float(f"{statistics.median(values):.6g}"),
                "best": values, "probe": f([0.3 * i - 1 for i in range(n)]),
            })
            print(name, n, statistics.median(values), file=sys.stderr, flush=True)
    cells.sort(key=lambda c: (list(FUNCTIONS).index(c["function"]), c["dimensions"]))
    lines = ",\n  ".join(json.dumps(c) for c in cells)
    print(f'{{"optuna": "{optuna.__version__}", "numpy": "{numpy.__version__}", "cells": [\n  {lines}\n]}}')


if __name__ == "__main__":
    main()
