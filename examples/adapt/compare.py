"""Prints the scores that compare.sh collected as Markdown tables.

    python3 compare.py SCORES.json...

The first table has a row a variant: mean and sample deviation over the seeds of the held-out cross-entropy (CE, nats a masked frame,
summed over codebooks), of the spectrum's error (CQT), and of their sum less the base's. The second pairs the variants with the
recipe's own seed by seed: what their loss is more than its.
"""
import collections
import json
import pathlib
import statistics
import sys

PARTS = {"CE": "ce", "CQT": "cqt_mse"}


def spread(values, sign=""):
    """Mean and sample deviation, with three digits after the point."""
    deviation = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{sign}.3f}{deviation}"


def load(path):
    """The base's scores by corpus, and those of the variants by name, corpus and seed."""
    report = json.loads(pathlib.Path(path).read_text())
    base, variants = {}, collections.defaultdict(lambda: collections.defaultdict(dict))
    first = report["scores"][0]["model"]
    for score in report["scores"]:
        if score["model"] == first:
            base[score["corpus"]] = score
        else:
            name, seed = pathlib.Path(score["model"]).name.rsplit("-", 1)
            variants[name][score["corpus"]][seed] = score
    return report, base, variants


def total(score):
    return score["total"]


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + " --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def show(path):
    report, base, variants = load(path)
    corpora = [c["name"] for c in report["corpora"]]
    print("### " + " and ".join(f"{c['name']} ({c['clips']} held-out clips)" for c in report["corpora"]) + "\n")

    rows = [["base"] + [x for c in corpora for x in [f"{base[c][key]:.3f}" for key in PARTS.values()] + ["0"]]]
    for name, scores in variants.items():
        row = [name]
        for c in corpora:
            of = list(scores[c].values())
            row += [spread([s[key] for s in of]) for key in PARTS.values()]
            row.append(spread([total(s) - total(base[c]) for s in of], "+"))
        rows.append(row)
    table(["variant"] + [f"{c}: {x}" for c in corpora for x in [*PARTS, "to the base"]], rows)

    own, *others = variants
    rows = []
    for name in others:
        row = [name]
        for c in corpora:
            more = [total(variants[name][c][seed]) - total(score) for seed, score in variants[own][c].items()]
            row += [spread(more, "+"), f"{sum(m > 0 for m in more)} of {len(more)}"]
        rows.append(row)
    table([f"loss more than {own}'s"] + [x for c in corpora for x in (c, "seeds with more")], rows)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        show(path)
