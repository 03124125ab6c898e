"""Write the locks in requirements/: exact versions with hashes, for Python 3.10 to 3.14.

Needs uv beside this Python, and Python 3.11. PyTorch's releases are those that pip's configuration
offers on this machine: not every index has the newest.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "engine" / "pyproject.toml"
MODULE_TESTS = ROOT / "MIMIR" / "Testing" / "requirements.txt"
LOCKS = ROOT / "requirements"

#: Lowest Python of the locks. uv finds the releases for each later one, too.
PYTHON = "3.10"
PYTORCH = ("torch", "torchvision")
#: Beginnings of the names of packages that only graphics cards need.
GRAPHICS = ("nvidia-", "cuda-", "triton")
EXTRAS = (
    *("onnx", "figures", "nifti", "parquet", "report", "compressed", "cluster", "fast"),
    *("progress", "test", "lint"),
)


def main() -> None:
    """Lock everything at once, then divide it, so that all locks have the same versions."""
    torch = [f"{name}<={version}" for name, version in offered(PYTORCH).items()]
    settings = tomllib.loads(ENGINE.read_text("utf-8"))
    backend = settings["build-system"]["requires"]
    everything = compiled(torch, (*EXTRAS, "network", "docs"), [ENGINE, MODULE_TESTS], more=backend)
    demo = compiled(everything, ("onnx", "progress"), [ENGINE])
    core = compiled(everything, EXTRAS, [ENGINE, MODULE_TESTS])
    docs = compiled(everything, ("docs",), [ENGINE])
    network = without(compiled(everything, ("network",), [ENGINE]), core)
    build = compiled(everything, (), [], more=backend)
    network = without(network, build)
    graphics = [entry for entry in network if entry.startswith((*PYTORCH, *GRAPHICS))]

    write("build", "What builds the engine.", build)
    write("demo", "The engine with ONNX Runtime: `make demo`, `make wheelhouse`.", demo)
    write("core", "Everything that tests and linters need but PyTorch.", core)
    write("torch", "PyTorch, and what its builds for graphics cards need.", graphics)
    write("torch-common", "What every build of PyTorch needs.", without(network, graphics))
    write("docs", "What `make docs` needs besides core.txt.", without(docs, core))


def offered(names: Sequence[str]) -> dict[str, str]:
    """Return the newest releases that pip would install here, without a build's local label."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--quiet"]
    command += ["--ignore-installed", "--report", "-", *names]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    found = [entry["metadata"] for entry in report["install"]]
    return {entry["name"]: entry["version"].partition("+")[0] for entry in found}


def compiled(
    constraints: Iterable[str],
    extras: Iterable[str],
    sources: Iterable[Path],
    *,
    more: Iterable[str] = (),
) -> list[str]:
    """Let uv find versions and hashes; return one entry, of several lines, for each release."""
    scratch = LOCKS / ".constraints.txt"
    # Hashes are no constraints; versions and markers are.
    lines = (re.sub(r"\s*\\\n.*", "", entry, flags=re.DOTALL) for entry in constraints)
    scratch.write_text("\n".join(lines) + "\n", "utf-8")
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet"]
    command += ["--universal", "--python-version", PYTHON, "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--constraint", str(scratch)]
    command += [f"--extra={extra}" for extra in extras]
    command += [*map(str, sources), *(["-"] if more else [])]
    try:
        run = subprocess.run(
            command, check=True, text=True, input="\n".join(more), stdout=subprocess.PIPE
        )
    finally:
        scratch.unlink()
    return re.findall(r"^\S.*(?:\n .*)*", run.stdout, flags=re.MULTILINE)


def without(entries: Iterable[str], others: Iterable[str]) -> list[str]:
    """Leave out the entries that are word for word among others."""
    known = set(others)
    return [entry for entry in entries if entry not in known]


def write(name: str, purpose: str, entries: Iterable[str]) -> None:
    """Write a lock; only `make lock` changes it."""
    text = "\n".join([f"# {purpose} Made by `make lock`.", *entries])
    (LOCKS / f"{name}.txt").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
