"""Wheel and source distribution hold the engine and the included module, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ENGINE = Path(__file__).resolve().parents[2]
ROOT = ENGINE.parent
PAGE = ENGINE / "mimir_engine" / "report" / "gallery" / "page"
INCLUDED = ROOT / "weights" / "phantom"
DATA = {
    "inference_module/published_calibration.csv",
    "inference_module/published_targets.csv",
    "labels/vibesegmentator.csv",
    "measuring/measurement_names.csv",
    "measuring/same_quantities.csv",
    "py.typed",
    *(f"report/gallery/page/{path.name}" for path in PAGE.iterdir()),
}
CODE = {str(path.relative_to(ENGINE)) for path in ENGINE.glob("mimir_engine/**/*.py")}
PACKAGE = CODE | {f"mimir_engine/{name}" for name in DATA}
MODULE = {f"weights/phantom/{path.name}" for path in INCLUDED.iterdir()}


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build", reason="builds the packages")
    pytest.importorskip("setuptools", minversion="77", reason="builds the packages")
    folder = tmp_path_factory.mktemp("packages")
    unused = shutil.ignore_patterns("build", "dist", "*.egg-info", "__pycache__", ".*")
    shutil.copytree(ENGINE, folder / "engine", ignore=unused)  # a build writes into its folder
    shutil.copytree(INCLUDED, folder / "weights" / "phantom")
    command = ["-m", "build", "--no-isolation", "--outdir", str(folder / "dist")]
    subprocess.run([sys.executable, *command, str(folder / "engine")], check=True)
    return folder / "dist"


def test_the_wheel_holds_the_package_the_module_and_the_licence(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    described = {name for name in names if ".dist-info/" in name}
    assert names - described == PACKAGE | {f"mimir_engine/{name}" for name in MODULE}
    assert {name.partition("/")[2] for name in described} == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE")
    }


def test_the_source_distribution_holds_what_the_wheel_is_built_from(distributions: Path) -> None:
    (source,) = distributions.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    described = {name for name in names if name.startswith("mimir_engine.egg-info/")}
    assert names - described == PACKAGE | MODULE | {
        *("LICENSE", "README.md", "MANIFEST.in", "PKG-INFO"),
        *("pyproject.toml", "setup.py", "setup.cfg"),
    }


def test_the_package_has_the_licence_of_the_repository() -> None:
    if not (ROOT / "LICENSE").exists():
        pytest.skip("needs the checkout")
    assert (ENGINE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_slicer_extension_holds_the_same_data() -> None:
    text = (ENGINE / "CMakeLists.txt").read_text("utf-8")
    resources = re.search(r"RESOURCES(.*?)DESTINATION_DIR", text, re.DOTALL)
    assert resources is not None
    assert set(resources[1].split()) == {f"mimir_engine/{name}" for name in DATA}
