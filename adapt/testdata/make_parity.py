"""Writes parity.safetensors: ten optimiser steps of MERT's pre-training objective, for the test of adapt's training step.

    python make_parity.py [FILE]       # FILE: parity.safetensors in this file's folder

Written with torch 2.13.0 (CPU), transformers 5.24.0, safetensors 0.8.0, seed 20261126; the versions stand in the file too.
The encoder is transformers' HubertModel without dropout or layerdrop, update and clipping are torch's; heads, losses and
schedules are written here from their definitions. Everything is computed in float64 from float32 numbers, so that what is
left of a difference is the float32 of the code under test. A step is several micro-batches, as fairseq accumulates them:
their summed losses are divided by the number of masked frames of the step. Five steps train the front-end and the heads
with the Transformer frozen, five train everything with a fresh optimiser.

    start.NAME, middle.NAME, end.NAME      every parameter before step 1, after step 5, after step 10; heads under pretrain.
    audio      [steps, micro-batches, clips, samples]
    mask       [steps, micro-batches, clips, frames]              1 where a frame is masked
    codes      [steps, micro-batches, codebooks, clips, frames]
    spectrum   [steps, micro-batches, clips, frames, bins]
    rate, loss, cqt_mse, feature_penalty, grad_norm               [steps]; the norm is the one before clipping
    ce, accuracy                                                  [steps, codebooks]

The metadata hold the encoder's config.json ("encoder") and the recipe below ("recipe"). Weights are drawn from N(0, 0.3), norms'
about 1: small ones would hide errors in attention.
"""
import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from transformers import HubertConfig, HubertModel

SEED = 20261126
ENCODER = dict(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
    conv_dim=[8, 8, 8], conv_kernel=[10, 3, 2], conv_stride=[5, 2, 2],
    num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=4,
    hidden_dropout=0.0, activation_dropout=0.0, attention_dropout=0.0, feat_proj_dropout=0.0, layerdrop=0.0,
)
RECIPE = dict(
    teacher=dict(codebooks=3, codebook_size=12, cqt=dict(bins=12)),
    objective=dict(codebook_weight=1, cqt_weight=1, feature_penalty=10, temperature=0.1, codebook_dim=8, feature_grad_mult=0.1),
    optimizer=dict(variant="pytorch", beta1=0.9, beta2=0.98, eps=1e-6, weight_decay=0.01, clip_norm=10),
    batch=dict(clips=2, accumulate=2),
    stages=[
        dict(name="front-end", steps=5, lr=dict(peak=2e-3, warmup=2, final=2e-4, shape="linear"),
             train=["feature_extractor.", "feature_projection.", "masked_spec_embed", "pretrain."]),
        dict(name="all", steps=5, lr=dict(peak=1e-3, warmup=2, final=1e-4, shape="cosine")),
    ],
)
SAMPLES = 320
SPAN, SPANS = 3, 2  # disjoint, so that every clip has as many masked frames


class Heads(torch.nn.Module):
    """What pre-training has beside the encoder, under the names of MERT's training checkpoint."""

    def __init__(self, hidden, books, size, dim, bins):
        super().__init__()
        self.final_proj = torch.nn.Linear(hidden, books * dim)
        self.label_embs_concat = torch.nn.Parameter(torch.rand(books * size, dim))
        self.encoder_cqt_model = torch.nn.ModuleDict({"fc": torch.nn.Linear(hidden, bins)})


class ScaleGrad(torch.autograd.Function):
    """The identity, whose gradient is multiplied."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return ctx.factor * grad, None


def objective(encoder, heads, batch):
    """The sums over a micro-batch's masked frames, and its feature penalty."""
    o, t = RECIPE["objective"], RECIPE["teacher"]
    conv = encoder.feature_extractor(batch["audio"]).transpose(1, 2)
    conv = ScaleGrad.apply(conv, o["feature_grad_mult"])
    hidden = encoder.feature_projection(conv)
    hidden = torch.where(batch["mask"][..., None], encoder.masked_spec_embed, hidden)
    masked = encoder.encoder(hidden).last_hidden_state[batch["mask"]]

    projected = heads.final_proj(masked).chunk(t["codebooks"], dim=-1)
    tables = heads.label_embs_concat.split(t["codebook_size"])
    ce, hits = [], []
    for z, table, codes in zip(projected, tables, batch["codes"]):
        target = codes[batch["mask"]]
        logits = F.cosine_similarity(z[:, None], table[None], dim=-1, eps=1e-8) / o["temperature"]
        best = logits.topk(2).values
        assert (best[:, 0] - best[:, 1]).min() > 1e-4, "a near tie: float32 may find another maximum"
        ce.append(F.cross_entropy(logits, target, reduction="sum"))
        hits.append((logits.argmax(-1) == target).sum())
    error = heads.encoder_cqt_model["fc"](masked) - batch["spectrum"][batch["mask"]]
    return dict(ce=torch.stack(ce), hits=torch.stack(hits), cqt=error.square().mean(-1).sum(), penalty=conv.square().mean(), frames=len(masked))


