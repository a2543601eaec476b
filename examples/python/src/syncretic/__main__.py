"""The command `syncretic`, and `python -m syncretic`: this process becomes the binary."""
import os
import subprocess
import sys

from . import binary


def main() -> int:
    """Does not return, but on Windows, where a process cannot become another one."""
    path = os.fspath(binary())
    if os.name != "nt":
        os.execv(path, [path, *sys.argv[1:]])
    with subprocess.Popen([path, *sys.argv[1:]]) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the binary got it too, and ends in its own time


if __name__ == "__main__":
    sys.exit(main())
