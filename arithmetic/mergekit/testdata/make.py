"""Goldens for package mergekit: what mergekit makes of small models.

Run with mergekit 0.1.5, torch 2.13.0, transformers and safetensors, in this folder; seed 20251125. It writes

    models/ARCH/{base,a,b,c}   inputs: llama and tied (mergekit's YAML tool), hubert and plain (mergekit-pytorch, which alone takes them);
                               tied is a llama in bfloat16 whose head is its embedding
    cases.json                 the cases: name, architecture, the recipe as a user of mergekit writes it, over ./base, ./a, ./b
                               and ./c, and the entries of mergekit's config.json that merging changes
    ARCH.safetensors           every tensor of mergekit's outputs, in float32, named CASE/TENSOR

Every case is computed in float32 (`dtype: float32`), where mergekit and this project agree within rounding, and run twice: mergekit
must make the same tensors again. What it draws at random is in random.json: see distribution.py.
"""

import json
import os
import shutil
import sys
import tempfile

import torch
import yaml
from mergekit.config import MergeConfiguration
from mergekit.graph import Executor
from mergekit.io.tasks import LoaderCache
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from mergekit.scripts import merge_raw_pytorch as raw
from safetensors.torch import load_file, save_file

SEED = 20251125
HERE = os.path.dirname(os.path.abspath(__file__))


def llama(layers=3, tied=False):
    h, i, v, kv = 8, 12, 20, 4
    shapes = {"model.embed_tokens.weight": (v, h), "model.norm.weight": (h,)}
    if not tied:
        shapes["lm_head.weight"] = (v, h)
    for n in range(layers):
        p = f"model.layers.{n}."
        shapes |= {p + "self_attn.q_proj.weight": (h, h), p + "self_attn.k_proj.weight": (kv, h), p + "self_attn.v_proj.weight": (kv, h),
                   p + "self_attn.o_proj.weight": (h, h), p + "mlp.gate_proj.weight": (i, h), p + "mlp.up_proj.weight": (i, h),
                   p + "mlp.down_proj.weight": (h, i), p + "input_layernorm.weight": (h,), p + "post_attention_layernorm.weight": (h,)}
    config = dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=h, intermediate_size=i, num_hidden_layers=layers,
                  num_attention_heads=2, num_key_value_heads=1, vocab_size=v, tie_word_embeddings=tied, torch_dtype="bfloat16" if tied else "float32",
                  max_position_embeddings=64, rms_norm_eps=1e-6, hidden_act="silu")
    return shapes, config


def hubert():
    h, i, c = 8, 12, 6
    shapes = {"masked_spec_embed": (h,), "feature_extractor.conv_layers.0.conv.weight": (c, 1, 10),
              "feature_extractor.conv_layers.0.layer_norm.weight": (c,), "feature_extractor.conv_layers.0.layer_norm.bias": (c,),
              "feature_extractor.conv_layers.1.conv.weight": (c, c, 3), "feature_projection.layer_norm.weight": (c,),
              "feature_projection.layer_norm.bias": (c,), "feature_projection.projection.weight": (h, c), "feature_projection.projection.bias": (h,),
              "encoder.pos_conv_embed.conv.bias": (h,), "encoder.pos_conv_embed.conv.parametrizations.weight.original0": (1, 1, 4),
              "encoder.pos_conv_embed.conv.parametrizations.weight.original1": (h, 4, 4), "encoder.layer_norm.weight": (h,), "encoder.layer_norm.bias": (h,)}
    for n in range(2):
        p = f"encoder.layers.{n}."
        for q in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= {p + f"attention.{q}.weight": (h, h), p + f"attention.{q}.bias": (h,)}
        shapes |= {p + "feed_forward.intermediate_dense.weight": (i, h), p + "feed_forward.intermediate_dense.bias": (i,),
                   p + "feed_forward.output_dense.weight": (h, i), p + "feed_forward.output_dense.bias": (h,)}
        for q in ("layer_norm", "final_layer_norm"):
            shapes |= {p + q + ".weight": (h,), p + q + ".bias": (h,)}
    return shapes, None


def plain():
    return {"blocks.0.w": (6, 5), "blocks.1.w": (6, 5), "blocks.0.conv": (3, 2, 4), "blocks.1.conv": (2, 2, 3, 3), "one": (1,), "scale": (), "bias": (7,)}, None


def tied():
    return llama(layers=2, tied=True)


