"""Writes nsga2_peer.json, for nsga2_peer_test.go: what Optuna's NSGAIISampler reaches on two functions, and what Optuna says
the Pareto front and the hypervolume of given trials are.

    pip install optuna==5.0.0 numpy==2.4.6 && python nsga2_peer.py

Functions: ZDT1 and ZDT2 (Zitzler, Deb and Thiele 2000) in 5 dimensions on [0, 1], both objectives minimised; the sampler's
defaults and its SBX with polynomial mutation, population 50, seeds 0 to 19, 300 trials; hypervolume to (1.1, 4), sorted.
"""

import json
import math
import multiprocessing
import os
import sys
import warnings

import numpy as np
import optuna
from optuna._hypervolume import compute_hypervolume
from optuna.samplers.nsgaii import PolynomialMutation, SBXCrossover

SEEDS, TRIALS, DIMENSIONS = 20, 300, 5
REFERENCE = np.array([1.1, 4.0])  # within reach of a random search: the budget is that of a sweep


def zdt1(x):
    g = 1 + 9 * sum(x[1:]) / (len(x) - 1)
    return x[0], g * (1 - math.sqrt(x[0] / g))


def zdt2(x):
    g = 1 + 9 * sum(x[1:]) / (len(x) - 1)
    return x[0], g * (1 - (x[0] / g) ** 2)


def hypervolume(values, signs=(1, 1), reference=REFERENCE):
    values = np.asarray(values) * np.asarray(signs)
    reference = np.asarray(reference) * np.asarray(signs)
    values = values[np.all(values <= reference, axis=1)]
    return float(compute_hypervolume(values, reference)) if len(values) else 0.0


def reach(job):
    f, operators, seed = job
    quiet()
    if operators == "sbx":
        operators = {"crossover": SBXCrossover(), "mutation": PolynomialMutation()}
    else:
        operators = {}
    sampler = optuna.samplers.NSGAIISampler(population_size=50, seed=seed, **operators)
    study = optuna.create_study(directions=["minimize"] * 2, sampler=sampler)
    study.optimize(lambda t: f([t.suggest_float(f"x{i}", 0, 1) for i in range(DIMENSIONS)]), n_trials=TRIALS)
    return float(f"{hypervolume([t.values for t in study.trials]):.5g}")


def quiet():
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def golden():
    """Trials with ties, duplicates, failures and broken constraints, in four pairs of directions."""
    random, cases = np.random.default_rng(8), []
    for directions in (["minimize"] * 2, ["maximize"] * 2, ["minimize", "maximize"], ["maximize"] * 3):
        study, trials = optuna.create_study(directions=directions), []
        for i in range(40):
            values = random.dirichlet([1.0] * len(directions)) * 8 + random.integers(-1, 2)  # around a plane, so that fronts are long
            values = [float(round(v if d == "minimize" else 8 - v)) / 8 for v, d in zip(values, directions)]
            constraints = [float(v) / 4 for v in random.integers(-3, 2, 2)]
            fails = i % 11 == 10
            study.add_trial(optuna.trial.create_trial(
                state=optuna.trial.TrialState.FAIL if fails else optuna.trial.TrialState.COMPLETE,
                values=None if fails else values, system_attrs={"constraints": constraints}))
            trials.append({"values": None if fails else values, "constraints": constraints})
        case = {"directions": [d.upper() for d in directions], "trials": trials, "front": sorted(t.number for t in study.best_trials)}
        if len(directions) == 2:
            signs = [1 if d == "minimize" else -1 for d in directions]
            case["reference"] = [0.9 if d == "minimize" else 0.1 for d in directions]
            case["hypervolume"] = hypervolume([t["values"] for t in trials if t["values"]], signs, case["reference"])
        cases.append(case)
    return cases


def main():
    quiet()
    result = {
        "made": f"optuna {optuna.__version__}, numpy {np.__version__}, Python {sys.version.split()[0]}, seeds 0 to {SEEDS - 1}",
        "trials": TRIALS,
        "dimensions": DIMENSIONS,
    }
    with multiprocessing.Pool(2) as pool:
        for operators in ("default", "sbx"):
            result[operators] = {f.__name__: sorted(pool.map(reach, [(f, operators, seed) for seed in range(SEEDS)])) for f in (zdt1, zdt2)}
    result["golden"] = golden()
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "nsga2_peer.json"), "w") as file:
        json.dump(result, file)
        file.write("\n")


if __name__ == "__main__":
    main()
