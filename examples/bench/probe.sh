#!/bin/sh
# Times the probe's heads on features of MERT-95M, 25,000 x 13 x 768 with 20 tags, all cores: MARBLE's MLP against PyTorch, in turns, and
# the quick heads alone.
#
#     examples/bench/probe.sh [VENV] [OPTIONS OF probe.py]
#
# VENV (or $VENV) is a Python virtual environment; it is made, and torch is installed into it, where they are absent. Without one,
# .venv-bench in the working directory. Takes 3 GB of memory.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
imports="torch"
packages="torch==2.13.0"
. "$here/venv.inc"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/../.." && go test -c -o "$work/probe.test" ./probe)
"$venv/bin/python" "$here/probe.py" "$work/probe.test" "$@"
