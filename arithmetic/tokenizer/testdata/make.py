"""Goldens for package tokenizer: what mergekit makes of tiny vocabularies.

Run with mergekit 0.1.5, transformers 5.24.0, tokenizers 0.23.3 and torch 2.13.0, in this folder; seed 20251125. It writes

    models/NAME           tiny llamas, each with another tokenizer
    cases.json            name, tokenizer as a user of mergekit writes it, models, base (null for none), the vocabulary of mergekit's
                          output (token to id), its config's vocab_size; or `error`, where mergekit fails, in words of its own
    expected.safetensors  CASE/MODEL/TENSOR: embed_tokens and lm_head of one model with the output's rows, in float32
    loaded.json           the vocabulary that transformers loads from each model's directory, with the added tokens' settings

Each case is run once a model: merge_method linear with weight 1 for that model and 0 for the others gives its rows unchanged.

Two orders in mergekit are those of hash tables, so that the ids of new tokens differ from run to run: the models of a recipe
(a Python set) and the tokens of a vocabulary (a Rust map). Here both are replaced by the orders that package tokenizer keeps: the
recipe's, and that of the ids. Nothing else of mergekit is changed.

The script also renders the chat templates, and compares them with the formats' definitions.
"""

import json
import os
import shutil
import tempfile

import mergekit.config
import torch
import transformers
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from safetensors.torch import load_file, save_file

SEED = 20251125
HERE = os.path.dirname(os.path.abspath(__file__))
HIDDEN = 4


def added(id, content, special=False, normalized=None, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": (not special) if normalized is None else normalized, "special": special} | flags


def tokenizer(kind, vocab, added_tokens=(), **model):
    defaults = {
        "BPE": dict(dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=False,
                    byte_fallback=False, ignore_merges=False),
        "WordLevel": dict(unk_token="<unk>"),
        "WordPiece": dict(unk_token="[UNK]", continuing_subword_prefix="##", max_input_chars_per_word=100),
        "Unigram": dict(unk_id=0, byte_fallback=False),
    }[kind]
    if kind == "Unigram":
        vocab = [[t, -0.5 * i] for i, t in enumerate(vocab)]
    elif not isinstance(vocab, dict):
        vocab = {t: i for i, t in enumerate(vocab)}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added_tokens), "normalizer": None,
            "pre_tokenizer": {"type": "Whitespace"} if kind != "Unigram" else None, "post_processor": None, "decoder": None,
            "model": {"type": kind, **defaults, "vocab": vocab, **model}}


SPECIALS = ["<s>", "</s>"]
LETTERS = SPECIALS + ["a", "b", "c", "d", "ab", "abc"]
MERGES = ["a b", "ab c"]
MARKS = [added(0, "<s>", True), added(1, "</s>", True)]
ROLES = {"bos_token": "<s>", "eos_token": "</s>"}


