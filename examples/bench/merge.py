"""Times Syncretic's merges against mergekit's; started by merge.sh, which builds the binary.

Two sets of three models, a base and two tuned from it: `llama`, 478M parameters in BF16, four shards each (2.87 GB read, 0.96 GB
written), merged by mergekit-yaml; and `hubert`, the shapes of MERT-v1-95M in F32, one file each, merged by mergekit-pytorch (whose
YAML tool cannot). Base weights are N(0, 0.02), deltas N(0, 0.002).

For each method both tools run as whole processes, in turns, and so does a copy of the same bytes: read all inputs, write one
output. No output stands in the way: that of the round before is removed first. Times are medians. Memory is the most anonymous memory of the process (RssAnon: what it holds itself, mapped files aside),
sampled every 20 ms. Syncretic fsyncs its output, mergekit does not: --out names a folder where that costs nothing (a file system in
memory) or where it does, and the copy is timed both ways.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def llama_shapes(h=1024, i=2816, v=32000, layers=32):
    yield "model.embed_tokens.weight", (v, h)
    for n in range(layers):
        p = f"model.layers.{n}."
        for q in "qkvo":
            yield f"{p}self_attn.{q}_proj.weight", (h, h)
        yield p + "mlp.gate_proj.weight", (i, h)
        yield p + "mlp.up_proj.weight", (i, h)
        yield p + "mlp.down_proj.weight", (h, i)
        yield p + "input_layernorm.weight", (h,)
        yield p + "post_attention_layernorm.weight", (h,)
    yield "model.norm.weight", (h,)
    yield "lm_head.weight", (v, h)


def hubert_shapes():
    import transformers

    with torch.device("meta"):
        model = transformers.HubertModel(transformers.HubertConfig())
    for name, tensor in model.state_dict().items():
        yield name, tuple(tensor.shape)


LLAMA_CONFIG = dict(architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=1024, intermediate_size=2816, num_hidden_layers=32,
                    num_attention_heads=16, num_key_value_heads=16, vocab_size=32000, tie_word_embeddings=False, torch_dtype="bfloat16",
                    max_position_embeddings=2048, rms_norm_eps=1e-6, hidden_act="silu")


def make(folder, kind, layers=32):
    """The three models of a set, unless they are there."""
    if os.path.exists(f"{folder}/done"):
        return
    shapes = list(llama_shapes(layers=layers) if kind == "llama" else hubert_shapes())
    dtype, shards = (torch.bfloat16, 4) if kind == "llama" else (torch.float32, 1)
    total = sum(torch.Size(s).numel() for _, s in shapes)
    for name in ("base", "a", "b"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        parts, where, used = [{} for _ in range(shards)], {}, 0
        for k, (n, s) in enumerate(shapes):
            t = 0.02 * torch.randn(s, generator=torch.Generator().manual_seed(k))
            if name != "base":
                t += 0.002 * torch.randn(s, generator=torch.Generator().manual_seed(100_000 * (1 + ord(name)) + k))
            part = min(shards - 1, used * shards // total)
            used += t.numel()
            parts[part][n] = t.to(dtype)
            where[n] = f"model-{part + 1:05d}-of-{shards:05d}.safetensors"
        if shards == 1:
            save_file(parts[0], f"{folder}/{name}/model.safetensors", metadata={"format": "pt"})
        else:
            for i, part in enumerate(parts):
                save_file(part, f"{folder}/{name}/model-{i + 1:05d}-of-{shards:05d}.safetensors", metadata={"format": "pt"})
            json.dump({"metadata": {"total_size": 2 * total}, "weight_map": where}, open(f"{folder}/{name}/model.safetensors.index.json", "w"))
        config = LLAMA_CONFIG | {"num_hidden_layers": layers} if kind == "llama" else {"model_type": "hubert", "num_hidden_layers": 12}
        json.dump(config, open(f"{folder}/{name}/config.json", "w"))
    open(f"{folder}/done", "w").close()


def recipe(method, paths, dtype):
    """A recipe as YAML, which JSON is."""
    base, a, b = paths
    two = lambda **p: [{"model": a, "parameters": {"weight": 0.5, **p}}, {"model": b, "parameters": {"weight": 0.3, **p}}]
    bare = [{"model": a}, {"model": b}]
    r = {
        "linear": {"models": [{"model": m, "parameters": {"weight": w}} for m, w in ((base, 0.2), (a, 0.4), (b, 0.4))]},
        "task_arithmetic": {"base_model": base, "models": two()},
        "model_stock": {"base_model": base, "models": bare},
        "slerp": {"base_model": a, "models": bare, "parameters": {"t": 0.4}},
        "nuslerp": {"models": two()},
        "karcher": {"models": [{"model": base}, *bare]},
        "ties": {"base_model": base, "models": two(density=0.5)},
        "dare_ties": {"base_model": base, "models": two(density=0.5)},
        "della": {"base_model": base, "models": two(density=0.5)},
        "breadcrumbs": {"base_model": base, "models": two(density=0.5)},
        "sce": {"base_model": base, "models": bare, "parameters": {"select_topk": 0.5}},
        "arcee_fusion": {"base_model": base, "models": [{"model": a}]},
    }[method]
    return json.dumps({"merge_method": method, "dtype": dtype, **r}), {m["model"] for m in r["models"]} | {r.get("base_model", a)}


def run(command, **kwargs):
    """Wall time in seconds, and the most RssAnon in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **kwargs)
    most = [0]

    def watch():
        while process.poll() is None:
            try:
                for line in open(f"/proc/{process.pid}/status"):
                    if line.startswith("RssAnon"):
                        most[0] = max(most[0], int(line.split()[1]))
            except OSError:
                return
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, err = process.communicate()
    wall = time.perf_counter() - start
    watcher.join()
    if process.returncode:
        sys.exit(f"{command}: exit code {process.returncode}\n{err.decode()[-2000:]}")
    return wall, most[0] / 1024


