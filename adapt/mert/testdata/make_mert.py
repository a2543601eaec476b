"""Writes the goldens of this directory that HubertModel cannot give: DeepNorm, relaxed attention, MERT-330M's depth.

    python make_mert.py [DIR]        # DIR: this file's folder

Written with torch 2.13.0 (CPU), transformers 5.24.0, safetensors 0.8.0, seed 20261207. transformers has neither deepnorm
nor attention_relax, so encoder and layers are written out below from their definitions, on top of HubertModel's weights,
its convolutional front-end, its feature projection and its positional convolution:

    DeepNorm (arXiv 2203.00555)   h = LN(a x + attention(x)), LN'(a h + feedforward(h)),  a = (2 layers)^(1/4)
    relaxed attention (MERT)      softmax(r (s/r - max(s/r))) over the keys for scores s and r = attention_relax > 0

Files and names are those of make_hubert.py. Weights are drawn from N(0, spread), norms' weights about 1.
"""
import json
import math
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch.nn.functional import gelu
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

SEED = 20261207
TINY = dict(
    hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32,
    conv_dim=[8, 8, 8], conv_kernel=[10, 3, 2], conv_stride=[5, 2, 2],
    num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=4, layerdrop=0.0,
)
CASES = {
    "deepnorm": dict(config=dict(deepnorm=True, attention_relax=-1.0), clips=2, mask=True, spread=0.3),
    "deepnorm_relaxed": dict(
        config=dict(deepnorm=True, attention_relax=32.0, feat_extract_norm="layer", conv_bias=True, feat_proj_layer_norm=False),
        clips=1, mask=False, spread=0.3),
    # MERT-330M in miniature: 25 hidden states
    "deep": dict(
        config=dict(num_hidden_layers=24, hidden_size=8, intermediate_size=16, do_stable_layer_norm=True, attention_relax=32.0, deepnorm=False),
        clips=1, mask=True, spread=0.2),
}


def attention(module, x, heads, relax):
    clips, frames, hidden = x.shape
    split = lambda y: y.view(clips, frames, heads, hidden // heads).transpose(1, 2)
    q, k, v = (split(getattr(module, name)(x)) for name in ("q_proj", "k_proj", "v_proj"))
    scores = (q * (hidden // heads) ** -0.5) @ k.transpose(2, 3)
    if relax > 0:
        scores = scores / relax
        scores = (scores - scores.max(dim=-1, keepdim=True).values) * relax
    mixed = torch.exp(scores - scores.logsumexp(dim=-1, keepdim=True)) @ v
    return module.out_proj(mixed.transpose(1, 2).reshape(clips, frames, hidden))


def feedforward(module, x):
    return module.output_dense(gelu(module.intermediate_dense(x)))


def hidden_states(model, audio, mask):
    c, encoder = model.config, model.encoder
    x = model.feature_projection(model.feature_extractor(audio).transpose(1, 2))
    if mask is not None:
        x = torch.where(mask[:, :, None], model.masked_spec_embed, x)
    x = x + encoder.pos_conv_embed(x)
    alpha = math.pow(2 * c.num_hidden_layers, 0.25) if c.deepnorm else 1.0
    if not c.do_stable_layer_norm:
        x = encoder.layer_norm(x)
    states = [x]
    for layer in encoder.layers:
        attend = lambda y: attention(layer.attention, y, c.num_attention_heads, c.attention_relax)
        if c.do_stable_layer_norm:
            x = x + attend(layer.layer_norm(x))
            x = x + feedforward(layer.feed_forward, layer.final_layer_norm(x))
        else:
            x = layer.layer_norm(alpha * x + attend(x))
            x = layer.final_layer_norm(alpha * x + feedforward(layer.feed_forward, x))
        states.append(x)
    if c.do_stable_layer_norm:
        states[-1] = encoder.layer_norm(x)
    return states


def main(folder):
    for index, (name, case) in enumerate(CASES.items()):
        torch.manual_seed(SEED + index)
        model = HubertModel(HubertConfig(**{**TINY, **case["config"]})).eval()
        with torch.no_grad():
            for key, p in model.named_parameters():
                p.normal_(0, case["spread"])
                if "layer_norm.weight" in key:
                    p.add_(1)
        where = folder / name
        model.save_pretrained(where)
        Wav2Vec2FeatureExtractor(sampling_rate=24000, do_normalize=False).save_pretrained(where)

        audio = torch.randn(case["clips"], 400) * 0.3 + 0.02
        expect, mask = {"input": audio}, None
        if case["mask"]:
            frames = int(model._get_feat_extract_output_lengths(torch.tensor(400)))
            mask = torch.rand(case["clips"], frames) < 0.4
            expect["mask"] = mask.float()
        states = hidden_states(model, audio, mask)
        expect |= {f"state.{i}": s.detach() for i, s in enumerate(states)}
        expect["loss.weights"] = torch.randn_like(states[-1])
        (expect["loss.weights"] * states[-1]).sum().backward()
        expect |= {"grad." + k: p.grad for k, p in model.named_parameters() if p.grad is not None}
        save_file({k: v.contiguous() for k, v in expect.items()}, folder / f"{name}.expect.safetensors")

        # Without scaled residuals, relaxed attention is attention: HubertModel agrees.
        if not model.config.deepnorm:
            model.set_attn_implementation("eager")
            ours = model(audio, mask_time_indices=mask).last_hidden_state
            assert float((ours - states[-1]).detach().abs().max()) < 2e-5
        scale = max(float(s.detach().abs().max()) for s in states)
        print(json.dumps(dict(case=name, states=len(states), frames=states[0].shape[1], largest=round(scale, 2))))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent)