def models():
    """name: tokenizer.json, tokenizer_config.json, rows (None: as many as tokens), other files."""
    chat = [added(8, "<|im_start|>", True), added(9, "<|im_end|>", True)]
    return {
        "base": (tokenizer("BPE", LETTERS, MARKS, merges=MERGES), ROLES, None, {}),
        "chat": (tokenizer("BPE", LETTERS, MARKS + chat, merges=MERGES), ROLES | {"eos_token": "<|im_end|>"}, None, {}),
        # other ids, other tokens, a pad token; <s> not special; abc only as an added token
        "other": (tokenizer("BPE", ["d", "c", "b", "a", "e", "de", "</s>"], [added(6, "</s>", True), added(7, "abc"), added(8, "<pad>", True)],
                            merges=[["d", "e"]]), {"eos_token": "</s>", "pad_token": "<pad>"}, None, {}),
        "third": (tokenizer("BPE", ["x", "e", "a", "f", "de"], [added(5, "<pad>", False), added(6, "<|im_start|>", True)], merges=[]), {}, None, {}),
        # more rows than tokens, as Qwen has
        "padded": (tokenizer("BPE", LETTERS, MARKS, merges=MERGES), ROLES, 16, {}),
        # tokens without rows: <pad>; and abc with the merge that makes it
        "short": (tokenizer("BPE", LETTERS, MARKS + [added(8, "<pad>", True)], merges=MERGES), ROLES | {"pad_token": "<pad>"}, 8, {}),
        "shorter": (tokenizer("BPE", LETTERS, MARKS + [added(8, "<pad>", True)], merges=MERGES), ROLES | {"pad_token": "<pad>"}, 7, {}),
        "words": (tokenizer("WordLevel", ["<unk>", "one", "two", "three"]), {"unk_token": "<unk>"}, None, {}),
        "short_words": (tokenizer("WordLevel", ["<unk>", "one", "two", "three"]), {"unk_token": "<unk>"}, 3, {}),
        "mots": (tokenizer("WordLevel", ["un", "two", "<unk>", "one", "deux"], [added(2, "<unk>", True)]), {"unk_token": "<unk>"}, None, {}),
        "pieces": (tokenizer("WordPiece", ["[UNK]", "play", "##ing", "##ed"]), {"unk_token": "[UNK]"}, None, {}),
        "unigram": (tokenizer("Unigram", ["<unk>", "▁he", "▁hello", "llo"], [added(0, "<unk>", True), added(4, "<sep>", True)]), {"unk_token": "<unk>"}, None, {}),
        "unigram2": (tokenizer("Unigram", ["<unk>", "llo", "▁hey"]), {"unk_token": "<unk>"}, None, {}),
        # tokens that only the files beside tokenizer.json have
        "legacy": (tokenizer("BPE", ["a", "b", "ab"], [], merges=["a b"]), {"bos_token": "<s>"}, 8,
                   {"added_tokens.json": {"<|im_end|>": 5, "b": 1, "<new>": 3},
                    "special_tokens_map.json": {"eos_token": "<|im_end|>", "pad_token": {"content": "<pad>", "lstrip": True, "rstrip": False,
                                                                                           "normalized": False, "single_word": False},
                                                "additional_special_tokens": ["<x>", "ab"]}}),
        "decoder": (tokenizer("BPE", ["a", "b", "ab"], [added(3, "<s>", True)], merges=["a b"]),
                    {"added_tokens_decoder": {"9": {k: v for k, v in added(9, "<y>").items() if k != "id"},
                                              "5": {k: v for k, v in added(5, "<z>", True, lstrip=True).items() if k != "id"},
                                              "3": {k: v for k, v in added(3, "<s>", False).items() if k != "id"}},
                     "bos_token": "<s>", "unk_token": "a", "extra_special_tokens": ["<w>"], "image_token": "<image>"}, 9, {}),
        # ids with a gap; added tokens whose ids do not count
        "gap": (tokenizer("BPE", {"a": 0, "b": 1, "ab": 5}, [added(9, "<s>", True)], merges=["a b"]), {"bos_token": "<s>"}, 6, {}),
        "gap_added": (tokenizer("BPE", {"a": 0, "b": 1, "ab": 7}, [added(7, "ab"), added(8, "<s>", True), added(9, "<t>", True)], merges=["a b"]),
                      {"bos_token": "<s>", "eos_token": "<u>"}, 9, {}),
    }


