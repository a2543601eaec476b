"""Writes training checkpoints as MERT's fairseq run leaves them, and releases as they stand on the hub, in miniature.

    python make_fairseq.py [DIR]        # DIR: this file's folder, after make_hubert.py

Written with Python 3.11, torch 2.13.0, seed 20261208; it needs torch alone. All of them hold the encoder of post_group:

    fairseq/MERT-v1-95M_fairseq.pt  zip container, float32: model, cfg, task state with dictionaries, optimiser state
    fairseq/config.json             MERT's keys, at that encoder's sizes
    fairseq/heads.expect.pt         the pre-training heads of the former; row i*SIZE+c of the embeddings is code c of codebook i
    fairseq_half.pt                 the container before PyTorch 1.6, float16, arguments as a Namespace, no dictionaries
    released_old/, released_new/    model_type mert_model with pytorch_model.bin: weight_g and weight_v as MERT-v1-95M has
                                    them, and the names that torch writes since 2.1

fairseq, omegaconf and their classes are made up here with the names and attributes that pickles of them have. The label
embeddings have four rows for the special symbols ahead of each codebook's, and the second dictionary is out of order.
"""
import argparse
import collections
import enum
import json
import pathlib
import struct
import sys
import types

import torch

SEED = 20261208
BOOKS, SIZE, DIM, BINS = 2, 4, 8, 24


def module(name, **members):
    """A module of that name, with its parents; its classes claim to be from there."""
    for i in range(1, name.count(".") + 2):
        parent = ".".join(name.split(".")[:i])
        sys.modules.setdefault(parent, types.ModuleType(parent))
    for key, value in members.items():
        value.__module__, value.__qualname__ = name, key
        setattr(sys.modules[name], key, value)


class Dictionary:
    def __init__(self, words):
        self.bos_word, self.unk_word, self.pad_word, self.eos_word = "<s>", "<unk>", "<pad>", "</s>"
        self.symbols = ["<s>", "<pad>", "</s>", "<unk>"] + words
        self.count = [1] * 4 + [10] * len(words)
        self.indices = {s: i for i, s in enumerate(self.symbols)}
        self.bos_index, self.pad_index, self.eos_index, self.unk_index, self.nspecial = 0, 1, 2, 3, 4


class DictConfig:
    def __init__(self, content, parent=None):
        self.__dict__.update(_metadata=None, _parent=parent, _flags_cache=None, _content=content)


class DDP_BACKEND_CHOICES(str, enum.Enum):
    no_c10d = "no_c10d"


module("fairseq.data.dictionary", Dictionary=Dictionary)
module("omegaconf.dictconfig", DictConfig=DictConfig)
module("fairseq.dataclass.constants", DDP_BACKEND_CHOICES=DDP_BACKEND_CHOICES)


def read_safetensors(path):
    data = path.read_bytes()
    n = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, t in json.loads(data[8 : 8 + n]).items():
        if name != "__metadata__":
            begin, end = (8 + n + o for o in t["data_offsets"])
            tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32).view(t["shape"])
    return tensors


def fairseq_names(hf, layers):
    """fairseq's state dict, in its order."""
    w = collections.OrderedDict(mask_emb=hf["masked_spec_embed"])
    for i in range(3):
        w[f"feature_extractor.conv_layers.{i}.0.weight"] = hf[f"feature_extractor.conv_layers.{i}.conv.weight"]
    for end in "weight", "bias":
        w[f"feature_extractor.conv_layers.0.2.{end}"] = hf[f"feature_extractor.conv_layers.0.layer_norm.{end}"]
        w[f"post_extract_proj.{end}"] = hf[f"feature_projection.projection.{end}"]
    w["encoder.pos_conv.0.bias"] = hf["encoder.pos_conv_embed.conv.bias"]
    w["encoder.pos_conv.0.weight_g"] = hf["encoder.pos_conv_embed.conv.parametrizations.weight.original0"]
    w["encoder.pos_conv.0.weight_v"] = hf["encoder.pos_conv_embed.conv.parametrizations.weight.original1"]
    for i in range(layers):
        at = f"encoder.layers.{i}."
        for fairseq, hub in [(f"self_attn.{p}_proj", f"attention.{p}_proj") for p in ("k", "v", "q", "out")] + [
            ("self_attn_layer_norm", "layer_norm"), ("fc1", "feed_forward.intermediate_dense"),
            ("fc2", "feed_forward.output_dense"), ("final_layer_norm", "final_layer_norm")]:
            for end in "weight", "bias":
                w[f"{at}{fairseq}.{end}"] = hf[f"{at}{hub}.{end}"]
    for end in "weight", "bias":
        w[f"encoder.layer_norm.{end}"] = hf[f"encoder.layer_norm.{end}"]
        w[f"layer_norm.{end}"] = hf[f"feature_projection.layer_norm.{end}"]
    assert len(w) == len(hf)
    return w


