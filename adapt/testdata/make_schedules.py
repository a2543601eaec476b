"""Writes schedules.json: learning rates of independent schedulers, for the test of adapt's Schedule.

    python make_schedules.py [FILE]       # FILE: schedules.json in this file's folder

Written with torch 2.13.0 and transformers 5.24.0; the versions stand in the file too. Nothing is random, so there is no seed.
Every rate was taken by a real optimiser: torch's SGD moves a float64 weight at 0 with the gradient -1 to exactly the rate of
the step, while transformers' or torch's scheduler steps beside it. Nothing here is computed from adapt's formulas.

Conventions. Those schedulers give update n, counted from 0, the rate f(n): with a warm-up of w updates f(0) is 0, an update that
changes nothing, f(w) is the peak, and the last of N updates has f(N-1), one short of the end. Schedule.Rate counts the updates that
are done when the step is over, as fairseq does: Rate(s) is f(s+1), so that step w-1 has the peak and the last step, N-1, the final
rate. The schedulers are therefore driven for N+1 updates, of which the first is left out ("ahead" is 1). One of transformers'
has Rate's convention itself and is driven for N (cosine_warmup_with_min_lr: "ahead" is 0).

Rate differs on purpose where a stage is nothing but warm-up: it ends on the peak, whereas transformers' f(N) is 0 or a division by
0. torch's LinearLR alone, a warm-up that nothing follows, stands for that.

A case is one or more stages, each with a fresh optimiser and scheduler; its rates are the stages' in a row. "lr" is what a recipe
would say. Where that begins "from": "last", the scheduler starts at the rate that the one before ended with; the numbers of warm-up
and decay steps that a share comes to are given to the schedulers by hand.
"""
import json
import pathlib
import sys
import warnings

import torch
import transformers
from torch.optim import lr_scheduler as torch_lr
from transformers import optimization as hf


def linear(opt, lr, warm, steps):
    return hf.get_linear_schedule_with_warmup(opt, warm, steps)


def polynomial(opt, lr, warm, steps):
    return hf.get_polynomial_decay_schedule_with_warmup(opt, warm, steps, lr_end=lr["final"], power=1.0)


def constant(opt, lr, warm, steps):
    return hf.get_constant_schedule_with_warmup(opt, warm)


def cosine(opt, lr, warm, steps):
    return hf.get_cosine_schedule_with_warmup(opt, warm, steps)


def cosine_with_min_lr(opt, lr, warm, steps):
    return hf.get_cosine_with_min_lr_schedule_with_warmup(opt, warm, steps, min_lr=lr["final"])


def cosine_warmup_with_min_lr(opt, lr, warm, steps):
    return hf.get_cosine_with_min_lr_schedule_with_warmup_lr_rate(opt, warm, steps, min_lr=lr["final"])


cosine_warmup_with_min_lr.ahead = 0


def wsd(decay):
    def schedule(opt, lr, warm, steps):
        assert lr.get("start", 0) == lr.get("final", 0)  # it has one number for both
        return hf.get_wsd_schedule(opt, warm, decay, num_training_steps=steps, decay_type="linear", min_lr_ratio=lr.get("final", 0) / lr["peak"])
    schedule.peer = "get_wsd_schedule"
    return schedule


def torch_cosine(opt, lr, warm, steps):
    return torch_lr.SequentialLR(opt, [
        torch_lr.LinearLR(opt, start_factor=lr["start"] / lr["peak"], total_iters=warm),
        torch_lr.CosineAnnealingLR(opt, T_max=steps - warm, eta_min=lr["final"])], milestones=[warm])


def torch_linear(opt, lr, warm, steps):
    return torch_lr.SequentialLR(opt, [
        torch_lr.LinearLR(opt, start_factor=lr["start"] / lr["peak"], total_iters=warm),
        torch_lr.LinearLR(opt, start_factor=1, end_factor=lr["final"] / lr["peak"], total_iters=steps - warm)], milestones=[warm])


def torch_warmup(opt, lr, warm, steps):
    return torch_lr.LinearLR(opt, start_factor=lr["start"] / lr["peak"], total_iters=warm)


