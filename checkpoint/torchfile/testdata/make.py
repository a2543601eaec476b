"""Writes the golden files of package torchfile with PyTorch, and what they hold with the reference implementation of safetensors.

Versions used: Python 3.11, torch 2.13.0, safetensors 0.8.0. Seed: 20250617. Run in this directory: python make.py

For NAME.bin the tensors are in NAME.safetensors, or in the file that the test's table names.
"""

import argparse
import collections
import io
import json
import os
import sys
import types
import zipfile

import torch
from safetensors.torch import save_file

torch.manual_seed(20250617)


def golden(name, tensors):
    """Every tensor in one piece and with storage of its own, which is what safetensors wants."""
    save_file({k: v.detach().clone(memory_format=torch.contiguous_format) for k, v in tensors.items()}, name + ".safetensors")


def save(name, what, **how):
    torch.save(what, name, **how)


# Every type that PyTorch and safetensors share.
codes = torch.arange(256, dtype=torch.int16).to(torch.uint8)
every = {
    "f64": torch.randn(2, 2, dtype=torch.float64), "f32": torch.randn(3, 4), "f16": torch.randn(2, 3).half(), "bf16": torch.randn(5).bfloat16(),
    "i64": torch.tensor([[1, -2], [2**53 + 1, -(2**63)]]), "i32": torch.tensor([2**31 - 1, -1], dtype=torch.int32),
    "i16": torch.tensor([-32768, 32767], dtype=torch.int16), "i8": torch.tensor([-128, 127], dtype=torch.int8), "u8": codes.clone(),
    "u16": torch.tensor([65535, 1]).to(torch.uint16), "u32": torch.tensor([2**32 - 1]).to(torch.uint32), "u64": torch.tensor([-1]).view(torch.uint64),
    "bool": torch.tensor([True, False, True]), "c64": torch.randn(2, dtype=torch.complex64),
    "e4m3": codes.clone().view(torch.float8_e4m3fn), "e5m2": codes.clone().view(torch.float8_e5m2), "e8m0": codes.clone().view(torch.float8_e8m0fnu),
    "e4m3fnuz": codes.clone().view(torch.float8_e4m3fnuz), "e5m2fnuz": codes.clone().view(torch.float8_e5m2fnuz),
    "scalar": torch.tensor(3.25), "empty": torch.zeros(0, 7), "é \"quoted\"": torch.tensor([float("nan"), float("inf"), -0.0]),
}
golden("types", every)
save("types.bin", every)
save("types-legacy.bin", every, _use_new_zipfile_serialization=False)
save("types-protocol4.bin", every, pickle_protocol=4)
save("types-protocol5-legacy.bin", every, pickle_protocol=5, _use_new_zipfile_serialization=False)

# Views: transposed, permuted, sliced, reversed in order of axes, expanded, tied, with offsets, of a larger storage.
base = torch.randn(4, 6)
cube = torch.randn(2, 3, 4, 5)
wide = torch.randn(3, 4, dtype=torch.float64)
views = collections.OrderedDict({
    "base": base, "tied": base, "row": base[2], "column": base[:, 3], "transposed": base.t(), "block": base[1:3, 2:5], "step": base[::2, ::3], "flat": base.view(-1)[5:17],
    "permuted": cube.permute(3, 1, 0, 2), "channels_last": cube.contiguous(memory_format=torch.channels_last), "outer": cube[:, 1], "single": cube[1:2, 2:3, 3:4, 4:5],
    "expanded": torch.randn(3).expand(2, 3), "inner": torch.randn(3, 1).expand(3, 2), "one": base[3, 5], "none": base[4:], "windows": torch.arange(6.0).unfold(0, 3, 1),
    "integers": torch.arange(12).view(3, 4).t(), "halves": torch.randn(3, 4).half().t(), "bytes": codes.view(16, 16).t(), "flags": torch.tensor([[True, False], [True, True]]).t(),
    "doubles": wide.t(), "complex": torch.randn(2, 3, dtype=torch.complex64).t(),
})
golden("views", views)
save("views.bin", views)
save("views-legacy.bin", views, _use_new_zipfile_serialization=False)

# A module's own state dict (with its _metadata), parameters, and tensors with attributes.
lin = torch.nn.utils.weight_norm(torch.nn.Linear(3, 2))
state = lin.state_dict(keep_vars=True)
tagged = torch.nn.Parameter(torch.randn(2, 3))
tagged.tag = "x"
state["tagged"] = tagged
plain = torch.randn(3)
plain.tag = {"a": 1}
state["plain"] = plain
state["buffer"] = torch.nn.Buffer(torch.randn(2))
golden("module", state)
save("module.bin", state)
save("module-legacy.bin", state, _use_new_zipfile_serialization=False)