def heads(hidden, rows):
    return collections.OrderedDict({
        "label_embs_concat": torch.rand(rows, DIM),
        "final_proj.weight": torch.randn(BOOKS * DIM, hidden) * 0.1, "final_proj.bias": torch.randn(BOOKS * DIM) * 0.1,
        "encoder_cqt_model.fc.weight": torch.randn(BINS, hidden) * 0.1, "encoder_cqt_model.fc.bias": torch.randn(BINS) * 0.1,
    })


def main(folder):
    torch.manual_seed(SEED)
    hf = read_safetensors(folder / "post_group" / "model.safetensors")
    hidden, layers = 16, 3
    encoder = fairseq_names(hf, layers)
    where = folder / "fairseq"
    where.mkdir(exist_ok=True)

    orders = [list(range(SIZE)), [2, 0, 3, 1]]  # the code of each row after the special ones
    extra = heads(hidden, BOOKS * (4 + SIZE))
    buffers = {f"encoder_cqt_model.spec_layer.{name}": t for name, t in [
        ("lenghts", torch.full((BINS,), 32.0)), ("cqt_kernels_real", torch.randn(BINS, 1, 32)), ("cqt_kernels_imag", torch.randn(BINS, 1, 32))]}
    model = collections.OrderedDict({"mask_emb": encoder["mask_emb"], **extra, **encoder, **buffers})
    model._metadata = collections.OrderedDict({"": {"version": 1}})
    cfg = DictConfig({})
    cfg.__dict__["_content"] = {
        "common": DictConfig({"fp16": True, "seed": 1337, "user_dir": None}, cfg),
        "distributed_training": {"ddp_backend": DDP_BACKEND_CHOICES.no_c10d, "distributed_world_size": 8},
        "task": argparse.Namespace(_name="mert_pretraining", sample_rate=24000, normalize=False, labels=["encodec_0", "encodec_1"]),
        "model": {"_name": "mert", "final_dim": DIM, "deepnorm": False, "attention_relax": -1.0},
        "optimizer": {"adam_betas": "(0.9,0.98)", "lr": [0.0005]},
    }
    moments = {i: {"step": 400000, "exp_avg": torch.zeros(3), "exp_avg_sq": torch.zeros(3)} for i in range(2)}
    torch.save({
        "args": None, "cfg": cfg, "model": model, "criterion": None,
        "optimizer_history": [{"criterion_name": "HubertCriterion", "optimizer_name": "FP16Optimizer", "lr_scheduler_state": {"best": 21.5}, "num_updates": 400000}],
        "task_state": {"dictionaries": [Dictionary([str(c) for c in order]) for order in orders]},
        "extra_state": {"metrics": collections.OrderedDict(train=[("loss", 0, "AverageMeter", torch.tensor(3.5))]), "previous_training_time": 1e6,
                        "train_iterator": {"epoch": 2, "iterations_in_epoch": 7, "shuffle": True}, "val_loss": 21.5},
        "last_optimizer_state": {"state": moments, "param_groups": [{"lr": 0.0, "params": [0, 1]}], "loss_scale": 128.0},
    }, where / "MERT-v1-95M_fairseq.pt")
    rows = [i * (4 + SIZE) + 4 + order.index(c) for i, order in enumerate(orders) for c in range(SIZE)]
    torch.save(dict(extra, label_embs_concat=extra["label_embs_concat"][rows]), where / "heads.expect.pt")

    config = json.loads((folder / "post_group" / "config.json").read_text())
    config |= dict(model_type="mert_model", architectures=["MERTModel"], sample_rate=24000, attention_relax=-1.0, deepnorm=False,
                   feature_extractor_cqt=False, feature_extractor_cqt_bins=336,
                   auto_map={"AutoConfig": "configuration_MERT.MERTConfig", "AutoModel": "modeling_MERT.MERTModel"})
    config = json.dumps(config, indent=2, sort_keys=True) + "\n"
    (where / "config.json").write_text(config)

    half = collections.OrderedDict((k, v.half()) for k, v in {**encoder, **heads(hidden, BOOKS * SIZE), **buffers}.items())
    torch.save({
        "args": argparse.Namespace(arch="mert", fp16=True, label_rate=75), "model": half, "criterion": collections.OrderedDict(),
        "optimizer_history": [], "task_state": {}, "extra_state": {"epoch": 3}, "last_optimizer_state": None,
    }, folder / "fairseq_half.pt", _use_new_zipfile_serialization=False)

    for name, gain, direction in [("released_old", "weight_g", "weight_v"),
                                  ("released_new", "parametrizations.weight.original0", "parametrizations.weight.original1")]:
        where = folder / name
        where.mkdir(exist_ok=True)
        state = collections.OrderedDict((k.replace("parametrizations.weight.original0", gain).replace("parametrizations.weight.original1", direction), v)
                                        for k, v in hf.items())
        torch.save(state, where / "pytorch_model.bin")
        (where / "config.json").write_text(config)
        (where / "preprocessor_config.json").write_text((folder.parent / "preprocessor.json").read_text())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent)
