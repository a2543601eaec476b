"""Writes golden.tfevents with TensorBoard's own record writer and protocol buffers.

tensorboard 2.21.0, protobuf 7.36.2, Python 3.11; no randomness.

    python make_golden.py golden.tfevents
"""
import sys

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

BEGUN = 1700000000.25


def scalars(step, wall, values):
    return Event(wall_time=wall, step=step, summary=Summary(
        value=[Summary.Value(tag=tag, simple_value=v) for tag, v in sorted(values.items())]))


with open(sys.argv[1], "wb") as f:
    w = RecordWriter(f)
    for event in (
        Event(wall_time=BEGUN, file_version="brain.Event:2"),
        Event(wall_time=BEGUN, session_log=SessionLog(status=SessionLog.START)),
        scalars(0, 1700000001.5, {"heldout/turkish-makam/ce": 34.25}),
        scalars(1, 1700000002.125, {"train/loss": 31.5, "train/lr": 1e-3, "train/ce/codebook_0": 6.9, "train/skipped": 0.0}),
        scalars(300, 1700000003.0, {"train/grad_norm": float("nan"), "heldout/türkü/ce": float("inf"), "train/skipped": -0.0}),
        scalars(5000000000, 1700000004.0, {"t" * 200: 1.0}),
    ):
        w.write(event.SerializeToString())
    w.flush()
