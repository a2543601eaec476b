#!/bin/sh
# Holds merged models to mergekit in transformers: both load completely, and their forward passes are equal.
#
#     examples/bench/forward.sh [VENV]
#
# VENV (or $VENV) is a Python virtual environment; it is made, and torch and mergekit are installed into it, where they are
# absent. Without one, .venv-bench in the working directory.
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
"$venv/bin/python" -c 'import torch, mergekit' 2>/dev/null ||
	"$venv/bin/python" -m pip install --quiet torch==2.13.0 mergekit==0.1.5

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/../.." && CGO_ENABLED=0 go build -trimpath -o "$work/syncretic" ./cmd/syncretic)
"$venv/bin/python" "$here/forward.py" "$work/syncretic"
