#!/bin/sh
# Runs mergekit's own end-to-end tests against the binary.
#
#     examples/bench/mergekit_tests.sh TESTS [VENV] [OPTIONS OF pytest]
#
# TESTS is the folder `tests` of mergekit 0.1.5's source distribution, to which tests/common.py of its repository was added, since
# the distribution lacks it. It is copied, not changed. VENV has mergekit 0.1.5, torch and pytest: see merge.sh.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
tests=$1
shift
imports="torch, mergekit, pytest"
packages="torch==2.13.0 mergekit==0.1.5 pytest"
. "$here/venv.inc"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$tests" "$work/tests"
touch "$work/tests/__init__.py"
cp "$here/mergekit_conftest.py" "$work/conftest.py"
if [ -z "${MERGE_CMD:-}" ]; then
	(cd "$here/../.." && CGO_ENABLED=0 go build -trimpath -o "$work/syncretic" ./cmd/syncretic)
	MERGE_CMD="$work/syncretic merge {cfg} {out} --force"
fi
export MERGE_CMD
cd "$work"
"$venv/bin/python" -m pytest -q -p no:cacheprovider tests/test_basic_merges.py tests/test_chat_template.py tests/test_tokenizer.py \
	tests/test_embedding_truncation.py tests/test_merge_dtypes.py tests/test_vocabulary_axis.py "$@"
