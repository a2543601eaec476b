"""Writes labels.bin: a training checkpoint of fairseq with the dictionaries of its labels.

Versions used: Python 3.11, torch 2.13.0. Run in this directory: python make_labels.py

fairseq.data.dictionary.Dictionary is made up here, with the attributes that fairseq's has. The second dictionary is not in
the order of its numbers.
"""

import sys
import types

import torch

module = types.ModuleType("fairseq.data.dictionary")
exec("class Dictionary:\n    pass", module.__dict__)
module.Dictionary.__module__ = "fairseq.data.dictionary"
for parent in "fairseq", "fairseq.data":
    sys.modules[parent] = types.ModuleType(parent)
sys.modules["fairseq.data.dictionary"] = module


def dictionary(words):
    d = module.Dictionary()
    d.bos_word, d.unk_word, d.pad_word, d.eos_word = "<s>", "<unk>", "<pad>", "</s>"
    d.symbols = ["<s>", "<pad>", "</s>", "<unk>"] + words
    d.count = [1] * 4 + [7] * len(words)
    d.indices = {s: i for i, s in enumerate(d.symbols)}
    d.bos_index, d.pad_index, d.eos_index, d.unk_index, d.nspecial = 0, 1, 2, 3, 4
    return d


model = {"label_embs_concat": torch.arange(28, dtype=torch.float32).view(14, 2)}
torch.save({"args": None, "model": model, "task_state": {"dictionaries": [dictionary(["0", "1", "2"]), dictionary(["2", "0", "1"])]}}, "labels.bin")
