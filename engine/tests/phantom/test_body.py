"""Check synthetic bodies: population, geometry and truth."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.body import ADIPOSE, TRUTHS, Body, perimeter
from mimir_engine.phantom.population import FEMALE, MALE, draw_person, stream
from mimir_engine.phantom.render_station import occupancy
from mimir_engine.phantom.scanner import COLUMNS_X_MM, PIXEL_MM, ROWS_Y_MM, TOP_Z_MM, draw_stations

SEEDS = (0, 1, 2, 3, 6, 17, 1_000_000, 2_000_000)
ANGLES = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)


@pytest.fixture(scope="module")
def bodies() -> list[Body]:
    return [build_body(draw_person(seed)) for seed in SEEDS]


@pytest.fixture(scope="module")
def crowd() -> list[Body]:
    return [build_body(draw_person(seed)) for seed in range(120)]


@pytest.fixture(scope="module")
def truths(crowd: list[Body]) -> dict[str, np.ndarray]:
    """True values of the crowd, by target."""
    rows = [list(body.truth().values()) for body in crowd]
    return dict(zip(TRUTHS, np.array(rows).T))


def distance(body: Body, inner: int, outer: int) -> np.ndarray:
    """Compute distances of the inner column's edge from the outer one's centre: 1 = its edge.

    Empty if the two share no height; ``(heights, points)``.
    """
    at = (body.half_x[inner] > 0) & (body.half_x[outer] > 0)
    x = body.centre_x[inner, at, None] + body.half_x[inner, at, None] * np.cos(ANGLES)
    y = body.centre_y[inner, at, None] + body.half_y[inner, at, None] * np.sin(ANGLES)
    u = (x - body.centre_x[outer, at, None]) / body.half_x[outer, at, None]
    v = (y - body.centre_y[outer, at, None]) / body.half_y[outer, at, None]
    return np.asarray(np.hypot(u, v))


def test_the_same_seed_is_the_same_person():
    assert draw_person(5) == draw_person(5)
    assert draw_person(5) != draw_person(6)


def test_each_purpose_has_its_own_random_stream():
    firsts = [stream(p, 5).random() for p in ("person", "scanner", "noise", "projected noise")]
    assert len(set(firsts)) == 4


def test_every_column_lies_inside_its_parent(bodies: list[Body]):
    for body in bodies:
        for child, parent in enumerate(body.parents):
            if parent is not None:
                exists = body.half_x[child] > 0
                assert np.all(body.half_x[parent, exists] > 0), (body.names[child], "sticks out")
                points = distance(body, child, parent)
                assert points.max(initial=0.0) < 1.001, (body.names[child], body.names[parent])


def test_columns_of_one_parent_never_meet(bodies: list[Body]):
    for body in bodies:
        for one, other in itertools.permutations(range(len(body.names)), 2):
            if body.parents[one] == body.parents[other]:
                points = distance(body, one, other)
                assert points.min(initial=9.0) > 0.98, (body.names[one], body.names[other])


def test_truth_is_named_and_ordered_like_the_targets(bodies: list[Body]):
    assert list(bodies[0].truth()) == list(TRUTHS)


def test_liver_has_the_persons_volume(bodies: list[Body]):
    for body in bodies:
        assert body.truth()["liverVolume"] == pytest.approx(body.person.liver, rel=0.005)


def test_visceral_fat_is_near_the_persons_volume(crowd: list[Body], truths: dict[str, np.ndarray]):
    drawn = np.array([body.person.visceral for body in crowd])
    assert np.all(np.abs(truths["visceralFatVolume"] - drawn) < 0.06 * drawn + 0.1)


def test_true_volumes_agree_with_counting_voxels(bodies: list[Body]):
    body = bodies[2]
    z = np.arange(body.z[0], body.z[-1], 2.0)
    x, y = COLUMNS_X_MM, ROWS_Y_MM[:, None]
    tables = body.at(z)
    counted = {"liver": 0.0, "visceral fat": 0.0}
    for i, name in enumerate(body.names):
        parent = body.parents[i]
        around = "" if parent is None else body.names[parent]
        if name not in counted and around not in counted:
            continue
        for k in np.flatnonzero(tables[2][i] > 0):
            cx, cy, a, b = (float(table[i, k]) for table in tables)
            litres = occupancy(x - cx, y - cy, a, b).sum() * PIXEL_MM**2 * 2.0 / 1e6
            for organ in counted:
                counted[organ] += litres * ((name == organ) - (around == organ))
    truth = body.truth()
    assert counted["liver"] == pytest.approx(truth["liverVolume"], rel=0.01)
    assert counted["visceral fat"] == pytest.approx(truth["visceralFatVolume"], rel=0.02)


def test_volume_of_a_cone_is_exact():
    person = draw_person(0)
    z = np.array([TOP_Z_MM - 100.0, TOP_Z_MM])
    centre, half = np.zeros((1, 2)), np.array([[60.0, 0.0]])
    cone = Body(person, z, ("cone",), (ADIPOSE,), (None,), centre, centre, half, half / 2)
    assert cone.volumes_l(-9.0, 9.0)[0] == pytest.approx(np.pi * 60 * 30 * 100 / 3 / 1e6)


def test_perimeter_of_a_circle():
    assert perimeter(10.0, 10.0) == pytest.approx(20.0 * np.pi)


def test_population_has_the_ranges_of_its_description(truths: dict[str, np.ndarray]):
    bmi = truths["weight"] / (truths["height"] / 100.0) ** 2
    assert np.median(bmi) == pytest.approx(25.0, abs=2.0)
    for values, low, high in (
        (bmi, 14.0, 50.0),
        (truths["visceralFatVolume"], 0.3, 10.5),
        (truths["liverVolume"], 0.99, 2.81),
        (truths["liverFat"], 1.0, 30.0),
    ):
        assert values.min() >= low
        assert values.max() <= high
    for sex, mean_cm in ((FEMALE, 163.0), (MALE, 177.0)):
        assert truths["height"][truths["sex"] == sex].mean() == pytest.approx(mean_cm, abs=3.0)


def test_traits_are_not_copies_of_each_other(truths: dict[str, np.ndarray]):
    names = ("visceralFatVolume", "liverVolume", "thighMuscleVolume")
    correlation = np.corrcoef([truths[name] for name in names])
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 0.8


def test_knees_and_neck_are_in_every_scan(crowd: list[Body]):
    for body in crowd:
        stations = draw_stations(body.person.seed)
        assert body.z_of(body.person.shoulder_level + 0.02) < stations[0].z[0]
        assert body.z_of(body.person.knee_level) > stations[-1].z[-1]