def rate(lr, step, steps):
    """The learning rate of a step, counted from 1: linear to the peak, which step `warmup` has, then down to the final rate."""
    if step <= lr["warmup"]:
        return lr["peak"] * step / lr["warmup"]
    left = 1 - (step - lr["warmup"]) / (steps - lr["warmup"])
    if lr["shape"] == "cosine":
        left = (1 - math.cos(math.pi * left)) / 2
    return lr.get("final", 0) + (lr["peak"] - lr.get("final", 0)) * left


def draw(frames):
    """The inputs of all steps."""
    t, b = RECIPE["teacher"], RECIPE["batch"]
    lead = (sum(s["steps"] for s in RECIPE["stages"]), b["accumulate"])
    clips, books = b["clips"], t["codebooks"]
    mask = torch.zeros(*lead, clips, frames, dtype=torch.bool)
    for row in mask.view(-1, frames):
        first = int(torch.randint(0, frames // SPANS - SPAN + 1, ()))
        for i in range(SPANS):
            row[first + i * (frames // SPANS):][:SPAN] = True
    return dict(
        audio=0.3 * torch.randn(*lead, clips, SAMPLES) + 0.02, mask=mask,
        codes=torch.randint(0, t["codebook_size"], (*lead, books, clips, frames)),
        spectrum=3 * torch.rand(*lead, clips, frames, t["cqt"]["bins"]))


def main(path):
    torch.manual_seed(SEED)
    o, opt, t = RECIPE["objective"], RECIPE["optimizer"], RECIPE["teacher"]
    config = HubertConfig(attn_implementation="eager", **ENCODER)
    encoder = HubertModel(config).train()
    heads = Heads(config.hidden_size, t["codebooks"], t["codebook_size"], o["codebook_dim"], t["cqt"]["bins"])
    with torch.no_grad():
        for name, p in encoder.named_parameters():
            p.normal_(0, 0.3)
            if "layer_norm.weight" in name:
                p.add_(1)
    inputs = draw(int(encoder._get_feat_extract_output_lengths(torch.tensor(SAMPLES))))
    encoder.double(), heads.double()
    params = dict(encoder.named_parameters()) | {"pretrain." + n: p for n, p in heads.named_parameters()}
    out = {k: v.float() for k, v in inputs.items()}
    snapshot = lambda when: out.update({f"{when}.{n}": p.detach().float() for n, p in params.items()})
    snapshot("start")

    log, at = {}, 0
    for stage, when in zip(RECIPE["stages"], ["middle", "end"]):
        for name, p in params.items():
            p.requires_grad_("train" not in stage or name.startswith(tuple(stage["train"])))
        trained = [p for p in params.values() if p.requires_grad]
        adam = torch.optim.AdamW(trained, lr=1.0, betas=(opt["beta1"], opt["beta2"]), eps=opt["eps"], weight_decay=opt["weight_decay"])
        for step in range(1, stage["steps"] + 1):
            parts = []
            for i in range(RECIPE["batch"]["accumulate"]):
                batch = {k: v[at, i] if v.dtype != torch.float32 else v[at, i].double() for k, v in inputs.items()}
                parts.append(objective(encoder, heads, batch))
            frames = sum(p["frames"] for p in parts)
            ce = sum(p["ce"] for p in parts) / frames
            cqt = sum(p["cqt"] for p in parts) / frames
            penalty = sum(p["penalty"] * p["frames"] for p in parts) / frames
            loss = o["codebook_weight"] * ce.sum() + o["cqt_weight"] * cqt + o["feature_penalty"] * penalty
            adam.zero_grad()
            loss.backward()
            assert all(p.grad is not None for p in trained)
            norm = torch.nn.utils.clip_grad_norm_(trained, opt["clip_norm"])
            adam.param_groups[0]["lr"] = rate(stage["lr"], step, stage["steps"])
            adam.step()
            at += 1
            row = dict(rate=adam.param_groups[0]["lr"], loss=loss, cqt_mse=cqt, feature_penalty=penalty, grad_norm=norm,
                       ce=ce, accuracy=sum(p["hits"] for p in parts) / frames)
            for key, v in row.items():
                log.setdefault(key, []).append(torch.as_tensor(v).detach().double())
            print(at, stage["name"], *(f"{k} {float(log[k][-1]):.6g}" for k in ("rate", "loss", "cqt_mse", "feature_penalty", "grad_norm")))
        snapshot(when)
    out |= {k: torch.stack(v).float() for k, v in log.items()}
    save_file({k: v.contiguous() for k, v in out.items()}, path, metadata={
        "encoder": config.to_json_string(use_diff=False), "recipe": json.dumps(RECIPE),
        "made_with": json.dumps(dict(torch=torch.__version__, transformers=transformers.__version__, seed=SEED))})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "parity.safetensors")
