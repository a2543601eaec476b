"""Writes ops.json: operators of adapt/op and their gradients as PyTorch computes them.

Run: python make_ops.py   (in this folder; needs torch). Everything is computed in
float64 from float32 inputs, drawn with the seed below.
"""
import json
import torch
import torch.nn.functional as F

SEED = 20261123
torch.manual_seed(SEED)
cases = {}


def draw(*shape, spread=1.0):
    return (spread * torch.randn(*shape)).to(torch.float32).to(torch.float64).requires_grad_()


def rounded(t):
    return [float(f"{v:.9g}") for v in t.detach().reshape(-1).tolist()]


def case(name, operands, y, seed=None):
    seed = torch.randn_like(y).to(torch.float32).to(torch.float64) if seed is None else seed
    grads = torch.autograd.grad(y, operands, seed)
    cases[name] = {
        "operands": [rounded(o) for o in operands],
        "seed": rounded(seed), "value": rounded(y), "grads": [rounded(g) for g in grads],
    }


def time_major(x):  # [clips][C][T] -> [clips*T][C]
    return x.transpose(1, 2).reshape(-1, x.shape[1])


x, w, b = draw(6, 8), draw(10, 8), draw(10)
case("linear_gelu", [x, w, b], F.gelu(F.linear(x, w, b)))

clips, t, c, heads = 2, 7, 12, 3
qkv = draw(clips * t, 3 * c)
q, k, v = [p.reshape(clips, t, heads, c // heads).transpose(1, 2) for p in qkv.split(c, 1)]
case("attention", [qkv], F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(clips * t, c))

x, w, b = draw(5, 9), draw(9), draw(9)
case("layer_norm", [x, w, b], F.layer_norm(x, (9,), w, b, 1e-5))

x, w, b = draw(2 * 11, 6), draw(6), draw(6)
y = F.gelu(F.group_norm(x.reshape(2, 11, 6).transpose(1, 2), 6, w, b, 1e-5))
case("group_norm_gelu", [x, w, b], time_major(y))

x, w = draw(2 * 15, 4), draw(6, 4, 3)
case("conv1d_gelu", [x, w], time_major(F.gelu(F.conv1d(x.reshape(2, 15, 4).transpose(1, 2), w, stride=2))))

x, w = draw(2 * 65, 1), draw(16, 1, 10)
case("conv1d_first", [x, w], time_major(F.conv1d(x.reshape(2, 65, 1).transpose(1, 2), w, stride=5)))

clips, t, c, groups, kernel = 2, 9, 8, 2, 6
conv = torch.nn.utils.parametrizations.weight_norm(
    torch.nn.Conv1d(c, c, kernel, padding=kernel // 2, groups=groups).double(), dim=2)
x = draw(clips * t, c)
g, v, b = draw(1, 1, kernel), draw(c, c // groups, kernel), draw(c)
state = {"parametrizations.weight.original0": g, "parametrizations.weight.original1": v, "bias": b}
y = torch.func.functional_call(conv, state, (x.reshape(clips, t, c).transpose(1, 2),))[:, :, :-1]
case("pos_conv", [x, g, v, b], x + time_major(F.gelu(y)))

sizes, dim, rows = [6, 9], 4, [0, 3, 4, 7]
z, tables = draw(8, len(sizes) * dim), draw(sum(sizes), dim)
targets = [[5, 0, 2, 2], [8, 1, 0, 3]]
loss = 0
for i, table in enumerate(tables.split(sizes)):
    zi = z[rows, i * dim:(i + 1) * dim]
    logits = F.cosine_similarity(zi[:, None], table[None], dim=-1) / 0.1
    loss = loss + F.cross_entropy(logits, torch.tensor(targets[i]))
case("codebook_loss", [z, tables], loss, torch.tensor(1.0, dtype=torch.float64))

pred, target = draw(6, 5), draw(3, 5)
case("masked_mse", [pred, target], F.mse_loss(pred[[1, 2, 5]], target), torch.tensor(1.0, dtype=torch.float64))

logits, target = draw(4, 5, spread=3.0), (torch.rand(4, 5) > 0.5).double().requires_grad_()
case("bce_with_logits", [logits, target], F.binary_cross_entropy_with_logits(logits, target), torch.tensor(1.0, dtype=torch.float64))

with open("ops.json", "w") as f:
    json.dump({"torch": torch.__version__, "seed": SEED, "cases": cases}, f, indent=None, separators=(",", ":"))
    f.write("\n")
