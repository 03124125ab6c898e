"""Test that nothing that may run code from a file gets into the sources unnoticed."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "engine" / "mimir_engine", ROOT / "MIMIR" / "MIMIRLib"]
RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")


def findings(text: str, room: str, name: str) -> set[str]:
    """Return the codes of what ruff finds in a text, as if it were a file of the project."""
    assert RUFF is not None
    command = [RUFF, "check", "--no-cache", "--output-format", "concise"]
    command += ["--stdin-filename", name, "-"]
    result = subprocess.run(
        command, cwd=ROOT / room, input=text, capture_output=True, text=True, check=False
    )
    assert result.returncode in (0, 1), result.stderr
    lines = result.stdout.splitlines()
    return {line.split(": ")[1].split()[0] for line in lines if line.startswith(name)}


@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
@pytest.mark.parametrize(
    ("room", "name"), [("engine", "mimir_engine/x.py"), ("MIMIR", "MIMIRLib/x.py")]
)
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("import pickle", "TID251"),
        ("from pickle import loads", "TID251"),
        ("import dill", "TID251"),
        ("import shelve", "TID251"),
        ("import marshal", "TID251"),
        ("import torch\n\ntorch.load('x', weights_only=True)", "TID251"),
        ("from torch import load", "TID251"),
        ("import torch\n\ntorch.save({}, 'x')", "TID251"),
        ("from pydicom.fileset import FileSet", "TID251"),
        ("import pydicom.fileset", "TID251"),
        ("eval('1')", "S307"),
        ("exec('1')", "S102"),
        ("def f(network):\n    network.eval()", None),
        ("import json\n\njson.loads('1')", None),
    ],
)
def test_what_may_run_code_from_a_file_is_found(
    room: str, name: str, line: str, code: str | None
) -> None:
    unsafe = {"TID251", "S102", "S301", "S302", "S307"}
    found = findings(f"{line}\n", room, name) & unsafe
    assert code in found if code else not found


def test_numpy_never_unpickles() -> None:
    paths = [path for folder in SOURCES for path in folder.rglob("*.py")]
    assert len(paths) > 300
    assert [path.name for path in paths if _allows_pickle(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("value", ["True", "1", "allowed"])
def test_an_allowed_pickle_is_found(value: str) -> None:
    assert _allows_pickle(f"np.load(path, allow_pickle={value})")
    assert not _allows_pickle("np.load(path, allow_pickle=False)")


def _allows_pickle(text: str) -> bool:
    """Return whether a call has ``allow_pickle`` with anything but False."""
    keywords = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.keyword)]
    return any(
        node.arg == "allow_pickle"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
        for node in keywords
    )
