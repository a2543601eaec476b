#!/bin/sh
# Times the encoder against PyTorch: random MERT-95M weights, 5 s clips at 24 kHz, all cores, in turns: inference and training.
#
#     examples/bench/encoder.sh [VENV] [OPTIONS OF encoder.py]
#
# VENV (or $VENV) is a Python virtual environment; it is made, and torch and transformers are installed into it, where
# they are absent. Without one, .venv-bench in the working directory.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
imports="torch, transformers"
packages="torch==2.13.0 transformers"
. "$here/venv.inc"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/../.." && go test -c -o "$work/mert.test" ./adapt/mert)
"$venv/bin/python" "$here/encoder.py" "$work/mert.test" "$@"
