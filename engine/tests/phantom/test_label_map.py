"""Check the true labels of phantoms against the fused volumes of their scans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.phantom.label_map import label_scan, label_truths, phantom_labels
from mimir_engine.phantom.label_map.label_map import PhantomLabels, label_pixels
from mimir_engine.phantom.label_map.names import TISSUES
from mimir_engine.phantom.label_map.painted_slice import PaintedSlice
from mimir_engine.phantom.label_map.truth import LABEL_UNITS, Truth, core
from mimir_engine.phantom.scan import Scan, make_scan, stations_of
from mimir_engine.phantom.scanner import COLUMNS
from mimir_engine.projection.fat_fraction_map import fat_fraction_map

#: Size of the shift "noise" that leaves a tenth of a percent of the noise.
NO_NOISE = -17.0
ORGANS = ("liver", "spleen", "kidney_right", "kidney_left")


@dataclass(frozen=True)
class Labelled:
    """A scan without noise, its fused volumes and its labels."""

    scan: Scan
    fused: FusedVolumes
    labels: PhantomLabels
    truths: dict[str, Truth]

    def core_of(self, name: str) -> np.ndarray:
        """Fat fractions (%) in the voxels of a label whose neighbours have it, too."""
        inside = core(self.labels.array) & (self.labels.array == self.truths[name]["label"])
        return np.asarray(fat_fraction_map(self.fused).array[inside])

    def centre_mm(self, name: str) -> np.ndarray:
        """Centre of a label's voxels, LPS."""
        slices, rows, columns = np.nonzero(self.labels.array == self.truths[name]["label"])
        index = (columns.mean(), rows.mean(), slices.mean(), 1.0)
        return np.asarray((self.labels.affine @ index)[:3])


@pytest.fixture(scope="module", params=[(1, 31), (1, 4), (2, 31), (2, 3)], ids=str)
def labelled(request: pytest.FixtureRequest) -> Labelled:
    population, seed = request.param
    scan = make_scan(seed, population, "noise", NO_NOISE)
    labels = label_scan(scan)
    return Labelled(scan, fuse(stations_of(scan)), labels, label_truths(labels))


def test_the_grid_is_that_of_the_fused_volumes(labelled: Labelled) -> None:
    assert labelled.labels.array.shape == labelled.fused.water.array.shape
    assert np.allclose(labelled.labels.affine, labelled.fused.water.affine, rtol=0, atol=1e-6)


def test_every_label_lies_in_tissue_of_its_fat_fraction(labelled: Labelled) -> None:
    for name, truth in labelled.truths.items():
        median = np.median(labelled.core_of(name))
        assert median == pytest.approx(truth["fat_fraction_percent"], abs=0.2), name


def test_the_mean_of_a_core_is_that_of_the_painted_slices(labelled: Labelled) -> None:
    for name, truth in labelled.truths.items():
        mean = labelled.core_of(name).mean()
        assert mean == pytest.approx(truth["core_fat_fraction_percent"], abs=0.2), name


@pytest.mark.parametrize(("population", "seed"), [(1, 11), (2, 50)])
def test_noise_raises_the_fat_fraction_as_the_truth_expects(population: int, seed: int) -> None:
    scan = make_scan(seed, population, "noise")
    labels = label_scan(scan)
    noisy = Labelled(scan, fuse(stations_of(scan)), labels, label_truths(labels))
    shifts = []
    for name, truth in noisy.truths.items():
        expected, clean = (truth[f"{kind}_fat_fraction_percent"] for kind in ("noisy_core", "core"))
        assert noisy.core_of(name).mean() == pytest.approx(expected, abs=0.2), name
        shifts.append(float(expected or 0.0) - float(clean or 0.0))
    assert max(shifts) > 0.3


def test_volumes_are_those_of_the_voxels_and_near_those_of_the_anatomy(labelled: Labelled) -> None:
    voxel_l = np.prod(labelled.fused.water.spacing_mm) / 1e6
    for name, truth in labelled.truths.items():
        voxels = np.count_nonzero(labelled.labels.array == truth["label"])
        assert truth["voxels"] == voxels
        assert truth["volume_l"] == pytest.approx(voxels * voxel_l, rel=1e-12)
        assert truth["anatomy_volume_l"] == pytest.approx(truth["volume_l"], rel=0.05), name
        assert set(truth) == set(LABEL_UNITS)


