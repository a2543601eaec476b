"""Writes mlp.json: ten Adam steps of MARBLE's probe, and the learning rates of ReduceLROnPlateau, as PyTorch computes them.

Made with Python 3, torch 2.13.0 (CPU), seed 20251123, in this folder:

    python make_mlp.py
"""

import json

import torch

SEED = 20251123
torch.manual_seed(SEED)
ITEMS, LAYERS, DIM, HIDDEN, TAGS, STEPS, LR = 12, 3, 5, 8, 2, 10, 0.01

mix = torch.randn(LAYERS, requires_grad=True)
hidden = torch.nn.Linear(DIM, HIDDEN)
output = torch.nn.Linear(HIDDEN, TAGS)
x = torch.randn(ITEMS, LAYERS, DIM)
y = (torch.rand(ITEMS, TAGS) < 0.4).float()
named = {"mix": mix, "hidden.weight": hidden.weight, "hidden.bias": hidden.bias,
         "output.weight": output.weight, "output.bias": output.bias}


def dump():
    return {name: p.detach().flatten().tolist() for name, p in named.items()}


def logits():
    return output(torch.relu(hidden((torch.softmax(mix, 0)[None, :, None] * x).sum(1))))


before, adam, losses = dump(), torch.optim.Adam(named.values(), lr=LR), []
for _ in range(STEPS):
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits(), y)
    adam.zero_grad()
    loss.backward()
    adam.step()
    losses.append(loss.item())

values = torch.rand(60, dtype=torch.float64).mul(0.1).add(torch.linspace(0.5, 0.6, 60, dtype=torch.float64)).tolist()
values[20:26] = [max(values[:20]) * (1 + 5e-5)] * 6
sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(sgd, mode="max", factor=0.5, patience=3)
rates = []
for value in values:
    plateau.step(value)
    rates.append(sgd.param_groups[0]["lr"])

with open("mlp.json", "w") as f:
    json.dump({
        "made_by": {"torch": torch.__version__, "seed": SEED},
        "items": ITEMS, "layers": LAYERS, "dim": DIM, "hidden": HIDDEN, "tags": TAGS, "lr": LR,
        "x": x.flatten().tolist(), "y": y.int().tolist(), "before": before, "losses": losses, "after": dump(),
        "logits": logits().detach().flatten().tolist(), "values": values, "rates": rates,
    }, f)
