"""Direct measurements of phantoms, against their truth, and against what could mislead them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Optional

import numpy as np
import pytest
from phantom_stations import cut, stations_of_body

from mimir_engine.direct import PART_NAMES, measure_directly
from mimir_engine.direct.direct_measurement import QUANTITIES
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.scan import make_scan, scan_stations
from mimir_engine.study import Station
from mimir_engine.study.volume import Volume

#: A usual phantom whose arms, trunk and knees are in view.
USUAL = 100_107
#: Largest errors that are expected: L, cm, mm or %.
TOLERANCES = {
    **{"body_volume": 1.2, "fat_volume": 1.2, "lean_volume": 1.2},
    **{"trunk_volume": 1.5, "trunk_fat_volume": 1.0, "trunk_lean_volume": 1.0},
    **{f"{side}_thigh_volume": 0.8 for side in ("right", "left")},
    **{f"{side}_thigh_fat_volume": 0.5 for side in ("right", "left")},
    **{f"{side}_thigh_lean_volume": 0.5 for side in ("right", "left")},
    **{f"{side}_thigh_girth": 4.0 for side in ("right", "left")},
    **{"waist": 2.0, "hip": 2.0, "subcutaneous_thickness": 4.0, "lean_fat_fraction": 1.5},
}

Values = dict[str, Optional[float]]


def values(fused: FusedVolumes) -> Values:
    return {quantity.name: quantity.value for quantity in measure_directly(fused).values}


def reasons(fused: FusedVolumes) -> dict[str, str]:
    return {q.name: q.reason for q in measure_directly(fused).values if q.value is None}


@lru_cache(maxsize=4)
def phantom(seed: int = USUAL, shift: str = "none") -> FusedVolumes:
    return fuse(scan_stations(seed, shift))


def altered(
    fused: FusedVolumes, change: Callable[[np.ndarray], np.ndarray], first_column: int = 0
) -> FusedVolumes:
    """The same scan with water and fat changed; ``first_column`` is cut off up to there."""
    affine = fused.water.affine.copy()
    affine[0, 3] += first_column * affine[0, 0]
    water, fat = (Volume(change(v.array), affine) for v in (fused.water, fused.fat))
    return FusedVolumes(water, fat)


def assert_alike(found: Values, expected: Values, relative: float) -> None:
    """The same quantities are known, and differ by less than a share."""
    for name, value in expected.items():
        if name == "thigh_lean_difference":
            continue
        assert (found[name] is None) == (value is None), name
        assert found[name] == pytest.approx(value, rel=relative), name


# ------------------------------------------------------------------ truth


@pytest.mark.parametrize(
    ("seed", "shift"), [(USUAL, "none"), (100_108, "lean"), (100_111, "obese")]
)
def test_quantities_are_those_of_the_body_that_was_scanned(seed: int, shift: str) -> None:
    found = values(phantom(seed, shift))
    truth = make_scan(seed, shift=shift).truths()[1]
    for name, tolerance in TOLERANCES.items():
        if found[name] is not None:
            assert found[name] == pytest.approx(truth[f"direct_{name}"], abs=tolerance), name
    known = [name for name in TOLERANCES if found[name] is not None]
    assert len(known) >= 12


def test_bodies_of_the_first_population_are_measured_too() -> None:
    body = build_body(draw_person(USUAL))
    truth = body.truth()
    found = measure_directly(fuse(stations_of_body(body, USUAL)))
    known = {quantity.name: quantity.value for quantity in found.values}
    assert known["waist"] == pytest.approx(truth["waist"], abs=4)
    assert found.landmarks_mm["crotch"] == pytest.approx(
        body.z_of(body.person.crotch_level), abs=15
    )


def test_each_quantity_has_a_value_or_a_reason() -> None:
    for quantity in measure_directly(phantom()).values:
        assert (quantity.value is None) == bool(quantity.reason)
        assert quantity.unit == QUANTITIES[quantity.name]


# ------------------------------------------------------------------ what is not in view


def test_without_knees_thighs_are_unknown_and_the_trunk_is_as_before() -> None:
    *upper, last = scan_stations(USUAL)
    short = fuse([*upper, cut(last, slice(40, None))])
    missing = reasons(short)
    assert missing["right_thigh_volume"] == "the right knee is not in view"
    assert missing["left_thigh_girth"] == "the left knee is not in view"
    assert values(short)["waist"] == pytest.approx(values(phantom())["waist"], rel=0.01)


def test_without_legs_or_shoulders_the_trunk_is_unknown() -> None:
    stations = scan_stations(USUAL)
    assert reasons(fuse(stations[:3]))["trunk_volume"] == "the legs do not part in view"
    assert reasons(fuse(stations[2:]))["waist"] == "the shoulders are not in view"


def test_arms_at_the_edge_of_the_images_are_unknown_and_the_waist_is_not() -> None:
    narrow = altered(phantom(), lambda image: image[:, :, 24:-24], 24)
    assert reasons(narrow)["arms_volume"].endswith("reaches the edge of the images")
    assert values(narrow)["waist"] == pytest.approx(values(phantom())["waist"], rel=0.01)


@pytest.mark.parametrize("signal", [0, 1])
def test_images_without_a_body_have_reasons_instead_of_numbers(signal: float) -> None:
    empty = altered(phantom(), lambda image: np.full_like(image, signal))
    missing = reasons(empty)
    assert {"trunk_volume", "waist", "hip", "right_thigh_volume", "arms_volume"} <= missing.keys()


# ------------------------------------------------------------------ what could mislead


def test_arms_that_touch_the_trunk_are_no_part_of_it() -> None:
    person = draw_person(USUAL)
    apart, touching = (
        values(fuse(stations_of_body(build_body(replace(person, arm_gap=gap)), USUAL)))
        for gap in (14.0, -1.0)
    )
    for name in ("trunk_volume", "trunk_fat_volume", "waist"):
        assert touching[name] == pytest.approx(apart[name], rel=0.01), name
    # A hand that is pressed to the hip belongs to it in a few slices.
    assert touching["hip"] == pytest.approx(apart["hip"], rel=0.05)


def test_noise_does_not_change_the_volumes() -> None:
    rng = np.random.default_rng(0)

    def noisy(image: np.ndarray) -> np.ndarray:
        real, imaginary = rng.normal(0, 25, (2, *image.shape)).astype(np.float32)
        return np.hypot(image + real, imaginary)

    found, expected = values(altered(phantom(), noisy)), values(phantom())
    for name in ("body_volume", "fat_volume", "lean_volume", "waist", "hip"):
        assert found[name] == pytest.approx(expected[name], rel=0.03), name


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_uneven_coils_do_not_change_the_volumes(axis: int) -> None:
    def shaded(image: np.ndarray) -> np.ndarray:
        shape = [1, 1, 1]
        shape[axis] = image.shape[axis]
        return image * np.linspace(0.7, 1.3, image.shape[axis], dtype=np.float32).reshape(shape)

    assert_alike(values(altered(phantom(), shaded)), values(phantom()), 0.04)


def test_a_table_and_bright_specks_are_no_body() -> None:
    rng = np.random.default_rng(0)
    specks = tuple(rng.integers(0, phantom().water.array.shape, (300, 3)).T)

    def with_table(image: np.ndarray) -> np.ndarray:
        image = image.copy()
        image[:, 165:167] = 400
        image[specks] = 60_000
        return image

    assert_alike(values(altered(phantom(), with_table)), values(phantom()), 0.01)


def test_a_region_beside_the_body_is_no_body() -> None:
    def with_bottle(image: np.ndarray) -> np.ndarray:
        image = image.copy()
        image[100:103, :4, 50:90] = 400
        return image

    found = values(altered(phantom(), with_bottle))["body_volume"]
    assert found == pytest.approx(values(phantom())["body_volume"], rel=1e-3)


def test_a_mirrored_body_has_its_sides_exchanged() -> None:
    found, mirrored = (
        values(f) for f in (phantom(), altered(phantom(), lambda image: image[:, :, ::-1]))
    )
    for name in ("thigh_volume", "thigh_lean_volume", "thigh_girth"):
        assert mirrored[f"right_{name}"] == pytest.approx(found[f"left_{name}"], rel=0.01)
    difference = found["thigh_lean_difference"]
    assert mirrored["thigh_lean_difference"] == pytest.approx(-difference, abs=0.5)


@pytest.mark.parametrize("factor", [4.0, 2.0**-14])
def test_the_scanner_s_unit_of_signal_does_not_count(factor: float) -> None:
    scaled = altered(phantom(), lambda image: image * np.float32(factor))
    assert_alike(values(scaled), values(phantom()), 1e-6)


def test_no_number_hangs_on_a_last_bit() -> None:
    rng = np.random.default_rng(0)

    def nearly(image: np.ndarray) -> np.ndarray:
        return image * (1 + 1e-6 * rng.standard_normal(image.shape, np.float32))

    assert_alike(values(altered(phantom(), nearly)), values(phantom()), 1e-3)


# ------------------------------------------------------------------ what is drawn


def test_regions_have_the_volumes_of_their_parts_and_lie_on_their_side() -> None:
    measured = measure_directly(phantom())
    known = {quantity.name: quantity.value for quantity in measured.values}
    regions = measured.regions()
    assert regions.shape == phantom().water.array.shape
    litres = float(np.prod(phantom().water.spacing_mm)) / 1e6
    sizes = {name: (regions == label).sum() * litres for label, name in PART_NAMES.items()}
    assert sum(sizes.values()) == pytest.approx(known["body_volume"], rel=0.01)
    for part in ("right thigh", "left thigh", "trunk"):
        volume = known[f"{part.replace(' ', '_')}_volume"]
        assert sizes[part] == pytest.approx(volume, rel=0.01)
    columns = {name: np.nonzero(regions == label)[2].mean() for label, name in PART_NAMES.items()}
    assert columns["right arm"] < columns["right thigh"] < columns["trunk"]
    assert columns["trunk"] < columns["left thigh"] < columns["left arm"]


def test_the_profile_adds_up_to_the_volumes() -> None:
    measured = measure_directly(phantom())
    profile = measured.profile()
    known = {quantity.name: quantity.value for quantity in measured.values}
    step = float(np.diff(profile["z_mm"]).mean())
    for tissue in ("body", "fat", "lean"):
        litres = profile[f"{tissue}_cm2"].sum() * step / 1e4
        assert litres == pytest.approx(known[f"{tissue}_volume"], rel=1e-4)


def test_an_exchanged_station_exchanges_fat_and_lean_tissue() -> None:
    def swapped(station: Station) -> Station:
        first, second = station.images
        return replace(
            station, images={first: station.images[second], second: station.images[first]}
        )

    stations = scan_stations(USUAL)
    all_exchanged = values(fuse([swapped(station) for station in stations]))
    assert all_exchanged["fat_volume"] == pytest.approx(values(phantom())["lean_volume"], rel=0.1)
