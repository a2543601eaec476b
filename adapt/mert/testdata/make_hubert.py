"""Writes the goldens of this directory with transformers' HubertModel.

    python make_hubert.py [DIR]        # DIR: this file's folder

Written with torch 2.13.0 (CPU), transformers 5.24.0, safetensors 0.8.0, seed 20261123. Any version of transformers from
4.44 on gives the same hidden states within 1e-6. Each case is a model directory CASE/ (config.json, model.safetensors,
preprocessor_config.json) and CASE.expect.safetensors beside it:

    input          [clips, samples]                 as the model takes it before any normalisation
    mask           [clips, frames]                  1 where mask_time_indices is set; absent without a mask
    state.L        [clips, frames, hidden]          hidden_states; the last is last_hidden_state
    loss.weights   [clips, frames, hidden]          the gradient cases: loss = sum(loss.weights * last_hidden_state)
    grad.NAME      the shape of the parameter       d loss / d NAME

Every weight is drawn from N(0, 0.3), norms' weights about 1: transformers' own initialisation is too small to show
errors in attention. old_names.safetensors holds post_group's weights under weight_g and weight_v.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

SEED = 20261123
TINY = dict(
    hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32,
    conv_dim=[8, 8, 8], conv_kernel=[10, 3, 2], conv_stride=[5, 2, 2],
    num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=4,
    hidden_dropout=0.1, activation_dropout=0.1, attention_dropout=0.1, feat_proj_dropout=0.1, layerdrop=0.0,
)
CASES = {
    # MERT-95M in miniature
    "post_group": dict(config={}, clips=2, samples=400),
    # the mask, on pre-LN with a positional kernel of odd size
    "pre_group": dict(config=dict(do_stable_layer_norm=True, num_conv_pos_embeddings=7), clips=2, samples=400, mask=True, gradients=True),
    # LayerNorm in every convolution, biases, no LayerNorm before the projection, another epsilon
    "post_layer": dict(
        config=dict(feat_extract_norm="layer", conv_bias=True, feat_proj_layer_norm=False, layer_norm_eps=1e-3),
        clips=1, samples=420, gradients=True),
    "pre_layer": dict(
        config=dict(feat_extract_norm="layer", conv_bias=True, do_stable_layer_norm=True), clips=1, samples=400, mask=True, gradients=True),
    # gradients through the mask and the GroupNorm, over a batch
    "gradients": dict(config=dict(num_hidden_layers=2), clips=2, samples=400, mask=True, gradients=True),
    # the feature extractor's normalisation, quiet audio with an offset; fewer frames than positional taps
    "normalised": dict(config=dict(conv_bias=True, num_conv_pos_embeddings=32), clips=1, samples=300, normalise=True, gain=0.01),
    # longer than a piece of the front-end
    "long": dict(config=dict(num_hidden_layers=1), clips=1, samples=6000),
    # biases before a GroupNorm and after
    "biases": dict(config=dict(num_hidden_layers=1, conv_bias=True, feat_proj_layer_norm=False), clips=2, samples=400, gradients=True),
}


def main(folder):
    for index, (name, case) in enumerate(CASES.items()):
        torch.manual_seed(SEED + index)
        model = HubertModel(HubertConfig(attn_implementation="eager", **{**TINY, **case["config"]})).eval()
        with torch.no_grad():
            for key, p in model.named_parameters():
                p.normal_(0, 0.3)
                if "layer_norm.weight" in key:
                    p.add_(1)
        normalise = case.get("normalise", False)
        where = folder / name
        model.save_pretrained(where)
        extractor = Wav2Vec2FeatureExtractor(sampling_rate=24000, do_normalize=normalise)
        extractor.save_pretrained(where)

        audio = torch.randn(case["clips"], case["samples"]) * case.get("gain", 0.3) + 0.02
        expect = {"input": audio}
        values = audio
        if normalise:
            values = extractor(list(audio.numpy()), sampling_rate=24000, return_tensors="pt").input_values
        arguments = {}
        if case.get("mask"):
            frames = int(model._get_feat_extract_output_lengths(torch.tensor(case["samples"])))
            mask = torch.rand(case["clips"], frames) < 0.4
            expect["mask"] = mask.float()
            arguments["mask_time_indices"] = mask
        out = model(values, output_hidden_states=True, **arguments)
        states = list(out.hidden_states[:-1]) + [out.last_hidden_state]
        assert len(states) == model.config.num_hidden_layers + 1
        expect |= {f"state.{i}": s.detach() for i, s in enumerate(states)}
        if case.get("gradients"):
            expect["loss.weights"] = torch.randn_like(out.last_hidden_state)
            (expect["loss.weights"] * out.last_hidden_state).sum().backward()
            expect |= {"grad." + k: p.grad for k, p in model.named_parameters() if p.grad is not None}
        save_file({k: v.contiguous() for k, v in expect.items()}, folder / f"{name}.expect.safetensors")

        if name == "post_group":
            old = {k.replace("parametrizations.weight.original0", "weight_g").replace("parametrizations.weight.original1", "weight_v"): v
                   for k, v in model.state_dict().items()}
            assert sum(k.endswith(("weight_g", "weight_v")) for k in old) == 2
            save_file(old, folder / "old_names.safetensors")
        scale = max(float(s.detach().abs().max()) for s in states)
        print(json.dumps(dict(case=name, states=len(states), frames=states[0].shape[1], largest=round(scale, 2))))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent)
