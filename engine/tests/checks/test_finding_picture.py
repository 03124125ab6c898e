from __future__ import annotations

import numpy as np
import pytest
from phantom_stations import phantom_stations

from mimir_engine.checks.finding_picture import COLOURS, LINE, PIXEL_MM, draw_findings
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.study.finding import NOTE, STOP, WARNING, Finding


@pytest.fixture(scope="module")
def fused() -> FusedVolumes:
    return fuse(phantom_stations(3))


def coloured(fused: FusedVolumes, finding: Finding) -> tuple[np.ndarray, int]:
    """Where the outline of a finding is, and the width of one view."""
    picture = draw_findings(phantom_stations(3), fused, [finding])
    mask = (picture == COLOURS[finding.severity]).all(axis=2)
    return mask, picture.shape[1] // 2


def test_a_station_is_outlined_at_its_height_in_both_views(fused: FusedVolumes) -> None:
    station = phantom_stations(3)[2]
    mask, width = coloured(fused, Finding("A", "a", STOP, station=3))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height_mm = station.shape[0] * station.spacing_mm[2]
    assert abs((rows[-1] + 1 - rows[0]) * PIXEL_MM - height_mm) <= 2 * PIXEL_MM
    assert (columns[0], columns[-1]) == (0, 2 * width - 1)
    assert np.array_equal(mask[:, :width], mask[:, width:])


def test_the_patients_left_is_at_the_right_of_a_view(fused: FusedVolumes) -> None:
    mask, width = coloured(fused, Finding("A", "a", WARNING, station=6, side="left"))
    columns = np.flatnonzero(mask[:, :width].any(axis=0))
    assert (columns[0], columns[-1]) == (width // 2, width - 1)


def test_a_place_is_outlined_where_it_is(fused: FusedVolumes) -> None:
    low_mm = float(fused.water.affine[2, 3])
    mask, _ = coloured(fused, Finding("A", "a", NOTE, from_mm=low_mm, to_mm=low_mm + 90))
    rows = np.flatnonzero(mask.any(axis=1))
    assert rows[-1] >= len(mask) - 2 * LINE
    assert abs((rows[-1] + 1 - rows[0]) * PIXEL_MM - 90) <= 3 * PIXEL_MM


def test_a_finding_about_the_whole_study_has_no_outline(fused: FusedVolumes) -> None:
    assert not coloured(fused, Finding("A", "a"))[0].any()


def test_volumes_without_stations_are_drawn_too(fused: FusedVolumes) -> None:
    read = FusedVolumes(fused.water, fused.fat)
    picture = draw_findings(phantom_stations(3), read, [Finding("A", "a", station=2)])
    assert np.ptp(picture) > 200
