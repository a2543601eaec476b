"""Writes shuffle.json, ids.npy and tags.npy: what numpy's legacy generator and numpy.save make.

numpy 2.x; seeds stated below. Run in this folder: python make_golden.py
"""
import json

import numpy as np

cases = []
for seed, n in [(10, 1240), (10, 20), (0, 1), (1, 2), (42, 700), (4294967295, 33)]:
    order = list(range(n))
    np.random.seed(seed)
    np.random.shuffle(order)
    cases.append({"seed": seed, "order": order})
with open("shuffle.json", "w") as f:
    json.dump({"numpy": np.__version__, "cases": cases}, f)

np.save("ids.npy", np.array(["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"]))
np.save("tags.npy", np.array(["saz", "düyek", "𝄞"]))
np.save("object.npy", np.array(["a", 1], dtype=object), allow_pickle=True)
