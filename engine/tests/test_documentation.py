"""Check that the documentation is true of files, codes and imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mimir_engine

PACKAGE = Path(mimir_engine.__file__).parent
ENGINE = Path(__file__).resolve().parents[1]
DOCS = ENGINE.parent / "docs"

#: Names on the page of files that a run writes, which are not in the repository.
RESULTS = {
    *("predictions.csv", "failures.csv", "measurements.csv", "scan_numbers.csv", "codebook.csv"),
    *("excluded.csv", "labels.csv", "volumes.csv"),
}
#: Where the page of codes turns to those of the Slicer module.
MODULE_CODES = "## In 3D Slicer"
#: Position of the code among the arguments of the calls that make one.
CODE_ARGUMENT = {
    **{"MimirError": 0, "Finding": 0, "volume_error": 0},
    **{"open_table": 1, "StudyFailure": 1, "read_json": 2, "parse_json": 3},
}


def trees() -> Iterator[ast.Module]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def constants(tree: ast.Module) -> dict[str, str]:
    """A module's own names for texts."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def codes() -> set[str]:
    """Every code in the package: of errors, findings and flags; a flag's name is its text."""
    found = set()
    for tree in trees():
        names = constants(tree)
        if names.get("DEMONSTRATION"):
            found |= {text for name, text in names.items() if name == text}
        for node in ast.walk(tree):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            position = CODE_ARGUMENT.get(name)
            if position is None or len(node.args) <= position:
                continue
            code = node.args[position]
            if isinstance(code, ast.Constant):
                found.add(str(code.value))
            elif isinstance(code, ast.Name) and code.id in names:
                found.add(names[code.id])
    return found


def test_there_are_codes_to_explain() -> None:
    assert {"STATION_GAP", "ENDS_CROPPED", "MODULE_INVALID", "DEMONSTRATION"} <= codes()


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_code_is_explained(code: str) -> None:
    assert re.search(rf"^\| `{code}` \|", (DOCS / "errors.md").read_text(encoding="utf-8"), re.M)


def test_no_code_is_explained_that_does_not_exist() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8").split(MODULE_CODES)[0]
    assert set(re.findall(r"^\| `([A-Z][A-Z_]+)`", page, re.M)) <= codes()


def test_every_file_that_the_architecture_page_names_exists() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:\.py|\.csv|/))`", page))
    module = ENGINE.parent / "MIMIR"
    roots = (PACKAGE, ENGINE / "tests", ENGINE, ENGINE.parent, module / "MIMIRLib", module)
    assert named
    assert not {name for name in named - RESULTS if not any((r / name).exists() for r in roots)}


def test_a_folder_imports_only_those_above_it_in_the_architecture_page() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8").split("## The engine")[1]
    folders = re.findall(r"^\| `([a-z_]+)/` \|", page.split("\n## ")[0], re.M)
    assert set(folders) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    for place, folder in enumerate(folders):
        for path in (PACKAGE / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            imported = set(re.findall(r"^ *(?:from|import) mimir_engine\.(\w+)", text, re.M))
            assert not imported & {*folders[place + 1 :]}, path


def test_the_citation_names_this_version() -> None:
    citation = (DOCS.parent / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.M) == [mimir_engine.__version__]
