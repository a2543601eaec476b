"""Times Syncretic's encoder against PyTorch's; started by encoder.sh, which builds the Go side.

Both sides have MERT-v1-95M's sizes, random weights, clips of 5 s at 24 kHz and the same number of threads. Inference
returns all 13 hidden states, without gradients. A training step is the forward pass, the backward pass of the mean
square of the last state, and AdamW over all weights, without dropout. PyTorch runs transformers' HubertModel with scaled
dot product attention and fused AdamW, the fastest that it has.

The two sides take turns in processes of their own, so that other load on the machine meets both and memory is that of
one side; each turn begins with a run that is not counted. Figures are medians over all runs, memory is the most that a
process ever held.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

CASES = {  # name: clips, runs in a turn, whether it trains
    "inference, 1 clip": (1, 6, False),
    "inference, 8 clips": (8, 2, False),
    "training step, 1 clip": (1, 3, True),
    "training step, 4 clips": (4, 1, True),
}


def pytorch(clips, runs, train, threads):
    """One turn of PyTorch: prints the seconds of each run and the process's largest memory in MiB, as JSON."""
    import torch
    import transformers

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    config = transformers.HubertConfig(attn_implementation="sdpa", apply_spec_augment=False, layerdrop=0.0,
                                       hidden_dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, feat_proj_dropout=0.0)
    model = transformers.HubertModel(config).train(bool(train))
    samples = torch.randn(clips, 5 * 24000) * 0.2
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True) if train else None
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        if train:
            optimizer.zero_grad()
            model(samples).last_hidden_state.square().mean().backward()
            optimizer.step()
        else:
            with torch.no_grad():
                model(samples, output_hidden_states=True)
        seconds.append(time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds[1:], "memory": memory, "versions": f"PyTorch {torch.__version__}, transformers {transformers.__version__}"}))


def turn(command):
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(next(line for line in out.splitlines() if line.startswith("{")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", help="the test binary of adapt/mert")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="cases whose names contain this")
    parser.add_argument("--turn", nargs=3, type=int, metavar=("CLIPS", "RUNS", "TRAIN"), help="one turn of PyTorch, for the script itself")
    options = parser.parse_args()
    if options.turn:
        pytorch(*options.turn, options.threads)
        return

    versions = ""
    for name, (clips, runs, train) in CASES.items():
        if options.only not in name:
            continue
        ours, theirs = [], []
        for _ in range(options.rounds):
            theirs.append(turn([sys.executable, __file__, options.binary, "--threads", str(options.threads),
                                "--turn", str(clips), str(runs), str(int(train))]))
            ours.append(turn([options.binary, "-test.run", "^TestTurn$", "-test.v", "-test.cpu", str(options.threads),
                              "-turn", f"{clips},{runs},{train}"]))
        if versions != theirs[0]["versions"]:
            versions = theirs[0]["versions"]
            print(f"seconds a clip of 5 s, MERT-95M sizes, {options.threads} threads, {options.rounds} turns; {versions}")
            print(f"{'':24} {'PyTorch':>22} {'Syncretic':>22} {'ratio':>6} {'memory, MiB':>14}")
        columns, medians = "", []
        for side in (theirs, ours):
            seconds = [s / clips for t in side for s in t["seconds"]]
            medians.append(statistics.median(seconds))
            columns += f" {medians[-1]:7.3f} ({min(seconds):.3f}-{max(seconds):.3f})"
        memory = [max(t["memory"] for t in side) for side in (theirs, ours)]
        print(f"{name:24}{columns} {medians[1] / medians[0]:6.2f} {memory[0]:6.0f} {memory[1]:6.0f}", flush=True)


if __name__ == "__main__":
    main()