# As fairseq's trainer does it: the model beside arguments and an omegaconf object, whose class is made up here.
omegaconf = types.ModuleType("omegaconf.dictconfig")
exec("class DictConfig:\n    pass", omegaconf.__dict__)
omegaconf.DictConfig.__module__ = "omegaconf.dictconfig"
sys.modules["omegaconf"] = types.ModuleType("omegaconf")
sys.modules["omegaconf.dictconfig"] = omegaconf
cfg = omegaconf.DictConfig()
cfg.__dict__ = {"_content": {"lr": [1e-3], "parent": cfg}, "_flags": {1, 2}}
model = {"encoder.layers.0.fc1.weight": torch.randn(4, 3), "encoder.pos_conv.0.weight_g": torch.randn(1, 1, 4), "encoder.pos_conv.0.weight_v": torch.randn(2, 3, 4)}
opt = {"state": {0: {"step": 3, "exp_avg": torch.randn(4, 3)}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.98), "params": [0]}]}
fairseq = {
    "args": argparse.Namespace(lr=[0.1], arch="mert", fp16=True), "cfg": cfg, "model": model, "criterion": None, "optimizer_history": [{"num_updates": 2**40, "lr_scheduler_state": {}}],
    "task_state": {}, "extra_state": {"val_loss": 1.5, "metrics": [("default", b"raw", 2**200)], "set": frozenset({1})}, "last_optimizer_state": opt,
}
golden("fairseq", model)
save("fairseq.bin", fairseq)
save("fairseq-legacy.bin", fairseq, _use_new_zipfile_serialization=False)
save("lightning.bin", {"epoch": 3, "state_dict": model, "model": {"w": torch.zeros(1)}, "optimizer_states": [opt]})

# What is refused, each with the rule in the test's table.
save("deep.bin", {"net": {"inner": model}, "epoch": 1})
save("tensor.bin", torch.zeros(2))
save("object.bin", torch.nn.Linear(1, 1))
save("sparse.bin", {"w": torch.zeros(2), "s": torch.eye(2).to_sparse()})
save("quantized.bin", {"w": torch.zeros(2), "q": torch.quantize_per_tensor(torch.zeros(2), 1.0, 0, torch.qint8)})
save("complex128.bin", {"w": torch.zeros(2, dtype=torch.complex128)})
save("conjugated.bin", {"w": torch.randn(2, dtype=torch.complex64).conj()})
save("meta.bin", {"w": torch.zeros(2), "m": torch.zeros(2, device="meta")})
save("nested.bin", {"w": torch.zeros(2), "optimizer": opt})
save("protocol0.bin", {"w": 1}, pickle_protocol=0)
with io.BytesIO() as script:
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), script)
    open("script.bin", "wb").write(script.getvalue())


def repack(name, method, order=None):
    """small.bin's entries through Python's zip writer, which makes no 64-bit records."""
    with zipfile.ZipFile("small.bin") as old, zipfile.ZipFile(name, "w", method) as new:
        for item in old.namelist():
            data = old.read(item)
            new.writestr(zipfile.ZipInfo(item), order if order and item.endswith("/byteorder") else data, method)


small = {"w": torch.randn(2, 3)}
golden("small", small)
save("small.bin", small)
save("small-legacy.bin", small, _use_new_zipfile_serialization=False)
repack("small-zip32.bin", zipfile.ZIP_STORED)
repack("deflated.bin", zipfile.ZIP_DEFLATED)
repack("bigendian.bin", zipfile.ZIP_STORED, b"big")

# Two shards with their index, as transformers wrote them, and the same tensors in one file.
os.makedirs("sharded", exist_ok=True)
shards = {
    "pytorch_model-00001-of-00002.bin": {"a.weight": torch.randn(2, 3).t(), "b.weight": torch.randn(3)},
    "pytorch_model-00002-of-00002.bin": {"c.bias": torch.randn(4).bfloat16(), "d.count": torch.arange(6).view(2, 3).t()},
}
for file, tensors in shards.items():
    save(os.path.join("sharded", file), tensors)
with open("sharded/pytorch_model.bin.index.json", "w") as f:
    json.dump({"metadata": {"total_size": 92}, "weight_map": {n: file for file, t in shards.items() for n in t}}, f, indent=2, sort_keys=True)
golden("sharded", {n: t for s in shards.values() for n, t in s.items()})

# A transposed matrix of more elements than are read at once: bf16, so that it is short; each value is exact.
save("long.bin", {"w": (torch.arange(3 * 7000).view(3, 7000) % 256).bfloat16().t()})