def cases():
    """name: tokenizer, models, base."""
    two, three = ["base", "chat"], ["base", "other", "third"]
    token = lambda **kw: {"tokens": kw}
    result = {
        "union": ({"source": "union"}, two, "base"),
        "union_reversed": ({"source": "union"}, ["chat", "base"], "chat"),
        "union_three": ({"source": "union"}, three, "base"),
        "union_no_base": ({"source": "union"}, three, None),
        "union_other_base": ({"source": "union"}, three, "third"),
        "base": ({"source": "base"}, three, "base"),
        "base_no_base": ({"source": "base"}, ["other", "base", "third"], None),
        "model": ({"source": "./other"}, three, "base"),
        "model_listed": ({"source": "./chat"}, two, "base"),
        "model_aside": ({"source": "./chat"}, ["other", "third"], "other"),  # a vocabulary of a model that is not merged
        "default_source": ({}, two, "base"),
        "pad": ({"source": "union", "pad_to_multiple_of": 8}, three, "base"),
        "pad_exact": ({"source": "union", "pad_to_multiple_of": 5}, two, "base"),
        "padded": ({"source": "base"}, ["padded", "base"], "padded"),
        "padded_union": ({"source": "union"}, ["padded", "chat"], "padded"),
        "short": ({"source": "base"}, ["short", "base"], "short"),
        "short_union": ({"source": "union"}, ["short", "base", "other"], "short"),
        "shorter": ({"source": "base"}, ["shorter", "base"], "shorter"),
        "short_words": ({"source": "base"}, ["short_words", "words"], "short_words"),
        "words": ({"source": "union"}, ["words", "mots"], "words"),
        "words_mixed": ({"source": "union"}, ["words", "pieces", "base"], None),
        "unigram": ({"source": "union"}, ["unigram", "unigram2"], "unigram"),
        "pieces": ({"source": "./pieces"}, ["base", "pieces"], "base"),
        "legacy": ({"source": "union"}, ["base", "legacy"], "base"),
        "legacy_base": ({"source": "base"}, ["legacy", "base"], "legacy"),
        "decoder": ({"source": "./decoder"}, ["base", "decoder"], "base"),
        "token_model": ({"source": "union"} | token(**{"e": {"source": "./third"}, "abc": {"source": "./other"}}), three, "base"),
        "token_forced": ({"source": "union"} | token(**{"a": {"source": "./other", "force": True}, "b": {"source": {"kind": "zero"}, "force": True}}), three, "base"),
        "token_kinds": ({"source": "union"} | token(**{
            "<pad>": {"source": {"kind": "zero"}}, "e": {"source": {"kind": "model_token", "model": "./base", "token": "d"}},
            "f": {"source": {"kind": "model_token", "model": "./other", "token_id": 2}, "force": True}}), three, "base"),
        "token_new": ({"source": "union"} | token(**{
            "<think>": {"source": {"kind": "model_token", "model": "./base", "token": "<s>"}},
            "<answer>": {"source": {"kind": "zero"}}}), two, "base"),
        "token_new_base": ({"source": "base"} | token(**{"<think>": {"source": {"kind": "model_token", "model": "./base", "token": "<s>"}}}), two, "base"),
        "token_new_padded": ({"source": "base"} | token(**{"<think>": {"source": {"kind": "model_token", "model": "./base", "token": "<s>"}}}), ["padded", "base"], "padded"),
        "token_no_source": ({"source": "union"} | token(**{"a": {}}), two, "base"),
        "token_no_source_needed": ({"source": "union"} | token(**{"<pad>": {}}), three, "base"),
        "token_absent": ({"source": "union"} | token(**{"f": {"source": "./base"}}), three, "base"),
        "short_other": ({"source": "union"}, ["base", "short"], "base"),
        "short_model": ({"source": "./short"}, ["base", "short"], "base"),
        "gap": ({"source": "base"}, ["gap", "base"], "gap"),
        "gap_added": ({"source": "./gap_added"}, ["base", "gap_added"], "base"),
        "gap_union": ({"source": "union"}, ["gap", "other"], "gap"),
    }
    return result


def write_models():
    shutil.rmtree(f"{HERE}/models", ignore_errors=True)
    g = torch.Generator().manual_seed(SEED)
    for name, (tok, config, rows, files) in models().items():
        out = f"{HERE}/models/{name}"
        os.makedirs(out)
        dump = lambda file, value: json.dump(value, open(f"{out}/{file}", "w", encoding="utf-8"), indent=2, ensure_ascii=False)
        dump("tokenizer.json", tok)
        dump("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"} | config)
        for file, value in files.items():
            dump(file, value)
        if rows is None:
            rows = len(transformers.AutoTokenizer.from_pretrained(out).get_vocab())
        dump("config.json", dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=HIDDEN, intermediate_size=2,
                                 num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1, vocab_size=rows,
                                 tie_word_embeddings=False, torch_dtype="float32", max_position_embeddings=8, rms_norm_eps=1e-6, hidden_act="silu"))
        r = lambda *shape: torch.randn(shape, generator=g)
        p = "model.layers.0."
        tensors = {"model.embed_tokens.weight": r(rows, HIDDEN), "lm_head.weight": r(rows, HIDDEN), "model.norm.weight": r(HIDDEN)}
        for n in ("q_proj", "k_proj", "v_proj", "o_proj"):
            tensors[f"{p}self_attn.{n}.weight"] = r(HIDDEN, HIDDEN)
        for n, shape in (("gate_proj", (2, HIDDEN)), ("up_proj", (2, HIDDEN)), ("down_proj", (HIDDEN, 2))):
            tensors[f"{p}mlp.{n}.weight"] = r(*shape)
        for n in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{p}{n}.weight"] = r(HIDDEN)
        save_file(tensors, f"{out}/model.safetensors", metadata={"format": "pt"})


