"""Makes sparse.safetensors and low_rank.safetensors by the description of the format in the package comment, so that the reader
is held against the description and not against the writer beside it.

    python golden.py            # numpy 2.4, safetensors 0.8; seed 4

want.json says what the tensors are: shapes, and the SHA-256 of sparse ones as float32, the numbers of those of low rank.
"""

import hashlib
import json

import numpy as np
from safetensors.numpy import save_file

rng = np.random.default_rng(4)
META = {"syncretic.kind": "task_vector", "syncretic.vector.version": "1"}


def sparse(name, x):
    flat = x.ravel()
    kept = flat != 0
    bits = np.packbits(kept, bitorder="little")  # one byte an octet, padded with 0
    some = bits != 0
    return {
        f"{name}.shape": np.array(x.shape, np.int64),
        f"{name}.octets": np.packbits(some, bitorder="little"),
        f"{name}.mask": bits[some],
        f"{name}.values": flat[kept],
    }


def thinned(shape, density, dtype=np.float32):
    x = rng.standard_normal(shape).astype(dtype)
    x[rng.random(shape) >= density] = 0
    return x


tensors = {
    "layers.0.w": thinned((150, 113), 0.1),  # two blocks; 16950 elements, 6 in the last octet
    "layers.0.half": thinned((40, 10), 0.3, np.float16),
    "layers.1.few": thinned((3, 7000), 0.001),
    "none": np.zeros((8, 16), np.float32),
    "all": rng.standard_normal((65,)).astype(np.float32),
    "scalar": np.array(-1.5, np.float32),
    "dotted.dense": thinned((2, 3, 5), 0.5),
}
parts = {}
for name, x in tensors.items():
    parts |= sparse(name, x) if x.ndim else {f"{name}.dense": x}
save_file(parts, "sparse.safetensors", META | {"syncretic.vector.form": "sparse"})

factored, parts = {}, {}
for name, shape, rank in [("linear", (30, 20), 3), ("conv", (12, 8, 5), 2), ("zero", (4, 6), 0)]:
    left = rng.standard_normal((shape[0], rank)).astype(np.float32)
    right = rng.standard_normal((rank, *shape[1:])).astype(np.float32)
    product = left.astype(np.float64) @ right.reshape(rank, int(np.prod(shape[1:]))).astype(np.float64)
    factored[name] = product.reshape(shape).astype(np.float32)
    parts |= {f"{name}.left": left, f"{name}.right": right}
parts["bias.dense"] = factored["bias"] = rng.standard_normal(9).astype(np.float32)
save_file(parts, "low_rank.safetensors", META | {"syncretic.vector.form": "low_rank"})

want = {
    "sparse": {k: {"shape": list(v.shape), "sha256": hashlib.sha256(v.astype("<f4").tobytes()).hexdigest()} for k, v in tensors.items()},
    "low_rank": {k: {"shape": list(v.shape), "values": v.ravel().astype(float).tolist()} for k, v in factored.items()},
}
with open("want.json", "w") as f:
    json.dump(want, f, separators=(",", ":"))
