#!/bin/sh
# Times EnCodec's encoder and quantiser against PyTorch: random encodec_24khz weights, one 5 s clip, all cores, in turns.
#
#     examples/bench/encodec.sh [VENV] [OPTIONS OF encodec.py]
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
(cd "$here/../.." && go test -c -o "$work/encodec.test" ./adapt/encodec)
"$venv/bin/python" "$here/encodec.py" "$work/encodec.test" "$@"