def keep_order():
    """The two orders of hash tables, replaced."""
    get_vocab = transformers.PreTrainedTokenizerFast.get_vocab
    transformers.PreTrainedTokenizerFast.get_vocab = lambda self: dict(sorted(get_vocab(self).items(), key=lambda kv: (kv[1], kv[0])))

    def referenced_models(self):
        names = [self.base_model] if self.base_model else []
        listed = self.models or [source for m in self.modules.values() for s in m.slices for source in s.sources]
        return list(dict.fromkeys(names + [m.model for m in listed]))

    mergekit.config.MergeConfiguration.referenced_models = referenced_models


def run(config, names, base, weights):
    recipe = {"merge_method": "linear", "dtype": "float32", "tokenizer": config, "parameters": {"normalize": False},
              "models": [{"model": f"./{n}", "parameters": {"weight": w}} for n, w in zip(names, weights)]}
    if base:
        recipe["base_model"] = f"./{base}"
    with tempfile.TemporaryDirectory() as out:
        run_merge(MergeConfiguration.model_validate(yaml.safe_load(yaml.safe_dump(recipe, sort_keys=False))), out, MergeOptions(quiet=True, write_model_card=False))
        tensors = load_file(f"{out}/model.safetensors")
        raw = transformers.tokenization_utils_tokenizers.TokenizerFast.from_file(f"{out}/tokenizer.json")
        loaded = transformers.AutoTokenizer.from_pretrained(out).get_vocab()
        size = json.load(open(f"{out}/config.json"))["vocab_size"]
    return {n: t for n, t in tensors.items() if n in ("model.embed_tokens.weight", "lm_head.weight")}, raw, loaded, size


def settings(tokens):
    fields = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")
    return [{f: getattr(a, f) for f in fields} for _, a in sorted(tokens.items())]


def main():
    write_models()
    os.chdir(f"{HERE}/models")
    loaded = {}
    for name in models():
        t = transformers.AutoTokenizer.from_pretrained(name)
        loaded[name] = {"vocab": dict(sorted(t.get_vocab().items(), key=lambda kv: (kv[1], kv[0]))),
                        "added": settings(t.added_tokens_decoder)}
    json.dump(loaded, open(f"{HERE}/loaded.json", "w"), indent=1)
    keep_order()
    expected, listed = {}, []
    for name, (config, names, base) in cases().items():
        case = {"name": name, "tokenizer": config, "models": names, "base": base}
        try:
            for i, model in enumerate(names):
                tensors, raw, reloaded, size = run(config, names, base, [float(j == i) for j in range(len(names))])
                for n, t in tensors.items():
                    assert t.shape[0] == size and torch.isfinite(t).all()
                    expected[f"{name}/{model}/{n}"] = t.contiguous()
            vocab = raw.get_vocab()
            case |= {"size": size, "added": settings(raw.get_added_tokens_decoder()), "vocab": dict(sorted(vocab.items(), key=lambda kv: (kv[1], kv[0])))}
            if reloaded != vocab:
                case["loads_more"] = sorted(set(reloaded) - set(vocab))
        except Exception as e:
            root = e
            while root.__cause__:
                root = root.__cause__
            case["error"] = f"{type(root).__name__}: {root}".replace(HERE, ".")
        print(name, case.get("size"), case.get("vocab"), case.get("loads_more"), case.get("error"))
        listed.append(case)
    save_file(expected, f"{HERE}/expected.safetensors")
    json.dump(listed, open(f"{HERE}/cases.json", "w"), indent=1)
    check_templates()


def check_templates():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)  # as transformers renders

    def refuse(message):
        raise ValueError(message)

    env.globals["raise_exception"] = refuse
    chat = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello."), ("user", "More?")]
    want = {
        "alpaca": "Be brief.\n\n### Instruction:\nHi\n\n### Response:\nHello.\n\n### Instruction:\nMore?\n\n### Response:\n",
        "chatml": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
                  "<|im_start|>user\nMore?<|im_end|>\n<|im_start|>assistant\n",
        "exaone": "[|system|]Be brief.[|endofturn|]\n[|user|]Hi\n[|assistant|]Hello.[|endofturn|]\n[|user|]More?\n[|assistant|]",
        "llama3": "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
                  "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nMore?<|eot_id|>"
                  "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "mistral": "<s>[INST] Be brief.\n\nHi [/INST] Hello.</s>[INST] More? [/INST]",
    }
    for name, text in want.items():
        template = env.from_string(open(f"{HERE}/../templates/{name}.jinja").read())
        got = template.render(messages=[{"role": r, "content": c} for r, c in chat], add_generation_prompt=True, bos_token="<s>", eos_token="</s>")
        assert got == text, f"{name}: {got!r}"


if __name__ == "__main__":
    main()