@pytest.mark.parametrize(
    ("target", "names", "tolerance"),
    [
        ("liverVolume", ("liver",), 0.05),
        ("visceralFatVolume", ("visceral_fat",), 0.03),
        ("thighMuscleVolume", ("thigh_muscle_right", "thigh_muscle_left"), 0.03),
    ],
)
def test_labels_agree_with_the_truth_of_the_body(
    labelled: Labelled, target: str, names: tuple[str, ...], tolerance: float
) -> None:
    """The breath of a station moves the liver against the others, by up to some percent of it."""
    volume = sum(labelled.truths[name]["volume_l"] or 0.0 for name in names)
    assert volume == pytest.approx(labelled.scan.truths()[0][target], rel=tolerance)


def test_right_and_left_are_the_patients(labelled: Labelled) -> None:
    for pair in ("kidney", "thigh_muscle", "arm_muscle"):
        right, left = (labelled.centre_mm(f"{pair}_{side}") for side in ("right", "left"))
        assert right[0] < left[0] - 50.0, pair
        assert abs(right[2] - left[2]) < 30.0, pair
    liver, spleen = (labelled.centre_mm(name) for name in ("liver", "spleen"))
    assert liver[0] < spleen[0] - 50.0


def test_parts_lie_above_each_other(labelled: Labelled) -> None:
    thigh, trunk, liver, kidney = (
        labelled.centre_mm(name)[2]
        for name in ("thigh_muscle_left", "trunk_muscle", "liver", "kidney_left")
    )
    assert thigh < trunk - 200.0
    assert kidney < liver


@pytest.mark.parametrize("rounding", [-1e-7, 0.0, 1e-7])
def test_a_voxel_that_two_tissues_share_does_not_depend_on_rounding(rounding: float) -> None:
    half = np.float32(0.5 + rounding)
    shares = np.zeros((len(TISSUES), 2, COLUMNS), np.float32)
    shares[0, 0], shares[1, 0], shares[1, 1] = 0.5, half, 1.0 - half
    painted = PaintedSlice(shares, np.ones((2, 2, COLUMNS), np.float32), 5.0, 0.0)
    numbers = np.tile(np.arange(1, len(TISSUES) + 1, dtype=np.uint8), (2, 1))
    assert label_pixels(painted, numbers).tolist() == [[1] * COLUMNS, [2] * COLUMNS]


def test_the_same_scan_has_the_same_labels() -> None:
    first, again = (phantom_labels(make_scan(31)) for _ in range(2))
    assert np.array_equal(first[0], again[0])
    assert first[0].dtype == np.uint8
    assert set(np.unique(first[0])) - {0} <= set(first[2])
    assert list(first[2]) == list(range(1, len(first[2]) + 1))


def test_breath_moves_the_liver_between_stations() -> None:
    scans = [make_scan(31, shift="breathing", size=size) for size in (0.01, 2.0)]
    calm, moved = (phantom_labels(scan)[0] == 1 for scan in scans)
    assert np.count_nonzero(calm != moved) > 0.05 * np.count_nonzero(calm)


def test_a_repeat_has_labels_of_its_own_position() -> None:
    first, again = (label_scan(make_scan(31, repeat=repeat)) for repeat in (0, 1))
    assert not np.array_equal(first.array, again.array)
    truths = (label_truths(labels)["thigh_muscle_left"] for labels in (first, again))
    volumes = [truth["volume_l"] for truth in truths]
    assert volumes[1] == pytest.approx(volumes[0], rel=0.01)


def test_less_water_raises_the_fat_fraction_of_every_label() -> None:
    for population in (1, 2):
        usual, darker = (
            label_truths(label_scan(make_scan(3, population, shift)))
            for shift in ("none", "contrast")
        )
        for name, truth in usual.items():
            percents = (truth["fat_fraction_percent"], darker[name]["fat_fraction_percent"])
            odds = [percent / (100.0 - percent) for percent in map(float, percents)]
            assert odds[1] == pytest.approx(odds[0] / 0.8, rel=1e-6), name
