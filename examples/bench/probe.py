"""Times Syncretic's heads, MARBLE's MLP against PyTorch's; started by probe.sh, which builds the Go side.

Both sides have train features [25000][13][768] and valid features of a tenth of that in memory as float32, 20 tags and the same
number of threads, and train the protocol to the letter: softmax-weighted sum of layers 1 to 12, Linear 512, ReLU, dropout 0.2,
Linear 20, binary cross-entropy, Adam, batches of 64 in a new order each epoch, and logits of the valid items after every epoch.
Syncretic's time includes ROC-AUC on valid, the choice of the epoch and the last scoring; PyTorch's does not. Of the ways to mix layers in
PyTorch the quickest is used, one matrix product.

The two sides take turns in processes of their own, so that other load on the machine meets both and memory is that of one side.
Figures are medians over the turns, memory is the most that a process ever held. Five seeds are one fit of Syncretic's, and five
in a row of PyTorch's, of which one is run and counted five times.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

CASES = {  # name: kind, layers, seeds, whether PyTorch does it too
    "MLP, one seed": ("mlp", "upper", 1, True),
    "MLP, five seeds": ("mlp", "upper", 5, True),
    "logistic, 9,984 inputs": ("logistic", "all", 1, False),
    "logistic, one layer": ("logistic", "6", 1, False),
    "ridge, one layer": ("ridge", "6", 1, False),
}


def pytorch(epochs, items, threads):
    """One turn of PyTorch: prints the seconds of a fit and the process's largest memory in MiB, as JSON."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    x = torch.empty(items, 13, 768).uniform_(-1.7320508, 1.7320508)
    y = (torch.rand(items, 20) < 1 / 6).float()
    valid = torch.empty(items // 10, 13, 768).uniform_(-1.7320508, 1.7320508)
    start = time.perf_counter()
    mix = torch.nn.Parameter(torch.randn(12))
    net = torch.nn.Sequential(torch.nn.Linear(768, 512), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(512, 20))
    adam = torch.optim.Adam([mix, *net.parameters()], lr=1e-3)
    loss_of = torch.nn.BCEWithLogitsLoss()

    def logits(rows):
        return net(torch.einsum("l,bld->bd", mix.softmax(0), rows[:, 1:]))

    for _ in range(epochs):
        net.train()
        for batch in torch.randperm(items).split(64):
            adam.zero_grad()
            loss_of(logits(x[batch]), y[batch]).backward()
            adam.step()
        net.eval()
        with torch.no_grad():
            for rows in valid.split(256):
                logits(rows)
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": [seconds], "memory": memory, "versions": f"PyTorch {torch.__version__}"}))


def turn(command):
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(next(line for line in out.splitlines() if line.startswith("{")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", help="the test binary of probe")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--items", type=int, default=25000, help="in train")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="cases whose names contain this")
    parser.add_argument("--turn", action="store_true", help="one turn of PyTorch, for the script itself")
    options = parser.parse_args()
    if options.turn:
        pytorch(options.epochs, options.items, options.threads)
        return

    print(f"seconds a fit, {options.items} x 13 x 768, 20 tags, {options.epochs} epochs, {options.threads} threads, {options.rounds} turns")
    print(f"{'':24} {'PyTorch':>22} {'Syncretic':>22} {'ratio':>6} {'memory, MiB':>14}")
    for name, (kind, layers, seeds, compared) in CASES.items():
        if options.only not in name:
            continue
        ours, theirs = [], []
        for _ in range(options.rounds):
            if compared:
                theirs.append(turn([sys.executable, __file__, options.binary, "--turn", "--threads", str(options.threads),
                                    "--epochs", str(options.epochs), "--items", str(options.items)]))
            ours.append(turn([options.binary, "-test.run", "^TestTurn$", "-test.v", "-test.cpu", str(options.threads),
                              "-turn", f"{kind},{layers},{seeds},{options.epochs},{options.items}"]))
        columns, medians, memory = "", [], []
        for side, times in ((theirs, seeds), (ours, 1)):
            if not side:
                columns, memory = columns + f" {'':22}", memory + ["-"]
                continue
            seconds = [s * times for t in side for s in t["seconds"]]
            medians.append(statistics.median(seconds))
            columns += f" {medians[-1]:7.2f} ({min(seconds):.2f}-{max(seconds):.2f})".ljust(23)
            memory.append(f"{max(t['memory'] for t in side):.0f}")
        ratio = f"{medians[1] / medians[0]:6.2f}" if compared else " " * 6
        print(f"{name:24}{columns} {ratio} {memory[0]:>6} {memory[1]:>6}", flush=True)


if __name__ == "__main__":
    main()