def models(arch, shapes, config):
    """base, and three models tuned from it. Some elements and a whole tensor did not change. No other two elements changed by as much:
    which of them a trimming method drops would be up to mergekit's sort, which is not stable. In bfloat16 some did, so no case trims those."""
    g = torch.Generator().manual_seed(SEED)
    base = {n: 0.5 * torch.randn(s, generator=g) for n, s in shapes.items()}
    for name in ("base", "a", "b", "c"):
        tensors = {}
        for k, (n, t) in enumerate(base.items()):
            d = 0.1 * torch.randn(t.shape, generator=g)
            d = torch.where(torch.rand(t.shape, generator=g) < 0.1, torch.zeros(()), d)  # some did not change
            if k == 5:
                d = torch.zeros_like(d)
            tensors[n] = (t if name == "base" else t + d).to(torch.bfloat16 if arch == "tied" else torch.float32).contiguous()
        if arch == "plain":
            tensors["steps"] = torch.tensor([1 << 40, 7])
        out = f"{HERE}/models/{arch}/{name}"
        os.makedirs(out)
        if arch == "llama" and name == "a":  # one model in shards
            names = sorted(tensors)
            parts = [names[: len(names) // 2], names[len(names) // 2 :]]
            where = {}
            for i, part in enumerate(parts):
                file = f"model-{i + 1:05d}-of-00002.safetensors"
                save_file({n: tensors[n] for n in part}, f"{out}/{file}", metadata={"format": "pt"})
                where |= {n: file for n in part}
            json.dump({"metadata": {"total_size": sum(4 * t.numel() for t in tensors.values())}, "weight_map": where},
                      open(f"{out}/model.safetensors.index.json", "w"))
        else:
            save_file(tensors, f"{out}/model.safetensors", metadata={"format": "pt"})
        if config:
            json.dump(config, open(f"{out}/config.json", "w"), indent=2)


def entry(name, **parameters):
    return {"model": f"./{name}", "parameters": parameters} if parameters else {"model": f"./{name}"}


def pair(method, base="base", shared=None, **each):
    """A recipe over a and b with the same parameters each."""
    r = {"merge_method": method, "models": [entry("a", **each), entry("b", **each)]}
    if base:
        r["base_model"] = f"./{base}"
    if shared:
        r["parameters"] = shared
    return r


def common():
    """Cases for every architecture."""
    three = [entry("a", weight=0.5, density=0.6), entry("b", weight=0.8, density=0.3), entry("c", weight=-0.4, density=0.5)]
    return {
        "linear": {"merge_method": "linear", "models": [entry("a", weight=0.3), entry("b", weight=0.5), entry("c", weight=0.9)]},
        "linear_sum": {"merge_method": "linear", "models": [entry("a", weight=0.3), entry("b", weight=-0.5)], "parameters": {"normalize": False}},
        "slerp": {"merge_method": "slerp", "base_model": "./a", "models": [entry("a"), entry("b")], "parameters": {"t": 0.3}},
        "nuslerp": pair("nuslerp", base=None, weight=0.7),
        "nuslerp_base": {"merge_method": "nuslerp", "base_model": "./base", "models": [entry("a", weight=0.2), entry("b", weight=0.6)]},
        "nuslerp_rows": pair("nuslerp", base=None, shared={"nuslerp_flatten": False, "nuslerp_row_wise": True}, weight=0.4),
        "nuslerp_columns": pair("nuslerp", shared={"nuslerp_flatten": False}, weight=0.4),
        "multislerp": {"merge_method": "multislerp", "models": [entry("a", weight=0.5), entry("b", weight=0.3), entry("c", weight=0.4)]},
        "multislerp_base": {"merge_method": "multislerp", "base_model": "./base", "models": [entry("a", weight=0.5), entry("b", weight=0.3)],
                            "parameters": {"normalize_weights": False}},
        "karcher": {"merge_method": "karcher", "models": [entry("a"), entry("b"), entry("c")]},
        "task_arithmetic": {"merge_method": "task_arithmetic", "base_model": "./base", "models": [entry("a", weight=0.5), entry("b", weight=-0.3)],
                            "parameters": {"lambda": 0.7}},
        "task_arithmetic_mean": {"merge_method": "task_arithmetic", "base_model": "./base", "models": [entry("a", weight=0.5), entry("b", weight=0.3)],
                                 "parameters": {"normalize": True}},
        "ties": {"merge_method": "ties", "base_model": "./base", "models": three},
        "ties_sum": {"merge_method": "ties", "base_model": "./base", "models": three, "parameters": {"normalize": False, "rescale": True, "lambda": 0.9}},
        "breadcrumbs": {"merge_method": "breadcrumbs", "base_model": "./base", "models": [entry("a", weight=0.5, density=0.5, gamma=0.1), entry("b", weight=0.5, density=0.9, gamma=0.3)]},
        "breadcrumbs_ties": {"merge_method": "breadcrumbs_ties", "base_model": "./base", "models": [entry("a", weight=0.5, density=0.4, gamma=0.2), entry("b", weight=0.7, density=0.6)]},
        "sce": {"merge_method": "sce", "base_model": "./base", "models": [entry("a"), entry("b"), entry("c")], "parameters": {"select_topk": 0.5}},
        "sce_all": {"merge_method": "sce", "base_model": "./base", "models": [entry("a"), entry("b")]},
        "model_stock": {"merge_method": "model_stock", "base_model": "./base", "models": [entry("a"), entry("b"), entry("c")]},
        "model_stock_rows": {"merge_method": "model_stock", "base_model": "./base", "models": [entry("a"), entry("b")], "parameters": {"filter_wise": True}},
        "nearswap": {"merge_method": "nearswap", "base_model": "./base", "models": [entry("a")], "parameters": {"t": 0.05}},
        "arcee_fusion": {"merge_method": "arcee_fusion", "base_model": "./base", "models": [entry("a")]},
        "ram": {"merge_method": "ram", "base_model": "./base", "models": [entry("a"), entry("b"), entry("c")], "parameters": {"epsilon": 0.02}},
        "ramplus_tl": {"merge_method": "ramplus_tl", "base_model": "./base", "models": [entry("a"), entry("b")], "parameters": {"epsilon": 0.02, "r": 0.3}},
        "passthrough": {"merge_method": "passthrough", "models": [entry("a", scale=0.5)]},
        "multislerp_sum": {"merge_method": "multislerp", "models": [entry("a", weight=0.5), entry("b", weight=0.3)], "parameters": {"normalize_weights": False, "eps": 1e-6}},
        "karcher_short": {"merge_method": "karcher", "models": [entry("a"), entry("b")], "parameters": {"max_iter": 2, "tol": 1e-3}},
        # These four draw at random, but not where the density is 1.
        "dare_linear": pair("dare_linear", weight=0.5),
        "dare_ties": pair("dare_ties", shared={"normalize": True, "int8_mask": True}, weight=0.4),
        "della": pair("della", shared={"lambda": 1.1}, weight=0.6, density=1.0),
        "della_linear": pair("della_linear", shared={"epsilon": 0.2}, weight=-0.3),
    }


def rounded():
    """Cases on bfloat16 inputs, computed in float32, and one written in bfloat16."""
    of = common()
    names = ("linear", "slerp", "nuslerp_base", "multislerp", "karcher", "task_arithmetic", "sce_all", "model_stock", "nearswap", "passthrough", "dare_ties")
    return {n: of[n] for n in names} | {"out_bfloat16": {**of["task_arithmetic"], "out_dtype": "bfloat16"}}


def layered():
    """Cases that need layers: gradients, filters, slices."""
    src = lambda name, lo, hi, **p: {"model": f"./{name}", "layer_range": [lo, hi], **({"parameters": p} if p else {})}
    return {
        "gradient": {"merge_method": "task_arithmetic", "base_model": "./base", "models": [entry("a", weight=[0, 0.5, 1]), entry("b", weight=[1, 0.2])]},
        "filters": {"merge_method": "slerp", "base_model": "./a", "models": [entry("a"), entry("b")],
                    "parameters": {"t": [{"filter": "self_attn", "value": [0, 0.5, 0.3, 0.7, 1]}, {"filter": "mlp", "value": [1, 0.5, 0]}, {"value": 0.4}]}},
        "density_gradient": {"merge_method": "ties", "base_model": "./base", "parameters": {"weight": 0.5, "density": [1, 0.2]},
                             "models": [entry("a", weight=[{"filter": "mlp", "value": 0.3}]), entry("b", density=0.5)]},
        "slices": {"merge_method": "slerp", "base_model": "./a", "parameters": {"t": 0.5}, "slices": [
            {"sources": [src("a", 0, 2), src("b", 1, 3)]}, {"sources": [src("a", 2, 3), src("b", 0, 1)], "parameters": {"t": [0, 0.25]}}]},
        "frankenmerge": {"merge_method": "passthrough", "slices": [{"sources": [src("a", 0, 2)]}, {"sources": [src("b", 1, 3, scale=[{"filter": "o_proj", "value": 0}, {"value": 1}])]},
                                                                     {"sources": [src("a", 2, 3)]}]},
        "slice_bases": {"merge_method": "task_arithmetic", "base_model": "./base", "slices": [
            {"sources": [src("base", 0, 1), src("a", 0, 1, weight=0.5)]},
            {"base_model": "./c", "sources": [src("c", 0, 2), src("b", 1, 3, weight=[0.2, 0.8])]}]},
        "slerp_gradient": {"merge_method": "slerp", "base_model": "./b", "models": [entry("a"), entry("b")], "parameters": {"t": [0.1, 0.5, 0.9, 0.2, 0.6]}},
        "one_value": {"merge_method": "linear", "models": [entry("a", weight=[0.25]), entry("b", weight=[0, 1])]},
        "one_layer": {"merge_method": "task_arithmetic", "base_model": "./base", "slices": [  # a slice of one layer has the last value
            {"sources": [src("base", n, n + 1), src("a", n, n + 1, weight=[0.1, 0.4, 0.8])]} for n in range(3)]},
        "switches": {"merge_method": "task_arithmetic", "base_model": "./base", "models": [entry("a", weight=0.5), entry("b", weight=0.3)],
                     "parameters": {"normalize": [{"filter": "mlp", "value": [True, False]}, {"filter": "norm", "value": True}], "lambda": [1, 2]}},
        "fall_through": {"merge_method": "ties", "base_model": "./base", "parameters": {"weight": [{"filter": "q_proj", "value": 0.2}, {"value": 0.9}], "density": 0.5},
                         "models": [entry("a", weight=[{"filter": "layers.1", "value": 0.6}, {"filter": "mlp", "value": 0.3}]), entry("b", density=[{"filter": "*", "value": 0.8}])]},
        "levels": {"merge_method": "task_arithmetic", "base_model": "./base", "parameters": {"weight": 0.2, "lambda": 0.5}, "slices": [
            {"sources": [src("base", 0, 2), src("a", 0, 2, weight=[0.9, 0.1]), src("b", 0, 2)], "parameters": {"weight": [0.3, 0.6], "lambda": 1.5}},
            {"sources": [src("base", 2, 3), src("a", 2, 3), src("c", 1, 2, weight=0.7)]}]},
        "breadcrumbs_gradient": {"merge_method": "breadcrumbs", "base_model": "./base", "parameters": {"weight": 1, "density": [0.3, 0.8], "gamma": [0, 0.2]}, "models": [entry("a"), entry("c")]},
        "out_bfloat16": {"merge_method": "linear", "models": [entry("a", weight=0.5), entry("b", weight=0.5)], "out_dtype": "bfloat16"},
        "base_listed": {"merge_method": "linear", "base_model": "./base", "models": [entry("base", weight=0.5), entry("b", weight=0.5)]},
    }


def main():
    shutil.rmtree(f"{HERE}/models", ignore_errors=True)
    listed = []
    for arch, make in (("llama", llama), ("hubert", hubert), ("plain", plain), ("tied", tied)):
        shapes, config = make()
        models(arch, shapes, config)
        expected = {}
        for name, recipe in (rounded() if arch == "tied" else common() | (layered() if arch == "llama" else {})).items():
            text = yaml.safe_dump({**recipe, "dtype": "float32"}, sort_keys=False)
            (first, config_out), (second, _) = run(arch, text), run(arch, text)
            assert first.keys() == second.keys()
            for n, t in first.items():
                assert torch.equal(t, second[n]), f"{arch} {name}: {n} differs between two runs"
                assert not t.is_floating_point() or torch.isfinite(t).all(), f"{arch} {name}: {n} is not finite"
                expected[f"{name}/{n}"] = t.float().contiguous() if t.is_floating_point() else t
            listed.append({"name": name, "arch": arch, "recipe": text, "config": config_out})
        save_file(expected, f"{HERE}/{arch}.safetensors")
    json.dump(listed, open(f"{HERE}/cases.json", "w"), indent=1)
    print(len(listed), "cases")


def run(arch, text):
    """mergekit's output tensors, and what its config.json says of layers, ties and vocabulary."""
    os.chdir(f"{HERE}/models/{arch}")
    with tempfile.TemporaryDirectory() as out:
        options = MergeOptions(quiet=True, random_seed=1)
        if arch in ("llama", "tied"):
            LoaderCache().loaders.clear()  # by path, and paths are relative
            run_merge(MergeConfiguration.model_validate(yaml.safe_load(text)), out, options)
            config = json.load(open(f"{out}/config.json"))
            keep = {k: config[k] for k in ("num_hidden_layers", "tie_word_embeddings", "vocab_size")}
        else:
            recipe = yaml.safe_load(text)
            for m in recipe["models"]:
                m["model"] += "/model.safetensors"
            if "base_model" in recipe:
                recipe["base_model"] += "/model.safetensors"
            raw.SimpleLoaderCache._instance = None
            tasks = raw.plan_flat_merge(raw.RawPyTorchMergeConfig.model_validate(recipe), out, False, False, options)
            Executor(tasks).execute()
            keep = None
        tensors = {}
        for f in sorted(os.listdir(out)):
            if f.endswith(".safetensors"):
                tensors |= {n: t.clone() for n, t in load_file(f"{out}/{f}").items()}
        return tensors, keep


if __name__ == "__main__":
    sys.exit(main())