def copy(paths, out, sync):
    """Reads every input file and writes one output's worth: the time that no merge can beat."""
    files = [f"{p}/{f}" for p in sorted(paths) for f in sorted(os.listdir(p)) if f.endswith(".safetensors")]
    one = [f for f in files if os.path.dirname(f) == sorted(paths)[0]]
    rest = [f for f in files if f not in one]
    script = "cat -- " + " ".join(rest) + f" >/dev/null; cat -- {' '.join(one)} >{out}/copy" + (f"; sync {out}/copy" if sync else "")
    wall, _ = run(["sh", "-c", script])
    os.remove(f"{out}/copy")
    return wall


def difference(ours, theirs):
    """How many elements of two outputs differ at all, and by more than one unit in the last place (a relative 2^-7 in bfloat16, 2^-22
    in float32)."""
    load = lambda d: {n: f for p in sorted(os.listdir(d)) if p.endswith(".safetensors") for f in [safe_open(f"{d}/{p}", "pt")] for n in f.keys()}
    left, right = load(ours), load(theirs)
    if left.keys() != right.keys():
        return f"tensors differ: {sorted(left.keys() ^ right.keys())[:3]}"
    off = far = total = 0
    for n in left:
        x, y = left[n].get_tensor(n), right[n].get_tensor(n)
        unit = 2**-7 if x.dtype == torch.bfloat16 else 2**-22
        x, y = x.float(), y.float()
        off += int((x != y).sum())
        far += int(((x - y).abs() > unit * torch.maximum(x.abs(), y.abs())).sum())
        total += x.numel()
    return f"{100 * off / total:.3f} % of elements differ, {100 * far / total:.3f} % by more than a unit"


