"""Writes cmaes_peer.json: what cmaes (PyPI) reaches on the functions of functions.py, for cmaes_peer_test.go.

    pip install cmaes==0.13.1 numpy==2.4.6 && python cmaes_peer.py

The class CMA with bounds, its default population, the mean in the centre, sigma a sixth of the range (Optuna's default) and a
quarter of it (this package's): seeds 0 to 19, and the best value within the budget of each dimension. Values are sorted.
"""

import json
import os
import sys

import cmaes
import numpy as np

from functions import FUNCTIONS

BUDGETS = {1: 60, 2: 150, 5: 500, 8: 1000}
SEEDS = 20


def best(low, high, f, n, share, budget, seed):
    bounds = np.array([[low, high]] * n)
    optimizer = cmaes.CMA(np.full(n, (low + high) / 2), (high - low) * share, bounds=bounds, seed=seed)
    least, left = np.inf, budget
    while left > 0:
        solutions = []
        for _ in range(min(left, optimizer.population_size)):
            x = optimizer.ask()
            solutions.append((x, f(x)))
        left -= len(solutions)
        least = min(least, min(value for _, value in solutions))
        if len(solutions) == optimizer.population_size:
            optimizer.tell(solutions)
    return float(f"{least:.4g}")


def main():
    cells = []
    for name, (low, high, f) in FUNCTIONS.items():
        for n, budget in BUDGETS.items():
            cell = {"function": name, "dimensions": n, "budget": budget}
            for key, share in (("sixth", 1 / 6), ("quarter", 1 / 4)):
                cell[key] = sorted(best(low, high, f, n, share, budget, seed) for seed in range(SEEDS))
            cells.append(cell)
    made = f"cmaes {cmaes.__version__}, numpy {np.__version__}, Python {sys.version.split()[0]}, seeds 0 to {SEEDS - 1}"
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "cmaes_peer.json"), "w") as file:
        file.write('{"made": ' + json.dumps(made) + ',\n "cells": [\n  ' + ",\n  ".join(map(json.dumps, cells)) + "\n]}\n")


main()
