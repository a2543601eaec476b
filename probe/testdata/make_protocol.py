"""Writes protocol.json: MARBLE's constrained probe, as PyTorch trains it, over five seeds on an easy and a hard synthetic task.

Made with Python 3, torch 2.13.0 (CPU), numpy 2.4.6, seeds 1 to 5, in this folder:

    python make_protocol.py

Features are those of protocol_test.go, bit for bit: Marsaglia's xorshift64 from state 1, shifts 13, 7 and 17, of which the upper 24 bits
give a uniform float32 u in [-√3, √3). Items have two windows each. An item first draws a u for each tag, which it has where u exceeds
1.1547; then each window draws a u for each layer and input, to which `shift` is added where the item has tag (input mod tags).
Splits follow one another: train, valid, test.

The protocol: softmax-weighted sum of layers 1 to L with scalars from N(0, 1), Linear(dim, 512), ReLU, Dropout(0.2), Linear(512, tags),
BCEWithLogitsLoss on windows, Adam(1e-3), batches of 64, ReduceLROnPlateau(max, 0.5, 3) and an early stop after 10 epochs without a
better ROC-AUC on valid, at most 60 epochs, the best epoch's weights; logits are averaged over an item's windows on valid and test.

The layers are equally good, so most of a run's luck is in its initial scalars, which are written down for the other side to start from.
"""

import copy
import json

import numpy as np
import torch

ITEMS = {"train": 300, "valid": 150, "test": 600}
WINDOWS, STATES, DIM, TAGS, EPOCHS = 2, 4, 24, 4, 60


def features(shift):
    state = 1

    def uniform():
        nonlocal state
        state ^= (state << 13) & (2**64 - 1)
        state ^= state >> 7
        state ^= (state << 17) & (2**64 - 1)
        return np.float32(np.float32(np.float32(state >> 40) / np.float32(1 << 23) - np.float32(1)) * np.float32(1.7320508))

    splits = {}
    for name, items in ITEMS.items():
        x = np.empty((items, WINDOWS, STATES, DIM), np.float32)
        y = np.empty((items, TAGS), bool)
        for i in range(items):
            for t in range(TAGS):
                y[i, t] = uniform() > np.float32(1.1547)
            for window in range(WINDOWS):
                for j in range(STATES * DIM):
                    v = uniform()
                    x[i, window].flat[j] = v + np.float32(shift) if y[i, j % TAGS] else v
        splits[name] = torch.from_numpy(x), torch.from_numpy(y)
    return splits


def auc(scores, labels):
    """Macro ROC-AUC by midranks."""
    out = []
    for z, y in zip(scores.double().numpy().T, labels.numpy().T):
        _, at, count = np.unique(z, return_inverse=True, return_counts=True)
        ranks = (np.cumsum(count) - (count - 1) / 2)[at]
        p = y.sum()
        out.append((ranks[y].sum() - p * (p + 1) / 2) / (p * (len(y) - p)))
    return float(np.mean(out))


class Probe(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Parameter(torch.randn(STATES - 1))
        self.net = torch.nn.Sequential(torch.nn.Linear(DIM, 512), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(512, TAGS))

    def forward(self, x):
        return self.net(torch.einsum("l,...ld->...d", self.mix.softmax(0), x[..., 1:, :]))


def fit(splits, seed):
    torch.manual_seed(seed)
    probe = Probe()
    mix = probe.mix.tolist()
    adam = torch.optim.Adam(probe.parameters(), lr=1e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(adam, mode="max", factor=0.5, patience=3)
    loss_of = torch.nn.BCEWithLogitsLoss()
    x, y = splits["train"]
    x, y = x.flatten(0, 1), y.repeat_interleave(WINDOWS, 0).float()
    best, weights, at = -1.0, None, 0

    def score(split):
        probe.eval()
        with torch.no_grad():
            return auc(probe(splits[split][0]).mean(1), splits[split][1])

    for epoch in range(1, EPOCHS + 1):
        probe.train()
        for batch in torch.randperm(len(x)).split(64):
            adam.zero_grad()
            loss_of(probe(x[batch]), y[batch]).backward()
            adam.step()
        value = score("valid")
        if value > best:
            best, weights, at = value, copy.deepcopy(probe.state_dict()), epoch
        if epoch - at >= 10:
            break
        plateau.step(value)
    probe.load_state_dict(weights)
    return {"seed": seed, "mix": mix, "epoch": at, "valid": best, "test": score("test")}


tasks = []
for name, shift in (("easy", 0.5), ("hard", 0.15)):
    splits = features(shift)
    runs = [fit(splits, seed) for seed in range(1, 6)]
    checksum = float(sum(x.double().sum() for x, _ in splits.values()))
    tasks.append({"name": name, "shift": shift, "checksum": checksum, "positives": int(sum(y.sum() for _, y in splits.values())), "runs": runs})
    test = [r["test"] for r in runs]
    print(name, np.mean(test), np.std(test, ddof=1), [r["epoch"] for r in runs])
with open("protocol.json", "w") as f:
    json.dump({"made_by": {"torch": torch.__version__, "numpy": np.__version__},
               "items": ITEMS, "windows": WINDOWS, "states": STATES, "dim": DIM, "tags": TAGS, "epochs": EPOCHS, "tasks": tasks}, f, indent=1)
    f.write("\n")
