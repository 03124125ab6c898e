"""What was found in a measured study stands beside its numbers, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import quantity, saved_and_loaded, study_details

from mimir_engine.measuring.flags import DISAGREES_WITH_IMAGE, UNUSUAL_SCAN
from mimir_engine.measuring.scan_comparison import (
    NOT_KNOWN,
    TYPICAL,
    UNUSUAL,
    Contribution,
    ScanComparison,
)
from MIMIRLib.presenter.finding_list import describe_finding
from MIMIRLib.presenter.result_findings import result_findings
from MIMIRLib.scene.kept_result import RESULT_MARK
from MIMIRLib.scene.results import find_results, show_studies
from MIMIRLib.scene.subject import Subject
from MIMIRLib.scene.subject_hierarchy import hierarchy_of

UNLIKE = ScanComparison(
    "organs",
    UNUSUAL,
    2.0,
    "1000 scans of calibration",
    (
        Contribution("lean_to_fat", 0.63, 0.72, 0.86, 2.0),
        Contribution("relu", 30.0, None, 20.0, 1.5),
    ),
)


def shown(
    folder: Path, comparisons: Sequence[ScanComparison] = (), measurements: Sequence[Any] = ()
) -> Any:
    """A scene that shows a study."""
    details = study_details(folder, "1.2", measurements=measurements)
    details = replace(details, result=replace(details.result, comparisons=tuple(comparisons)))
    scene = slicer.vtkMRMLScene()
    hierarchy_of(scene)
    list(show_studies(scene, [(details, Subject("1.2"))], volumes=False))
    return scene


def texts(scene: Any) -> list[str]:
    """What is said of each finding after the first, which a check has found."""
    checked, *others = result_findings(find_results(scene, "1.2").table)
    assert checked["sentence"] == "Station 2 was scanned twice"
    return [describe_finding(finding) for finding in others]


def test_an_unusual_scan_is_described_with_what_differs_also_after_loading(tmp_path: Path) -> None:
    scene = shown(tmp_path / "study", [UNLIKE])

    for place in (scene, saved_and_loaded(scene, tmp_path / "saved")):
        (text,) = texts(place)
        first, heading, *differences, advice = text.splitlines()
        assert first == "Warning: The scan is unlike the 1000 scans of calibration."
        assert heading == "It differs most in:"
        assert [one[:2] for one in differences] == ["- ", "- "]
        assert "0.63; 0.72 to 0.86 is usual" in differences[0]
        assert "fine detail" in differences[1]
        assert advice == "Look at the images. Do not rely on the values of organs."


def test_a_usual_scan_and_an_unknown_one_are_notes(tmp_path: Path) -> None:
    usual = ScanComparison("organs", TYPICAL, 0.5, "1000 scans of calibration", ())
    unknown = ScanComparison("phantom", NOT_KNOWN)

    like, not_known = texts(shown(tmp_path, [usual, unknown]))

    assert like == "Note: The scan is like the 1000 scans of calibration."
    assert not_known.startswith(
        "Note: It is not known whether this scan is like those that phantom"
    )


def test_an_estimate_that_the_images_contradict_stands_beside_the_direct_measurement(
    tmp_path: Path,
) -> None:
    total = quantity("totalFatVolume", 80.0, flags=(DISAGREES_WITH_IMAGE,))
    other = quantity("spleenVolume", 80.0, flags=(DISAGREES_WITH_IMAGE,))

    fat, spleen = texts(shown(tmp_path, measurements=[total, other]))

    assert fat.splitlines() == [
        "Warning: Total fat volume, 80.0 L, does not go with what the images show.",
        "Measured directly: Fat volume 21.12 L.",
        "Look at the images, and do not rely on this value.",
    ]
    assert "Measured directly" not in spleen


def test_a_scene_of_an_earlier_version_keeps_its_findings(tmp_path: Path) -> None:
    scene = shown(tmp_path, [UNLIKE])
    table = find_results(scene, "1.2").table
    table.RemoveAttribute(RESULT_MARK)

    checked, unusual = result_findings(table)

    assert unusual["code"] == UNUSUAL_SCAN
    assert checked["severity"] == "warning"
