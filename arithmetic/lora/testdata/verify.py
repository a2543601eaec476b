"""Has PEFT load adapters that `syncretic extract-lora` wrote, merge them, and compares that with the tuned models.

Figures in verify.txt: Python 3.11, peft 0.21.2, torch 2.13.0, transformers 5.24.0 on a CPU, seed below:

    go build -o /tmp/syncretic ./cmd/syncretic && python verify.py /tmp/syncretic

For each model and rank: the largest relative error of a decomposed weight's task vector beyond that of torch's truncated singular
value decomposition of the same rank, the mean of the latter, the largest difference of what is held in full, and that of PEFT's merge
from the binary's relative_error. Fails where PEFT misses a key or has one too many, or where an error is 1 % above the least.
"""

import json
import subprocess
import sys
import tempfile
import warnings

import torch
from peft import PeftModel
from transformers import HubertConfig, HubertModel, LlamaConfig, LlamaForCausalLM

SEED = 20250612


def llama():
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=100, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, tie_word_embeddings=False
        )
    )


def hubert():
    return HubertModel(
        HubertConfig(
            hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, conv_dim=(32, 32), conv_stride=(5, 2),
            conv_kernel=(10, 3), num_feat_extract_layers=2, num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=1,
        )
    )


def tune(model):
    """Changes every parameter, matrices by a spectrum that falls."""
    with torch.no_grad():
        for p in model.parameters():
            flat = torch.randn(p.shape[0], p.numel() // p.shape[0]) if p.ndim > 1 else torch.randn_like(p)
            if p.ndim > 1:
                u, s, vh = torch.linalg.svd(flat, full_matrices=False)
                flat = u @ torch.diag(s * 0.8 ** torch.arange(len(s))) @ vh
            p.add_(0.01 * flat.reshape(p.shape))


def least(delta, rank):
    s = torch.linalg.svdvals(delta.double().reshape(delta.shape[0], -1))
    return (s[rank:].norm() / s.norm()).item()


def main(binary):
    for name, build in (("llama", llama), ("hubert", hubert)):
        torch.manual_seed(SEED)
        with tempfile.TemporaryDirectory() as where:
            base = build()
            base.save_pretrained(f"{where}/base")
            tuned = build()
            tuned.load_state_dict(base.state_dict())
            tune(tuned)
            tuned.save_pretrained(f"{where}/tuned")
            for rank, flags in ((4, []), (16, ["--embed-lora"]), (16, ["--no-distribute-scale"]), (1000, [])):
                command = [binary, "extract-lora", "base", "tuned", "adapter", "--rank", str(rank), "--json", "--quiet", "--force", *flags]
                made = json.loads(subprocess.run(command, cwd=where, check=True, capture_output=True).stdout)
                fresh = build()
                fresh.load_state_dict(base.state_dict())
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    loaded = PeftModel.from_pretrained(fresh, f"{where}/adapter")
                wrong = [str(w.message) for w in caught if "key" in str(w.message)]
                assert not wrong, wrong
                merged = loaded.merge_and_unload().state_dict()
                excess, floor, full, lost, norm = 0.0, [], 0.0, 0.0, 0.0
                decomposed = json.load(open(f"{where}/adapter/adapter_config.json"))["target_modules"]
                for key, want in tuned.state_dict().items():
                    start, got = base.state_dict()[key], merged[key]
                    if key.removesuffix(".weight") not in decomposed:
                        full = max(full, (got - want).abs().max().item())
                        continue
                    error = ((got - want).norm() / (want - start).norm()).item()
                    floor.append(least(want - start, rank))
                    excess = max(excess, error - floor[-1])
                    assert error <= floor[-1] * 1.01 + 1e-5, (key, error, floor[-1])
                    lost += (got - want).norm().item() ** 2
                    norm += (want - start).norm().item() ** 2
                off = abs((lost / norm) ** 0.5 - made["relative_error"])
                assert full <= 1e-6 and len(floor) == made["modules"] > 10, (full, len(floor), made)
                print(
                    f"{name:6} rank {rank:4} {' '.join(flags):22} {made['modules']:2} modules: error {sum(floor) / len(floor):.4f} at least, "
                    f"{excess:.1e} more; in full off by {full:.1e}; reported error off by {off:.1e}"
                )


if __name__ == "__main__":
    main(sys.argv[1])
