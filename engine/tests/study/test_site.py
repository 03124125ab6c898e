"""The constant of a scanner is kept in a file that may come from anywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mimir_engine.errors import MimirError
from mimir_engine.headers.scanner import Scanner
from mimir_engine.study.site import Site, read_site, write_site

SITE = Site("phantom", "SIEMENS Aera 1.5 T", 60, 0.64, 0.03, 0.005, 0.8, 1.25)


def test_a_site_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_site(tmp_path / "site.json", SITE)
    assert read_site(tmp_path / "site.json") == SITE


@pytest.mark.parametrize(
    "changes",
    [
        {"water_factor": 40.0, "ratio": 0.02},
        {"water_factor": 1.3},  # not what the ratios say
        {"water_factor": float("nan")},
        {"water_factor": "1.25"},
        {"ratio": 0.0},
        {"ratio_sd": -1.0},
        {"scans": 0},
        {"schema_version": 99},
        {"extra": 1},
        {"module": None},
    ],
)
def test_a_file_with_anything_else_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "site.json"
    write_site(path, SITE)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(MimirError, match="SITE_INVALID"):
        read_site(path)


@pytest.mark.parametrize("content", ["", "[]", "{" * 50_000])
def test_a_file_that_is_no_site_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "site.json").write_text(content)
    with pytest.raises(MimirError, match="SITE_INVALID"):
        read_site(tmp_path / "site.json")


def test_a_study_of_another_scanner_is_refused() -> None:
    SITE.check_scanner(Scanner("SIEMENS", "Aera", 1.5))
    for other in (Scanner("SIEMENS", "Skyra", 3.0), Scanner("SIEMENS", "Aera", 1.5, "12ab")):
        with pytest.raises(MimirError, match="SITE_OTHER_SCANNER"):
            SITE.check_scanner(other)
    with pytest.raises(MimirError, match="an unknown scanner"):
        SITE.check_scanner(Scanner())


def test_a_site_of_several_scanners_takes_any_study() -> None:
    replace(SITE, scanner="").check_scanner(Scanner("GE", "other", 3.0))
