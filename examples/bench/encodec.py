"""Times Syncretic's EnCodec encoder against PyTorch's; started by encodec.sh, which builds the Go side.

Both sides have encodec_24khz's sizes, random weights and one clip of 5 s, and return the codes of 8 codebooks (6 kbit/s).
They take turns, several rounds each, so that other load on the machine meets both; the figures are medians over all runs.
PyTorch runs transformers' EncodecModel in eval mode without gradients.
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
    parser.add_argument("binary", help="the test binary of adapt/encodec")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side")
    parser.add_argument("--runs", type=int, default=3, help="clips a turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    clip = torch.randn(1, 1, 5 * 24000, generator=torch.Generator().manual_seed(1)) * 0.2
    model = transformers.EncodecModel(transformers.EncodecConfig()).eval()

    @torch.no_grad()
    def run():
        start = time.perf_counter()
        model.encode(clip, bandwidth=6.0)
        return time.perf_counter() - start

    run()
    command = [options.binary, "-test.run", "^$", "-test.bench", "^BenchmarkEncode5s$"]
    command += ["-test.benchtime", f"{options.runs}x", "-test.cpu", str(options.threads)]
    ours, theirs = [], []
    for _ in range(options.rounds):
        theirs += [run() for _ in range(options.runs)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        ours.append(float(re.search(r"(\d+(?:\.\d+)?) ns/op", out).group(1)) / 1e9)

    go, pytorch = statistics.median(ours), statistics.median(theirs)
    print(f"one 5 s clip, encodec_24khz at 6 kbit/s, {options.threads} threads, {options.rounds} rounds of {options.runs}")
    print(f"PyTorch {torch.__version__}, transformers {transformers.__version__}: {pytorch:.3f} s ({min(theirs):.3f} to {max(theirs):.3f})")
    print(f"Syncretic: {go:.3f} s ({min(ours):.3f} to {max(ours):.3f})")
    print(f"ratio Syncretic / PyTorch: {go / pytorch:.2f}")


if __name__ == "__main__":
    main()
