"""Loads what Syncretic and mergekit make of the same recipe with transformers, and compares forward passes; started by forward.sh.

A tiny llama (mergekit-yaml) and a tiny hubert (mergekit-pytorch), random weights, task arithmetic and slerp in float32. Every tensor
must be found by transformers (none missing, none unexpected), and outputs must be equal within float32 rounding.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import torch
import transformers
import yaml


def make(kind, path, seed, base=None):
    torch.manual_seed(seed)
    if kind == "llama":
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=48, num_attention_heads=4,
                                                                       num_key_value_heads=2, num_hidden_layers=3))
    else:
        model = transformers.HubertModel(transformers.HubertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
                                                                   conv_dim=(16, 16), conv_kernel=(10, 3), conv_stride=(5, 2),
                                                                   num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2))
    if base is not None:
        with torch.no_grad():
            for p, q in zip(model.parameters(), base.parameters()):
                p.copy_(q + 0.05 * torch.randn_like(q))
    model.save_pretrained(path)
    return model


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command}: exit code {done.returncode}\n{done.stderr}")


def load(kind, path):
    cls = transformers.LlamaForCausalLM if kind == "llama" else transformers.HubertModel
    model, info = cls.from_pretrained(path, output_loading_info=True)
    lost = {k: v for k, v in info.items() if v}
    if lost:
        sys.exit(f"{path}: {lost}")
    return model.eval()


@torch.no_grad()
def forward(kind, model):
    g = torch.Generator().manual_seed(5)
    if kind == "llama":
        return model(torch.randint(0, 64, (2, 17), generator=g)).logits
    return model(torch.randn(2, 2000, generator=g)).last_hidden_state


def main():
    binary = sys.argv[1]
    kit = os.path.join(os.path.dirname(sys.executable), "mergekit-")
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        for kind in ("llama", "hubert"):
            base = make(kind, f"{kind}/base", 1)
            for i, name in enumerate(("a", "b")):
                make(kind, f"{kind}/{name}", 2 + i, base)
            for method in ("task_arithmetic", "slerp"):
                recipe = {"merge_method": method, "dtype": "float32", "base_model": f"./{kind}/base" if method == "task_arithmetic" else f"./{kind}/a",
                          "models": [{"model": f"./{kind}/{n}", **({"parameters": {"weight": w}} if method == "task_arithmetic" else {})} for n, w in (("a", 0.4), ("b", 0.3))]}
                if method == "slerp":
                    recipe["parameters"] = {"t": 0.4}
                open("ours.yml", "w").write(yaml.safe_dump(recipe))
                if kind == "hubert":
                    for m in recipe["models"]:
                        m["model"] += "/model.safetensors"
                    recipe["base_model"] += "/model.safetensors"
                open("theirs.yml", "w").write(yaml.safe_dump(recipe))
                run([binary, "merge", "ours.yml", "ours", "--force", "--quiet"])
                shutil.rmtree("theirs", ignore_errors=True)
                run([f"{kit}{'yaml' if kind == 'llama' else 'pytorch'}", "theirs.yml", "theirs", "--quiet"])
                if kind == "hubert":
                    shutil.copy(f"{kind}/base/config.json", "theirs/config.json")
                left, right = forward(kind, load(kind, "ours")), forward(kind, load(kind, "theirs"))
                worst = float((left - right).abs().max() / right.abs().max())
                print(f"{kind:7}{method:17} largest difference {worst:.2e} of the largest output")
                if worst > 2e-6:
                    sys.exit("the forward passes differ")


if __name__ == "__main__":
    main()
