"""Writes ped_anova.json: trials of small studies with the importances that Optuna gives them.

    python make_golden.py        with optuna 5.0.0, numpy 2.4.6; seeds 1 to 7

Points hold Optuna's internal values, in which a choice is its index.
"""
import json
import math
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def numbers(trial):
    a = trial.suggest_float("a", -1, 2)
    b = trial.suggest_float("b", 1e-4, 10, log=True)
    c = trial.suggest_float("c", 0, 1, step=0.05)
    return (a - 1) ** 2 + 0.1 * math.log(b) ** 2 + 0.02 * c


def integers(trial):
    i = trial.suggest_int("i", 1, 200)
    j = trial.suggest_int("j", 1, 1000, log=True)
    k = trial.suggest_int("k", 0, 12, step=3)
    return i / 50 - math.log(j) + 0.01 * k


def choices(trial):
    m = trial.suggest_categorical("m", ["sum", "ties", "dare"])
    s = trial.suggest_categorical("s", ["one"])
    x = trial.suggest_float("x", 0, 1)
    return {"sum": 0.0, "ties": 0.3, "dare": -0.5}[m] + 0.2 * x * (1 - x)


def conditional(trial):
    m = trial.suggest_categorical("m", ["sum", "ties", "dare"])
    lam = trial.suggest_float("lambda", 0, 1.5)
    value = 0.7 - (lam - 0.4) ** 2
    if m != "sum":
        density = trial.suggest_float("density", 0.1, 1)
        value += 0.2 - abs(density - 0.6)
    if m == "dare":
        seed = trial.suggest_int("layers", 1, 8)
        value -= 0.01 * seed
    return value


def ties(trial):
    return float(trial.suggest_int("i", 0, 3) + trial.suggest_int("j", 0, 2))


CASES = [  # name, function, direction, trials, sampler
    ("numbers", numbers, "minimize", 60, optuna.samplers.RandomSampler(seed=1)),
    ("integers", integers, "maximize", 60, optuna.samplers.RandomSampler(seed=2)),
    ("choices", choices, "maximize", 50, optuna.samplers.RandomSampler(seed=3)),
    ("conditional", conditional, "maximize", 90, optuna.samplers.TPESampler(seed=4, multivariate=True, group=True)),
    ("conditional, few", conditional, "maximize", 9, optuna.samplers.RandomSampler(seed=5)),
    ("ties", ties, "maximize", 40, optuna.samplers.RandomSampler(seed=6)),
    ("two trials", numbers, "minimize", 2, optuna.samplers.RandomSampler(seed=7)),
]


def param(name, d):
    if isinstance(d, CategoricalDistribution):
        return {"name": name, "choices": list(d.choices)}
    out = {"name": name, "low": d.low, "high": d.high, "log": d.log, "integer": isinstance(d, IntDistribution)}
    if d.step is not None and not d.log and not (out["integer"] and d.step == 1):
        out["step"] = d.step
    return out


golden = []
for name, function, direction, n, sampler in CASES:
    study = optuna.create_study(direction=direction, sampler=sampler)
    study.optimize(function, n_trials=n)
    space, trials = {}, []
    for t in study.trials:
        for key, d in t.distributions.items():
            space.setdefault(key, d)
        trials.append({"point": {k: t.distributions[k].to_internal_repr(v) for k, v in t.params.items()}, "value": t.value})
    shares = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    golden.append({"name": name, "direction": direction.upper(), "space": [param(k, d) for k, d in space.items()],
                   "trials": trials, "importance": shares})
with open("ped_anova.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(g) for g in golden) + "\n]\n")
