"""Times Syncretic's encoder against PyTorch's; started by encoder.sh, which builds the Go side.

Both sides have MERT-v1-95M's sizes, random weights, one clip of 5 s at 24 kHz, all cores, and return all 13 hidden
states. They take turns, several rounds each, so that other load on the machine meets both; the figures are medians over
all runs. PyTorch runs transformers' HubertModel in eval mode without gradients, with the faster of its two attentions.
"""
import argparse
import os
import re
import statistics
import subprocess
import time

import torch
import transformers


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", help="the test binary of adapt/mert")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side")
    parser.add_argument("--runs", type=int, default=4, help="clips a turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    clip = torch.randn(1, 5 * 24000, generator=torch.Generator().manual_seed(1)) * 0.2
    models = {}
    for attention in ("sdpa", "eager"):
        config = transformers.HubertConfig(attn_implementation=attention)
        models[attention] = transformers.HubertModel(config).eval()

    @torch.no_grad()
    def run(attention):
        start = time.perf_counter()
        models[attention](clip, output_hidden_states=True)
        return time.perf_counter() - start

    for attention in models:
        run(attention)
    chosen = min(models, key=lambda attention: statistics.median(run(attention) for _ in range(3)))

    command = [options.binary, "-test.run", "^$", "-test.bench", "^BenchmarkEncoder95M$"]
    command += ["-test.benchtime", f"{options.runs}x", "-test.cpu", str(options.threads)]
    ours, theirs = [], []
    for _ in range(options.rounds):
        theirs += [run(chosen) for _ in range(options.runs)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        ours.append(float(re.search(r"(\d+(?:\.\d+)?) ns/op", out).group(1)) / 1e9)

    go, pytorch = statistics.median(ours), statistics.median(theirs)
    print(f"one 5 s clip, MERT-95M sizes, {options.threads} threads, {options.rounds} rounds of {options.runs}")
    print(f"PyTorch {torch.__version__}, transformers {transformers.__version__}, {chosen}: {pytorch:.3f} s ({min(theirs):.3f} to {max(theirs):.3f})")
    print(f"Syncretic: {go:.3f} s ({min(ours):.3f} to {max(ours):.3f})")
    print(f"ratio Syncretic / PyTorch: {go / pytorch:.2f}")


if __name__ == "__main__":
    main()
