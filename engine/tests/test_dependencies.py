"""Check that the page of dependencies says what pip is told."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
#: On the page, where a package belongs that is in no extra.
ALWAYS, BUILD, MODULE_TESTS = "none: always", "build", "module tests"

Bounds = dict[str, tuple[set[str], set[str]]]


def declared() -> Bounds:
    """Packages to the places that ask for them, and to their bounds."""
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11: it reads pyproject.toml")
    settings = tomllib.loads((ROOT / "engine/pyproject.toml").read_text("utf-8"))
    extras = settings["project"]["optional-dependencies"]
    module_tests = (ROOT / "MIMIR/Testing/requirements.txt").read_text("utf-8").splitlines()
    lines = {
        ALWAYS: settings["project"]["dependencies"],
        BUILD: settings["build-system"]["requires"],
        MODULE_TESTS: [line for line in module_tests if line and not line.startswith("#")],
        **{extra: lines for extra, lines in extras.items() if extra != "all"},
    }
    places, bounds = defaultdict(set), defaultdict(set)
    for place, requirements in lines.items():
        for requirement in map(Requirement, requirements):
            places[requirement.name].add(place)
            bounds[requirement.name] |= {str(bound) for bound in requirement.specifier}
    return {name: (places[name], bounds[name]) for name in places}


def on_the_page() -> Bounds:
    found = {}
    for line in (ROOT / "docs/dependencies.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 8 and re.fullmatch(r"`[\w-]+`", cells[0]):
            name = cells[0].strip("`")
            assert name not in found, f"{name} has two rows"
            assert all(cells), f"a cell of {name} is empty"
            places = {place.strip("` ") for place in cells[1].split(",")}
            found[name] = (places, set(re.findall(r"`([^`]+)`", cells[5])))
    return found


def test_the_page_of_dependencies_has_each_package_with_its_extras_and_bounds() -> None:
    assert on_the_page() == declared()


def test_the_page_of_dependencies_has_each_script_of_others_with_its_hash() -> None:
    page = (ROOT / "docs/dependencies.md").read_text("utf-8")
    scripts = dict(
        re.findall(r"^\| `([\w.]+\.(?:js|css))` \|.*\| `([0-9a-f]{64})` \|$", page, re.M)
    )
    folder = ROOT / "engine/mimir_engine/report/gallery/page"
    found = {path.name: path for path in folder.glob("*.min.*")}
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}
    assert scripts == hashes
    for package in ("uPlot", "papaparse"):
        assert "MIT License" in (folder / f"{package}.LICENSE").read_text("utf-8")


def test_every_requirement_has_one_lower_bound() -> None:
    for name, (_places, bounds) in declared().items():
        assert any(bound.startswith(">=") for bound in bounds), name


def test_the_extra_all_names_each_other_extra_but_the_documentation() -> None:
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11: it reads pyproject.toml")
    text = (ROOT / "engine/pyproject.toml").read_text("utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    [everything] = map(Requirement, extras["all"])
    assert everything.extras == extras.keys() - {"all", "docs"}


def test_the_extension_depends_on_no_other_than_that_of_pytorch() -> None:
    text = (ROOT / "CMakeLists.txt").read_text("utf-8")
    assert re.findall(r'EXTENSION_DEPENDS "([^"]*)"', text) == ["PyTorch"]
    page = (ROOT / "docs/dependencies.md").read_text("utf-8")
    assert "the extension PyTorch" in page


def locked() -> list[Requirement]:
    """The releases in all locks."""
    texts = [file.read_text("utf-8") for file in sorted((ROOT / "requirements").glob("*.txt"))]
    lines = re.findall(r"^[\w-]+==[^\\\n]*", "\n".join(texts), flags=re.MULTILINE)
    return [Requirement(line.strip()) for line in lines]


def test_the_locks_have_each_package_within_its_bounds() -> None:
    for name, (places, bounds) in declared().items():
        releases = [str(lock.specifier)[2:] for lock in locked() if lock.name == name]
        assert releases, f"{name} of {places} is in no lock: run make lock"
        lowest = [SpecifierSet(bound) for bound in bounds if bound.startswith((">=", "<"))]
        assert all(any(release in bound for bound in lowest) for release in releases), name


def test_a_package_has_one_release_for_each_system_and_python_in_all_locks() -> None:
    releases = defaultdict(set)
    for lock in locked():
        releases[lock.name, str(lock.marker)].add(str(lock.specifier))
    assert {key: found for key, found in releases.items() if len(found) > 1} == {}
