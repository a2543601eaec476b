"""Writes the golden files of package checkpoint with the reference implementation.

Versions used: Python 3.11, safetensors 0.8.0, torch 2.13.0. Seed: 20250617. Run in this directory: python make.py
"""

import json
import os

import torch
from safetensors.torch import save_file

torch.manual_seed(20250617)


def describe(tensors):
    """What a reader must find: values as float64 or int, NaN and infinities as strings."""
    out = {}
    for name, t in tensors.items():
        values = t.to(torch.float64) if t.is_floating_point() else t.to(torch.int64)
        values = values.flatten().tolist()
        values = [v if isinstance(v, int) or abs(v) < float("inf") else str(v) for v in values]
        out[name] = {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "values": values}
    return out


mixed = {
    "encoder.weight": torch.randn(3, 4),
    "encoder.half": torch.randn(2, 3).to(torch.float16),
    "encoder.brain": torch.randn(5).to(torch.bfloat16),
    "encoder.double": torch.randn(2, 2, dtype=torch.float64),
    "counters": torch.tensor([[1, -2], [2**53 + 1, -(2**63)]]),
    "small": torch.tensor([-32768, 0, 32767], dtype=torch.int16),
    "ids": torch.tensor([2**31 - 1, -1], dtype=torch.int32),
    "bytes": torch.arange(5, dtype=torch.uint8),
    "flags": torch.tensor([True, False]),
    "scalar": torch.tensor(3.25),
    "empty": torch.zeros(0, 7),
    "é \"quoted\"": torch.tensor([float("nan"), float("inf"), -0.0]),
}
metadata = {"format": "pt", "note": "a <b> & \"c\" ü"}
save_file(mixed, "mixed.safetensors", metadata=metadata)

# Conversions by PyTorch: numbers around every edge of both 16-bit types, and random bit patterns.
edges = [0.0, 1.0, 65504.0, 65519.99, 65520.0, 65536.0, 2.0**-14, 2.0**-24, 2.0**-25, 1.5 * 2.0**-25, 1.0 + 2.0**-11,
         1.0 + 3 * 2.0**-11, 1.0 + 2.0**-8, 1.0 + 3 * 2.0**-8, 3.3895e38, 1e-45, 1e-40, 6.0e-8, 3.0e-8,
         2.0**-14 - 2.0**-25, 2.0**-14 - 2.0**-26, 2049.0, 2051.0]
x = torch.cat([torch.tensor(edges), -torch.tensor(edges), torch.randn(900), torch.randn(900) * 1e-6,
               torch.randint(-(2**31), 2**31, (1200,)).to(torch.int32).view(torch.float32)])
save_file({"x": x, "f16": x.to(torch.float16), "bf16": x.to(torch.bfloat16),
           "f16_back": x.to(torch.float16).float(), "bf16_back": x.to(torch.bfloat16).float()}, "convert.safetensors")

codes = torch.arange(256, dtype=torch.int16).to(torch.uint8)
eights = {"e4m3": codes.view(torch.float8_e4m3fn), "e5m2": codes.clone().view(torch.float8_e5m2)}
save_file(eights, "eights.safetensors")

os.makedirs("sharded", exist_ok=True)
shards = {
    "model-00001-of-00002.safetensors": {"a.weight": torch.randn(2, 2), "b.weight": torch.randn(3)},
    "model-00002-of-00002.safetensors": {"c.bias": torch.randn(4).to(torch.bfloat16)},
}
for file, tensors in shards.items():
    save_file(tensors, os.path.join("sharded", file), metadata={"format": "pt"})
weight_map = {name: file for file, tensors in shards.items() for name in tensors}
with open("sharded/model.safetensors.index.json", "w") as f:
    json.dump({"metadata": {"total_size": 36}, "weight_map": weight_map}, f, indent=2, sort_keys=True)
with open("sharded/config.json", "w") as f:
    json.dump({"model_type": "toy"}, f)

# Rounding to 8 bits by PyTorch: every number that either type has, what lies halfway between two, and both types' borders.
values = torch.cat([codes.view(t).float() for t in (torch.float8_e4m3fn, torch.float8_e5m2)])
values = values[torch.isfinite(values)].abs().unique()
halfway = (values[1:] + values[:-1]) / 2
near = torch.cat([values, halfway, torch.tensor([464.0, 479.9, 480.0, 61439.9, 61440.0, 65536.0, 1e30, float("inf"), float("nan")])])
near = torch.cat([near, torch.nextafter(near, torch.tensor(0.0)), torch.nextafter(near, torch.tensor(float("inf")))])
x = torch.cat([near, -near, torch.randn(1000) * 10, torch.randn(500) * 1e-3])
save_file({"x": x, "e4m3": x.to(torch.float8_e4m3fn), "e5m2": x.to(torch.float8_e5m2)}, "rounding8.safetensors")

with open("expected.json", "w") as f:
    json.dump({
        "mixed": describe(mixed),
        "metadata": metadata,
        "eights": describe(eights),
        "sharded": describe({n: t for s in shards.values() for n, t in s.items()}),
    }, f, indent=1, ensure_ascii=False, sort_keys=True)
