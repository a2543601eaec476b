"""Writes golden/: bases, PEFT adapters and what merge_and_unload makes of them.

Made with Python 3.11, peft 0.21.2, torch 2.13.0, transformers 5.24.0, safetensors 0.8.0 on a CPU, seed below:

    python make.py
"""

import pathlib
import shutil

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import HubertConfig, HubertModel, LlamaConfig, LlamaForCausalLM

SEED = 20250611
OUT = pathlib.Path(__file__).parent / "golden"


def llama():
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=12, hidden_size=8, intermediate_size=10, num_hidden_layers=2, num_attention_heads=2, tie_word_embeddings=False
        )
    )


def hubert():
    return HubertModel(
        HubertConfig(
            hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=10, conv_dim=(4, 4), conv_stride=(5, 2),
            conv_kernel=(10, 3), num_feat_extract_layers=2, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2,
        )
    )


class Turned(torch.nn.Module):
    """A 2-D convolution, and GPT-2's Conv1D, whose weight is [in][out]; square too, where shapes do not tell."""

    def __init__(self):
        super().__init__()
        from transformers.pytorch_utils import Conv1D

        self.conv = torch.nn.Conv2d(3, 4, (2, 3))
        self.point = torch.nn.Conv2d(3, 4, 1)
        self.wide = Conv1D(6, 4)
        self.square = Conv1D(4, 4)


CASES = {
    "llama": (llama, torch.float32, dict(r=3, lora_alpha=5, target_modules=["q_proj", "down_proj", "lm_head"])),
    "llama-patterns": (
        llama,
        torch.bfloat16,
        dict(
            r=4, lora_alpha=8, use_rslora=True, target_modules=["q_proj", "v_proj", "embed_tokens"], modules_to_save=["norm", "lm_head"],
            rank_pattern={r"layers\.1\.self_attn\.q_proj": 2, "q_proj": 3}, alpha_pattern={"v_proj": 1, "embed_tokens": 16},
        ),
    ),
    "hubert": (
        hubert, torch.float32,
        dict(r=2, lora_alpha=4, target_modules=["conv_layers.1.conv", "k_proj", "intermediate_dense"], bias="all"),
    ),
    "hubert-bias": (hubert, torch.float32, dict(r=2, lora_alpha=4, target_modules=["k_proj", "projection"], lora_bias=True)),
    "turned": (Turned, torch.float32, dict(r=2, lora_alpha=3, target_modules=["wide", "square"], fan_in_fan_out=True)),
    "conv2d": (Turned, torch.float32, dict(r=2, lora_alpha=3, target_modules=["conv", "point"])),
}


def state(model):
    return {k: v.clone().contiguous() for k, v in model.state_dict().items()}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for name, (build, dtype, options) in CASES.items():
        torch.manual_seed(SEED)
        where = OUT / name
        where.mkdir(parents=True)
        model = build().to(dtype)
        save_file(state(model), where / "base.safetensors")
        tuned = get_peft_model(model, LoraConfig(**options))
        with torch.no_grad():
            for key, p in tuned.named_parameters():
                if "lora_" in key or "modules_to_save" in key or (options.get("bias") == "all" and key.endswith("bias")):
                    p.add_(torch.randn_like(p) * 0.3)
        tuned.save_pretrained(where, save_embedding_layers=False)
        if name == "llama":  # the same as torch.save stores it
            torch.save(load_file(where / "adapter_model.safetensors"), where / "adapter_model.bin")
        (where / "README.md").unlink(missing_ok=True)
        fresh = build().to(dtype)
        fresh.load_state_dict(load_file(where / "base.safetensors"))
        merged = PeftModel.from_pretrained(fresh, where).merge_and_unload()
        save_file(state(merged), where / "merged.safetensors")


if __name__ == "__main__":
    main()
