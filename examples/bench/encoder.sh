#!/bin/sh
# Times the encoder against PyTorch: random MERT-95M weights, one 5 s clip at 24 kHz, all cores, interleaved in one run.
#
#     examples/bench/encoder.sh [VENV] [OPTIONS OF encoder.py]
#
# VENV (or $VENV) is a Python virtual environment; it is made, and torch and transformers are installed into it, where
# they are absent. Without one, .venv-bench in the working directory.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
venv=${VENV:-.venv-bench}
case ${1:-} in
-* | "") ;;
*)
	venv=$1
	shift
	;;
esac

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import torch, transformers' 2>/dev/null ||
	"$venv/bin/python" -m pip install --quiet torch transformers

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/../.." && go test -c -o "$work/mert.test" ./adapt/mert)
"$venv/bin/python" "$here/encoder.py" "$work/mert.test" "$@"
