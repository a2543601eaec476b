"""Tests of the installed package, wheel and all; `.ci/notebook` runs them in the environment that it installed the wheel into.

    python3 examples/python/test_syncretic.py
"""
import importlib.metadata
import json
import os
import pathlib
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import syncretic


def weights(path, value):
    """Writes a safetensors file of one tensor, w, of four numbers."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<4f", *[value] * 4))


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.base, self.tuned = self.folder / "base.safetensors", self.folder / "tuned.safetensors"
        weights(self.base, 1)
        weights(self.tuned, 3)

    def test_result(self):
        got = syncretic.run("version")
        self.assertEqual(got["version"], importlib.metadata.version("syncretic"))
        self.assertTrue(got["kernels"])

    def test_list(self):
        self.assertIn("task_arithmetic", json.dumps(syncretic.run("merge", methods=True)))

    def test_flags(self):
        out = self.folder / "out.safetensors"
        got = syncretic.run("apply", self.base, out, vector=[f"{self.tuned}=0.5", f"{self.base}=0.25"], threads=1, force=False, dtype=None)
        self.assertEqual((got["parameters"], len(got["vectors"])), (4, 2))
        self.assertEqual(struct.unpack("<4f", out.read_bytes()[-16:]), (2,) * 4)
        syncretic.run("apply", self.base, out, vector=f"{self.tuned}=1", force=True)
        self.assertEqual(struct.unpack("<4f", out.read_bytes()[-16:]), (3,) * 4)

    def test_errors(self):
        out = self.folder / "out.safetensors"
        syncretic.run("vector", self.base, self.tuned, out)
        for code, message, hint, words in [
            (2, "unknown flag: --threds", "syncretic vector --help", ("vector", self.base, self.tuned, out, "--threds", 1)),
            (3, "nowhere: no such file or directory", "check the spelling", ("inspect", "nowhere")),
            (4, "file already exists", "--force replaces it", ("vector", self.base, self.tuned, out)),
        ]:
            with self.subTest(message), self.assertRaises(syncretic.Error) as raised:
                syncretic.run(*words)
            e = raised.exception
            self.assertEqual(e.code, code)
            self.assertIn(message, e.message)
            self.assertIn(hint, e.hint)
            self.assertIn(f"(exit code {code})\nhint: ", str(e))

    def test_result_of_failure(self):
        self.tuned.write_bytes(b"broken")
        with self.assertRaises(syncretic.Error) as raised:
            syncretic.run("verify", self.base, self.tuned)
        self.assertEqual(raised.exception.code, 3)
        self.assertEqual(len(raised.exception.result["models"]), 2)

    def test_interrupt(self):
        """An interrupt that only Python gets is handed on: the verb ends, and cleanly, before the exception is raised."""
        out = self.folder / "demo"
        threading.Thread(target=interrupt_at, args=(out / "demo.json",), daemon=True).start()
        grace, syncretic._GRACE = syncretic._GRACE, 3
        self.addCleanup(setattr, syncretic, "_GRACE", grace)
        with self.assertRaises(KeyboardInterrupt):
            syncretic.run("demo", out, profile="quick", threads=1)
        self.assertFalse(list(out.rglob("*.tmp-*")))


def interrupt_at(path):
    while not path.exists():
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)


class Command(unittest.TestCase):
    def test_package(self):
        self.assertTrue(syncretic.binary().stat().st_mode & stat.S_IXUSR)
        self.assertTrue(syncretic.binary().with_name("..").joinpath("py.typed").resolve().exists())
        licences = [f for f in importlib.metadata.files("syncretic") if "licenses" in f.parts]
        self.assertGreater(len(licences), 10)
        self.assertIn("Apache License", next(f for f in licences if f.parts[1:] == ("licenses", "LICENSE")).read_text())

    def test_both_ways(self):
        """The command and `python -m syncretic` are the binary: the same output, the same exit code."""
        command = pathlib.Path(sys.executable).with_name("syncretic")
        for start in ([command], [sys.executable, "-m", "syncretic"], [syncretic.binary()]):
            done = subprocess.run([*start, "version"], stdout=subprocess.PIPE, encoding="utf-8")
            self.assertEqual((done.returncode, done.stdout.split()[0]), (0, "syncretic"))
            self.assertEqual(subprocess.run([*start, "adopt"], stderr=subprocess.DEVNULL).returncode, 2)


if __name__ == "__main__":
    unittest.main()