def main():
    methods = "linear task_arithmetic model_stock slerp nuslerp karcher ties dare_ties della breadcrumbs sce arcee_fusion".split()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--work", default="bench-models", help="folder for the models, kept")
    parser.add_argument("--out", help="folder for outputs (default: --work)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default="llama,hubert")
    parser.add_argument("--methods", default=",".join(methods))
    parser.add_argument("--big", action="store_true", help="a 4.2 GB set too, Syncretic alone: its memory does not grow")
    parser.add_argument("--alone", action="store_true", help="Syncretic alone")
    parser.add_argument("--json", help="file for the figures")
    o = parser.parse_args()
    work = os.path.abspath(o.work)
    out = os.path.abspath(o.out or work)
    os.makedirs(out, exist_ok=True)
    kit = os.path.join(os.path.dirname(sys.executable), "mergekit-")
    rows = []
    for kind in o.models.split(",") + (["big"] if o.big else []):
        folder = f"{work}/{kind}"
        make(folder, "hubert" if kind == "hubert" else "llama", layers=146 if kind == "big" else 32)
        for method in o.methods.split(","):
            alone = o.alone or kind == "big" or (kind == "hubert" and method == "della")  # mergekit divides 0 by 0 on rows of one
            dtype = "float32" if kind == "hubert" else "bfloat16"
            text, used = recipe(method, [f"{folder}/{m}" for m in ("base", "a", "b")], dtype)
            open(f"{out}/recipe.yml", "w").write(text)
            flat, _ = recipe(method, [f"{folder}/{m}/model.safetensors" for m in ("base", "a", "b")], dtype)
            open(f"{out}/flat.yml", "w").write(flat)
            theirs = [f"{kit}yaml", f"{out}/recipe.yml", f"{out}/theirs", "--quiet", "--random-seed", "1"]
            if kind == "hubert":
                theirs = [f"{kit}pytorch", f"{out}/flat.yml", f"{out}/theirs", "--quiet"]
            ours = [o.binary, "merge", f"{out}/recipe.yml", f"{out}/ours", "--force", "--quiet"]
            t = {"ours": [], "theirs": [], "copy": [], "synced": []}
            memory = {"ours": 0, "theirs": 0}
            run(ours)  # once unseen: the page cache is warm and the inputs' hashes are known
            for _ in range(o.rounds):
                t["copy"].append(copy(used, out, False))
                t["synced"].append(copy(used, out, True))
                for name, command in [("ours", ours)] + ([] if alone else [("theirs", theirs)]):
                    shutil.rmtree(f"{out}/{name}", ignore_errors=True)
                    wall, held = run(command)
                    t[name].append(wall)
                    memory[name] = max(memory[name], held)
            row = {"models": kind, "method": method, "memory_mib": round(memory["ours"])} | {k: statistics.median(v) for k, v in t.items() if v}
            line = f"{kind:7}{method:17}"
            if not alone:
                row |= {"ratio": row["theirs"] / row["ours"], "theirs_memory_mib": round(memory["theirs"]), "difference": difference(f"{out}/ours", f"{out}/theirs")}
                line += f" mergekit {row['theirs']:7.2f} s {row['theirs_memory_mib']:5} MiB   "
            line += f"syncretic {row['ours']:6.2f} s {row['memory_mib']:4} MiB   "
            if not alone:
                line += f"ratio {row['ratio']:5.1f}   "
            line += f"copy {row['copy']:.2f} s (x {row['ours'] / row['copy']:.1f}), with fsync {row['synced']:.2f} s (x {row['ours'] / row['synced']:.1f})"
            print(line + ("" if alone else "   " + row["difference"]), flush=True)
            rows.append(row)
            for d in ("ours", "theirs"):
                shutil.rmtree(f"{out}/{d}", ignore_errors=True)
    if o.json:
        json.dump({"torch": torch.__version__, "cores": os.cpu_count(), "rows": rows}, open(o.json, "w"), indent=1)


if __name__ == "__main__":
    main()
