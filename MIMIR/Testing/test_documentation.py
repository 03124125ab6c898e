"""The documentation agrees with the module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[1]
DOCS = MODULE.parent / "docs"
#: Where the page of codes turns to those of the module.
MODULE_CODES = "## In 3D Slicer"
#: Written like a code, but the name of a flag of Windows.
NO_CODES = {"CREATE_NO_WINDOW"}
#: A code at the beginning of a sentence, or a text of its own as an error's first argument.
CODE = re.compile(r"""["']([A-Z]{2,}(?:_[A-Z]+)+|CANCELLED)(?:: |["'],)""")


def codes() -> set[str]:
    """Every code that the module itself gives."""
    sources = [*MODULE.glob("*.py"), *(MODULE / "MIMIRLib").rglob("*.py")]
    files = [path for path in sources if "slicer_tests" not in path.parts]
    return {code for path in files for code in CODE.findall(path.read_text("utf-8"))} - NO_CODES


def explained(text: str) -> set[str]:
    return set(re.findall(r"^\| `([A-Z][A-Z_]+)` \|", text, re.M))


def test_there_are_codes_to_explain() -> None:
    assert {"ENGINE_DIED", "FILES_GONE", "RUN_GOES_ON", "NO_DISK_SPACE"} <= codes()


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_code_is_explained(code: str) -> None:
    assert code in explained((DOCS / "errors.md").read_text("utf-8"))


def test_no_code_is_explained_that_does_not_exist() -> None:
    page = (DOCS / "errors.md").read_text("utf-8")
    assert explained(page.split(MODULE_CODES)[1]) <= codes()


def test_all_that_belongs_to_the_module_is_packaged() -> None:
    listed = set(re.findall(r"^  (\S+)$", (MODULE / "CMakeLists.txt").read_text("utf-8"), re.M))
    folders = (MODULE / "MIMIRLib", MODULE / "Resources")
    there = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    there = [path for path in there if "__pycache__" not in path.parts]
    assert {path.relative_to(MODULE).as_posix() for path in there} <= listed
