#!/bin/sh
# Times merges against mergekit: whole processes, in turns, on models that it makes itself, page cache warm.
#
#     examples/bench/merge.sh [VENV] [OPTIONS OF merge.py]
#
# VENV (or $VENV) is a Python virtual environment; it is made, and torch and mergekit are installed into it, where they are
# absent. Without one, .venv-bench in the working directory. It takes about 8 GB of disk, half of it in the output's folder.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
imports="torch, mergekit"
packages="torch==2.13.0 mergekit==0.1.5"
. "$here/venv.inc"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/../.." && CGO_ENABLED=0 go build -trimpath -o "$work/syncretic" ./cmd/syncretic)
"$venv/bin/python" "$here/merge.py" "$work/syncretic" "$@"
