"""Run the command behind docs/validation.md at small size, and check that page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

ENGINE = Path(__file__).resolve().parents[2]
PAGE = ENGINE.parent / "docs" / "validation.md"
BLOCK = re.compile(r"<!-- made: ([\w-]+) -->\n(.*?)\n?<!-- end -->", re.DOTALL)
#: Tables of networks that stand in for those of the shipped module.
STAND_IN = {"trials", "agreement", "uncertainty", "summary", "fresh-folds", "shifts-folds"}
#: Tables that `included_module.py` makes when that module is made.
MADE_ELSEWHERE = {"before-after"}


def blocks(page: Path) -> dict[str, str]:
    """Return the text between the page's marks, by name."""
    return dict(BLOCK.findall(page.read_text("utf-8")))


def test_all_tables_of_the_page_exist_and_name_their_networks() -> None:
    made = blocks(PAGE)
    assert set(made) > STAND_IN
    for name, text in made.items():
        assert text.strip(), name
        assert ("ResNet18" in text) == (name in STAND_IN), name
    images = re.findall(r"\]\((images/[\w.-]+)\)", PAGE.read_text("utf-8"))
    assert images
    assert all((PAGE.parent / image).is_file() for image in images)


@pytest.mark.slow
def test_one_command_makes_all_tables_and_figures_and_resumes(
    tmp_path: Path,
) -> None:
    docs, work = tmp_path / "docs", tmp_path / "work"
    (docs / "images").mkdir(parents=True)
    text = PAGE.read_text("utf-8")
    page = docs / "validation.md"
    page.write_text(BLOCK.sub(r"<!-- made: \1 -->\n<!-- end -->", text), "utf-8")
    validate(work, docs)
    made = blocks(page)
    assert {name for name, made_text in made.items() if not made_text} == MADE_ELSEWHERE
    assert re.search(r"\| liverFat \(%\) \| -?\d", made["fresh-shipped"])
    images = re.findall(r"\]\((images/[\w.-]+)\)", text)
    assert all((docs / image).stat().st_size > 5_000 for image in images)

    min(work.glob("trials/*.npy")).unlink()
    (work / "measured" / "shipped-population-2.npz").unlink()
    (work / "evaluation" / "figures" / "sparsification-1.png").unlink()
    kept = (work / "crossvalidation" / "out_of_fold.csv").stat().st_mtime_ns
    validate(work, docs)
    assert blocks(page) == made
    assert (work / "crossvalidation" / "out_of_fold.csv").stat().st_mtime_ns == kept


def validate(work: Path, docs: Path) -> None:
    command = [sys.executable, ENGINE / "validation", "--small"]
    # Its threads sleep while they wait: they are not alone on the processor.
    environment = {**os.environ, "PYTHONPATH": str(ENGINE), "GOMP_SPINCOUNT": "0"}
    subprocess.run([*command, "--output", work, "--docs", docs], check=True, env=environment)