MERT = dict(peak=5e-4)
CASES = [  # name, stages: scheduler, lr, warm-up steps, steps
    ("linear without warm-up", [(linear, MERT, 0, 24)]),
    ("linear after a share", [(linear, MERT | dict(warmup=0.1, shape="linear"), 4, 40)]),
    ("linear after a share that is rounded down", [(linear, MERT | dict(warmup=0.1), 4, 43)]),
    ("linear after a share that is rounded up from the half", [(linear, MERT | dict(warmup=0.1), 5, 45)]),
    ("linear after a number", [(linear, MERT | dict(warmup=7), 7, 30)]),
    ("linear after one step", [(linear, MERT | dict(warmup=1), 1, 12)]),
    ("linear, nothing but warm-up", [(torch_warmup, MERT | dict(start=1e-4, warmup=12), 12, 12)]),
    ("linear, a warm-up longer than the stage", [(linear, MERT | dict(warmup=20), 20, 12)]),
    ("linear to a final rate", [(polynomial, dict(peak=3e-3, final=2e-4, warmup=6), 6, 33)]),
    ("linear to a final rate without warm-up", [(polynomial, dict(peak=3e-3, final=2e-4), 0, 20)]),
    ("linear from a rate to a rate", [(torch_linear, dict(peak=1e-3, start=4e-4, final=1e-4, warmup=8), 8, 32)]),
    ("constant", [(constant, dict(peak=1e-3, shape="constant"), 0, 10)]),
    ("constant after a warm-up", [(constant, dict(peak=1e-3, warmup=0.25, shape="constant"), 4, 16)]),
    ("cosine without warm-up", [(cosine, dict(peak=1e-4, shape="cosine"), 0, 24)]),
    ("cosine after a share", [(cosine, dict(peak=1e-4, warmup=0.2, shape="cosine"), 7, 35)]),
    ("cosine after a number", [(cosine, dict(peak=1e-4, warmup=5, shape="cosine"), 5, 30)]),
    ("cosine to a final rate", [(cosine_with_min_lr, dict(peak=1e-4, final=1e-5, warmup=0.1, shape="cosine"), 4, 40)]),
    ("cosine to a final rate, the step counted as here", [(cosine_warmup_with_min_lr, dict(peak=1e-4, final=1e-5, warmup=6, shape="cosine"), 6, 40)]),
    ("cosine without warm-up, the step counted as here", [(cosine_warmup_with_min_lr, dict(peak=1e-4, final=2e-5, shape="cosine"), 0, 20)]),
    ("cosine from a rate to a rate", [(torch_cosine, dict(peak=1e-3, start=2e-4, final=5e-5, warmup=10, shape="cosine"), 10, 40)]),
    ("wsd, a fifth unless told", [(wsd(8), dict(peak=2e-3, warmup=4, shape="wsd"), 4, 40)]),
    ("wsd without warm-up", [(wsd(10), dict(peak=2e-3, decay=0.25, shape="wsd"), 0, 40)]),
    ("wsd, stable until it decays at once", [(wsd(32), dict(peak=2e-3, warmup=0.2, decay=0.8, shape="wsd"), 8, 40)]),
    ("wsd from a rate to a rate", [(wsd(12), dict(peak=2e-3, start=1e-4, final=1e-4, warmup=6, decay=0.3, shape="wsd"), 6, 40)]),
    ("two stages, as the recipes for MERT-v1-95M have", [
        (cosine_with_min_lr, dict(peak=5e-4, final=5e-5, warmup=0.1, shape="cosine"), 2, 20),
        (cosine_with_min_lr, dict(peak=1e-4, final=1e-5, warmup=0.1, shape="cosine"), 8, 80)]),
    ("two stages, the second warmed up from where the first ends", [
        (polynomial, dict(peak=1e-3, final=1e-4, warmup=5), 5, 20),
        (torch_linear, {"peak": 6e-4, "from": "last", "final": 1e-5, "warmup": 5}, 5, 30)]),
    ("three stages, warmed up from where a stable and a decayed one end", [
        (wsd(6), dict(peak=1e-3, start=2e-4, final=2e-4, warmup=4, decay=0.3, shape="wsd"), 4, 20),
        (torch_cosine, {"peak": 8e-4, "from": "last", "final": 1e-4, "warmup": 0.2, "shape": "cosine"}, 5, 25),
        (torch_linear, {"peak": 4e-4, "from": "last", "final": 5e-5, "warmup": 3}, 3, 15)]),
]


def drive(schedule, lr, warm, steps):
    """The rates of a stage's steps, as an optimiser took them."""
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    opt = torch.optim.SGD([weight], lr=lr["peak"])
    scheduler = schedule(opt, lr, warm, steps)
    ahead, rates = getattr(schedule, "ahead", 1), []
    for _ in range(steps + ahead):
        with torch.no_grad():
            weight.zero_()
        weight.grad = torch.full_like(weight, -1)
        opt.step()
        rates.append(float(weight.detach()))
        scheduler.step()
    return rates[ahead:]


def main(path):
    warnings.filterwarnings("ignore", message="The epoch parameter in `scheduler.step")  # SequentialLR's own
    cases = []
    for name, stages in CASES:
        rates = []
        for schedule, lr, warm, steps in stages:
            rates += drive(schedule, lr | {"start": rates[-1]} if lr.get("from") == "last" else lr, warm, steps)
        cases.append({
            "name": name,
            "stages": [{"peer": getattr(s, "peer", s.__name__), "ahead": getattr(s, "ahead", 1), "steps": steps, "lr": lr} for s, lr, _, steps in stages],
            "rates": rates})
    made = {"torch": torch.__version__, "transformers": transformers.__version__}
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    path.write_text('{"made_with": %s,\n "cases": [\n%s\n]}\n' % (json.dumps(made), lines))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "schedules.json")
