"""Check voxels and scanner of phantoms."""

from __future__ import annotations

import numpy as np
import pytest

from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.render_station import occupancy, render_station
from mimir_engine.phantom.scanner import (
    COLUMNS,
    COLUMNS_X_MM,
    PIXEL_MM,
    ROWS,
    ROWS_Y_MM,
    SLICE_SPACING_MM,
    SLICES,
    draw_stations,
)


def test_stations_have_the_geometry_of_uk_biobank():
    stations = draw_stations(3)
    assert [len(s.z) for s in stations] == [64, 44, 44, 44, 72, 64] == list(SLICES)
    assert [s.rows for s in stations] == [168, 174, 174, 174, 162, 156] == list(ROWS)
    middles = {float(ROWS_Y_MM[s.window].mean()) for s in stations}
    assert max(middles) - min(middles) < 1e-9


def test_stations_overlap_by_some_three_centimetres_that_differ_between_studies():
    overlaps = []
    for seed in range(20):
        stations = draw_stations(seed)
        for upper, lower in zip(stations[:-1], stations[1:]):
            overlaps.append(lower.z[0] - (upper.z[-1] - SLICE_SPACING_MM[upper.index]))
    assert min(overlaps) > 24.0
    assert max(overlaps) < 40.0
    assert len(set(np.round(overlaps, 3))) > 5


@pytest.mark.parametrize(("a", "b"), [(40.0, 40.0), (90.0, 25.0), (6.0, 9.0)])
def test_occupied_pixels_make_up_the_area_of_the_ellipse(a: float, b: float):
    x, y = COLUMNS_X_MM - 3.3, (ROWS_Y_MM + 41.7)[:, None]
    share = occupancy(x, y, a, b)
    assert share.sum() * PIXEL_MM**2 == pytest.approx(np.pi * a * b, rel=0.025)
    assert share.min() == 0.0
    assert share.max() == 1.0


def test_occupancy_is_one_inside_and_zero_outside():
    share = occupancy(np.array([0.0, 10.0, 20.0, 30.0]), np.zeros(1), 20.0, 20.0)
    assert share.tolist() == [1.0, 1.0, 0.5, 0.0]


def test_rendered_station_is_what_a_scanner_stores():
    body, station = build_body(draw_person(4)), draw_stations(4)[5]
    water, fat = render_station(body, station, 4)
    assert water.shape == fat.shape == (64, 156, COLUMNS)
    assert water.dtype == fat.dtype == np.uint16


def test_air_shows_the_mean_of_a_rayleigh_distribution():
    body, station = build_body(draw_person(4)), draw_stations(4)[5]
    water, _ = render_station(body, station, 4)
    corner = water[:, :20, :20]
    assert corner.mean() == pytest.approx(station.sigma * np.sqrt(np.pi / 2), rel=0.02)


def test_a_station_does_not_depend_on_which_others_were_rendered():
    body, stations = build_body(draw_person(4)), draw_stations(4)
    again = render_station(body, stations[1], 4)
    render_station(body, stations[0], 4)
    for one, other in zip(again, render_station(body, stations[1], 4)):
        assert np.array_equal(one, other)


def test_stations_have_noise_of_their_own():
    body, stations = build_body(draw_person(4)), draw_stations(4)
    corners = [render_station(body, stations[i], 4)[0][:, :16, :16].ravel() for i in (1, 2)]
    assert abs(np.corrcoef(corners)[0, 1]) < 0.05
