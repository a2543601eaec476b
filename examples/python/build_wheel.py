"""Builds wheels that carry the syncretic binary, so that `pip install` is all a notebook needs. Standard library and Go only.

    python3 examples/python/build_wheel.py out/wheels                          # for this machine
    python3 examples/python/build_wheel.py out/wheels linux/arm64 darwin/arm64
    python3 examples/python/build_wheel.py out/wheels all

A wheel holds the package in `src` beside this script, the binary, the command `syncretic`, this repository's licence and
those of the Go modules that are linked in. The same commit and the same Go give the same bytes: times in the archive are
SOURCE_DATE_EPOCH, or else the commit's. The paths of the wheels are printed.
"""
import argparse
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# By GOOS/GOARCH, as wheels call a platform. The binary is static, so any Linux will do that pip takes for manylinux2014; Go 1.26's
# macOS programs start on macOS 12.
PLATFORMS = {
    "linux/amd64": "manylinux2014_x86_64",
    "linux/arm64": "manylinux2014_aarch64",
    "darwin/amd64": "macosx_12_0_x86_64",
    "darwin/arm64": "macosx_12_0_arm64",
    "windows/amd64": "win_amd64",
}

LICENCES = ("LICENCE", "LICENSE", "UNLICENSE", "COPYING", "NOTICE", "PATENTS")  # how such files' names begin

METADATA = """\
Metadata-Version: 2.4
Name: syncretic
Version: {version}
Summary: Model merging and task arithmetic on safetensors checkpoints: one binary, and a call for notebooks
License-Expression: Apache-2.0
{licences}
Requires-Python: >=3.9
Description-Content-Type: text/markdown

{readme}"""

WHEEL = """\
Wheel-Version: 1.0
Generator: examples/python/build_wheel.py
Root-Is-Purelib: false
Tag: py3-none-{platform}
"""

ENTRY_POINTS = """\
[console_scripts]
syncretic = syncretic.__main__:main
"""


def go(*words, target=None):
    """Standard output of the go command, run in the repository for a target."""
    env = dict(os.environ, CGO_ENABLED="0")
    if target:
        env["GOOS"], env["GOARCH"] = target.split("/")
    return subprocess.run(["go", *words], cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def build(target, path):
    go("build", "-trimpath", "-ldflags=-s -w", "-o", str(path), "./cmd/syncretic", target=target)


def licences(target):
    """The licences of all that is linked into the binary, by their path in the archive."""
    found = {"LICENSE": ROOT / "LICENSE", "go/LICENSE": pathlib.Path(go("env", "GOROOT").strip(), "LICENSE")}
    modules = go("list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}", "./cmd/syncretic", target=target)
    for line in sorted(set(filter(None, modules.splitlines()))):
        module, folder = line.split("\t")
        texts = [f for f in pathlib.Path(folder).iterdir() if f.is_file() and f.name.upper().startswith(LICENCES)]
        if not texts:
            sys.exit(f"{module}: no licence in {folder}, so it cannot be handed on")
        found.update({f"{module}/{f.name}": f for f in texts})
    return {name: found[name].read_bytes() for name in sorted(found)}


def contents(version, target, binary):
    """What is in the wheel, by path, but for RECORD."""
    files = {f"syncretic/{f.name}": f.read_bytes() for f in sorted((HERE / "src/syncretic").iterdir()) if f.suffix == ".py" or f.name == "py.typed"}
    files["syncretic/bin/" + binary.name] = binary.read_bytes()
    info, texts = f"syncretic-{version}.dist-info", licences(target)
    files.update({f"{info}/licenses/{name}": text for name, text in texts.items()})
    metadata = METADATA.format(version=version, licences="\n".join("License-File: " + name for name in texts), readme=(HERE / "README.md").read_text("utf-8"))
    for name, text in {"METADATA": metadata, "WHEEL": WHEEL.format(platform=PLATFORMS[target]), "entry_points.txt": ENTRY_POINTS}.items():
        files[f"{info}/{name}"] = text.encode()
    return files


def record(files, path):
    """The text of RECORD: every file's sha-256 and size, and its own line without them."""
    lines = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    return "\n".join([*lines, path + ",,"]) + "\n"


def moment():
    """The time of every entry: SOURCE_DATE_EPOCH, else the commit's, but no earlier than ZIP can say."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        log = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
        epoch = log.stdout.strip() or "0"
    return max(time.gmtime(int(epoch))[:6], (1980, 1, 1, 0, 0, 0))


def write(path, files, when):
    """Writes the archive beside path and renames it, so that no torn wheel is left under the name."""
    draft = path.with_name(path.name + ".part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, when)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on Windows too: else the next line means something else
            entry.external_attr = (0o100755 if name.startswith("syncretic/bin/") else 0o100644) << 16
            archive.writestr(entry, data)
    os.replace(draft, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path, help="the folder for the wheels")
    parser.add_argument("targets", nargs="*", metavar="GOOS/GOARCH", help=f"{', '.join(PLATFORMS)}, or all; default: this machine's")
    args = parser.parse_args()
    host = "/".join(go("env", "GOHOSTOS", "GOHOSTARCH").split())
    targets = list(PLATFORMS) if args.targets == ["all"] else args.targets or [host]
    for target in targets:
        if target not in PLATFORMS:
            parser.error(f"{target}: there are {', '.join(PLATFORMS)}")
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        here = pathlib.Path(scratch, "host.exe")
        build(host, here)
        version = json.loads(subprocess.run([here, "version", "--json"], check=True, stdout=subprocess.PIPE).stdout)["version"]
        for target in targets:
            binary = pathlib.Path(scratch, "syncretic.exe" if target.startswith("windows/") else "syncretic")
            build(target, binary)
            files = contents(version, target, binary)
            listed = f"syncretic-{version}.dist-info/RECORD"
            files[listed] = record(files, listed).encode()
            wheel = args.out / f"syncretic-{version}-py3-none-{PLATFORMS[target]}.whl"
            write(wheel, files, moment())
            print(wheel)


if __name__ == "__main__":
    main()
