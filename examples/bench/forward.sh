#!/bin/sh
# Holds merged models to mergekit in transformers: both load completely, and their forward passes are equal.
#
#     examples/bench/forward.sh [VENV]
#
# VENV (or $VENV) is a Python virtual environment; it is made, and torch and mergekit are installed into it, where they are
# absent. Without one, .venv-bench in the working directory.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
imports="torch, mergekit"
packages="torch==2.13.0 mergekit==0.1.5"
. "$here/venv.inc"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/../.." && CGO_ENABLED=0 go build -trimpath -o "$work/syncretic" ./cmd/syncretic)
"$venv/bin/python" "$here/forward.py" "$work/syncretic"
