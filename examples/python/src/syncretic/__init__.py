"""Syncretic from Python: the path of its binary, and a call that returns what a verb found.

    import syncretic
    found = syncretic.run("compare", "models/base", "models/makam", "models/lyra")
    found["cosine"]

A verb is called with the words of its command line; its flags may also be keyword arguments. Everything else is the binary's:
`syncretic --help` lists the verbs.
"""
import json
import os
import pathlib
import subprocess
from typing import Any, Optional, Union

__all__ = ["Error", "binary", "run"]

Word = Union[str, int, float, "os.PathLike[str]"]

_GRACE = 10  # s that an interrupted verb gets to leave nothing half done


class Error(Exception):
    """A verb that failed.

    code is its exit code (1 failed, 2 wrong usage or configuration, 3 bad input, 4 the output exists, 130 interrupted; negative
    where a signal ended it), message its error line, hint the line below that, "" without one, and result what it printed all the
    same, as `verify` does of a model that it finds broken, else None.
    """

    def __init__(self, code: int, message: str, hint: str = "", result: Any = None) -> None:
        super().__init__(code, message, hint, result)
        self.code, self.message, self.hint, self.result = code, message, hint, result

    def __str__(self) -> str:
        hint = f"\nhint: {self.hint}" if self.hint else ""
        return f"{self.message} (exit code {self.code}){hint}"


def binary() -> pathlib.Path:
    """The path of the binary that this package carries."""
    name = "syncretic.exe" if os.name == "nt" else "syncretic"
    return pathlib.Path(__file__).with_name("bin") / name


def run(*words: Word, **flags: Any) -> Any:
    """Runs a verb and returns its result, the JSON value that it prints: a dict, but a list for `merge --methods`.

    run("demo", "out/demo", profile="quick", seed=2) is `syncretic demo out/demo --profile quick --seed 2 --json --quiet`: an
    underscore in a keyword is a hyphen in the flag, True sets a flag, None leaves it out, a list repeats it, and one letter is a
    short flag. Raises Error when the verb fails. An interrupt reaches the verb, which ends cleanly, before it is raised here.
    """
    line = [os.fspath(binary()), *map(_text, words), *_flags(flags), "--json", "--quiet"]
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          errors="replace") as process:
        try:
            stdout, stderr = process.communicate()
        except BaseException:
            _end(process)
            raise
    result = _parse(stdout)
    if process.returncode == 0:
        return result
    raise Error(process.returncode, *_complaint(process.returncode, stderr), result)


def _flags(flags: dict[str, Any]) -> list[str]:
    words = []
    for name, value in flags.items():
        flag = f"-{name}" if len(name) == 1 else "--" + name.replace("_", "-")
        for v in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(v, bool):
                words.append(f"{flag}={str(v).lower()}")
            elif v is not None:
                words += [flag, _text(v)]
    return words


def _text(word: Word) -> str:
    return os.fspath(word) if isinstance(word, os.PathLike) else str(word)


def _parse(stdout: str) -> Optional[Any]:
    try:
        return json.loads(stdout)
    except ValueError:
        return None


def _complaint(code: int, stderr: str) -> tuple[str, str]:
    """The last error line and hint; whatever the process said where it said neither."""
    message = hint = ""
    for line in stderr.splitlines():
        if line.startswith("syncretic: "):
            message, hint = line.removeprefix("syncretic: "), ""
        elif line.startswith("hint: "):
            hint = line.removeprefix("hint: ")
    if not message:
        message = stderr.strip() or (f"ended by signal {-code}" if code < 0 else "failed")
    return message, hint


def _end(process: "subprocess.Popen[str]") -> None:
    """Waits for a verb that got the interrupt too, as all of a terminal's or kernel's processes do, and asks it to end if it did not.

    The verb's second signal would end it at once.
    """
    for ask in (process.terminate, process.kill):
        try:
            process.communicate(timeout=_GRACE)
            return
        except subprocess.TimeoutExpired:
            ask()
    process.communicate()
