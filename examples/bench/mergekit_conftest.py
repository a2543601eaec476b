"""Aims mergekit's own end-to-end tests at another tool: its run_merge becomes a call of $MERGE_CMD, in which {cfg} stands for the
recipe's file and {out} for the output directory. Started by mergekit_tests.sh."""
import logging
import os
import shlex
import subprocess
import tempfile

import mergekit.merge


class MergeFailed(RuntimeError, ValueError):
    """mergekit raises either."""


def run_merge(merge_config, out_path, options=None, config_source=None):
    with tempfile.NamedTemporaryFile("w", suffix=".yml", delete=False) as f:
        f.write(config_source or merge_config.to_yaml())
    command = os.environ["MERGE_CMD"].format(cfg=shlex.quote(f.name), out=shlex.quote(str(out_path)))
    if getattr(options, "random_seed", None) is not None:
        command += f" --random-seed {options.random_seed}"
    if getattr(options, "unsafe_truncate_embeddings", False):
        command += " --unsafe-truncate-embeddings"
    if not getattr(options, "copy_tokenizer", True):
        command += " --no-copy-tokenizer"
    done = subprocess.run(shlex.split(command), capture_output=True, text=True)
    os.remove(f.name)
    logging.getLogger("merge").warning(done.stderr)
    if done.returncode:
        raise MergeFailed(f"{command}: exit code {done.returncode}\n{done.stderr}")


mergekit.merge.run_merge = run_merge
