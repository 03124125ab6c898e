"""What the scan does not show of shoulders, knees and sides is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from phantom_stations import changed, moved, phantom_stations

from mimir_engine.checks.body_sample import body_sample
from mimir_engine.checks.coverage.body_cut_off import find_cut_off_body
from mimir_engine.fusion import fuse
from mimir_engine.fusion.fuse import FusedVolumes
from mimir_engine.study.finding import Finding


def fused_part(seed: int, slices: slice) -> FusedVolumes:
    """Some slices of a study's fused volumes, counted from the foot."""
    fused = fuse(phantom_stations(seed))
    water, fat = (replace(v, array=v.array[slices]) for v in (fused.water, fused.fat))
    return FusedVolumes(water, fat)


def findings(fused: FusedVolumes) -> list[Finding]:
    return find_cut_off_body(body_sample(fused))


@pytest.mark.parametrize("seed", range(3, 7))
def test_nothing_is_found_in_a_good_study(seed: int) -> None:
    assert findings(fused_part(seed, slice(None))) == []


def test_a_scan_that_begins_at_the_shoulders_is_found() -> None:
    (finding,) = findings(fused_part(3, slice(None, -50)))
    assert finding.code == "BODY_CUT_OFF"
    assert "above the shoulders" in finding.sentence


def test_a_scan_that_ends_above_the_knees_is_found() -> None:
    (finding,) = findings(fused_part(3, slice(90, None)))
    assert finding.code == "BODY_CUT_OFF"
    assert "ends above the knees" in finding.sentence


@pytest.mark.parametrize(("shift", "side"), [(70, "right"), (-70, "left")])
def test_a_body_beside_the_middle_of_the_image_is_found(shift: int, side: str) -> None:
    def aside(image: np.ndarray) -> np.ndarray:
        shown = image[:, :, shift:] if shift > 0 else image[:, :, :shift]
        pad = np.full((*image.shape[:2], abs(shift)), 5, image.dtype)
        return np.concatenate([shown, pad] if shift > 0 else [pad, shown], axis=2)

    stations = [moved(changed(station, aside)) for station in phantom_stations(3)]
    found = findings(fuse(stations))
    assert {(finding.code, finding.side) for finding in found} == {("BODY_CUT_OFF", side)}
    assert any("trunk is cut off" in finding.sentence for finding in found)
