"""Overlaps are trimmed, cross-faded and scaled to a linear mean signal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.fusion.seams import MAX_SEAM_SLICES, SeamWeights, fade_weights, seam_weights


def fused_means(
    starts: Sequence[int], means: Sequence[np.ndarray], seams: Sequence[SeamWeights]
) -> np.ndarray:
    fused = np.zeros(max(s + len(m) for s, m in zip(starts, means)))
    for start, mean, seam in zip(starts, means, seams):
        first = start + seam.keep.start
        fused[first : first + len(seam.weight)] += mean[seam.keep] * seam.weight
    return fused


def code(starts: Sequence[int], sizes: Sequence[int]) -> str:
    with pytest.raises(MimirError) as raised:
        seam_weights(starts, [np.ones(size) for size in sizes])
    return raised.value.code


def test_a_single_station_is_not_changed() -> None:
    (seam,) = seam_weights([0], [np.arange(5.0)])
    assert seam.keep == slice(0, 5)
    np.testing.assert_array_equal(seam.weight, np.ones(5))


@pytest.mark.parametrize("overlap", range(15))
def test_equal_stations_fuse_to_the_same_brightness(overlap: int) -> None:
    starts, means = [0, 30 - overlap], [np.full(30, 7.0), np.full(30, 7.0)]
    seams = seam_weights(starts, means)
    np.testing.assert_allclose(fused_means(starts, means, seams), 7.0)


@pytest.mark.parametrize("overlap", range(9))
def test_the_fade_is_linear_over_the_overlap(overlap: int) -> None:
    """With equal signal the ramp changes nothing, so the weights are the fade alone."""
    upper, lower = seam_weights([0, 20 - overlap], [np.ones(20), np.ones(20)])
    assert (upper.keep, lower.keep) == (slice(0, 20), slice(0, 20))
    fade = np.arange(1, overlap + 1) / (overlap + 1)
    np.testing.assert_allclose(lower.weight, [*fade, *np.ones(20 - overlap)])
    np.testing.assert_allclose(upper.weight, [*np.ones(20 - overlap), *fade[::-1]])


@pytest.mark.parametrize(
    ("overlap", "from_upper", "from_lower"), [(9, 0, 1), (10, 1, 1), (11, 1, 2), (17, 4, 5)]
)
def test_longer_overlaps_are_trimmed_and_the_lower_station_loses_the_odd_slice(
    overlap: int, from_upper: int, from_lower: int
) -> None:
    upper, lower = seam_weights([0, 40 - overlap], [np.ones(40), np.ones(40)])
    assert (upper.keep, lower.keep) == (slice(0, 40 - from_upper), slice(from_lower, 40))
    assert len(lower.weight) == 40 - from_lower
    assert (lower.weight < 1).sum() == (upper.weight < 1).sum() == MAX_SEAM_SLICES


@pytest.mark.parametrize("overlap", [1, 2, 5, 8, 13])
def test_mean_signal_is_linear_over_a_seam(overlap: int) -> None:
    rng = np.random.default_rng(overlap)
    starts = [0, 30 - overlap]
    means = [100 + 10 * rng.random(30), 300 + 10 * rng.random(30)]
    seams = seam_weights(starts, means)
    fused = fused_means(starts, means, seams)
    seam = min(overlap, MAX_SEAM_SLICES)
    first = starts[1] + seams[1].keep.start
    assert fused[first - 1] == pytest.approx(means[0][first - 1])
    assert fused[first + seam] == pytest.approx(means[1][first + seam - starts[1]])
    steps = np.diff(fused[first - 1 : first + seam + 1])
    np.testing.assert_allclose(steps, steps[0])


@pytest.mark.parametrize("overlap", [0, 1, 5, 8, 13])
def test_the_fade_alone_adds_up_to_one(overlap: int) -> None:
    starts, sizes = [0, 30 - overlap], [30, 30]
    seams = fade_weights(starts, sizes)
    ones = fused_means(starts, [np.ones(30), np.ones(30)], seams)
    np.testing.assert_allclose(ones, 1.0)
    for seam, equal in zip(seams, seam_weights(starts, [np.ones(30), np.ones(30)])):
        assert seam.keep == equal.keep
        np.testing.assert_allclose(seam.weight, equal.weight)


def test_seams_are_independent() -> None:
    rng = np.random.default_rng(1)
    starts, means = [0, 22, 44], [1 + rng.random(30) for _ in range(3)]
    one, two, three = seam_weights(starts, means)
    np.testing.assert_array_equal(two.weight[8:22], np.ones(14))
    first_alone, second_alone = seam_weights(starts[:2], means[:2])
    np.testing.assert_array_equal(one.weight, first_alone.weight)
    np.testing.assert_array_equal(two.weight[:22], second_alone.weight[:22])
    np.testing.assert_array_equal(three.weight[8:], np.ones(22))


def test_empty_slices_have_finite_weights() -> None:
    means = [np.zeros(20), np.concatenate([np.zeros(9), np.ones(11)])]
    for seam in seam_weights([0, 12], means):
        assert np.isfinite(seam.weight).all()


def test_the_means_are_not_changed() -> None:
    means = [np.full(20, 2.0, np.float32), np.full(20, 3.0, np.float32)]
    seam_weights([0, 15], means)
    assert means[0].tolist() == [2.0] * 20
    assert means[1].tolist() == [3.0] * 20


def test_a_gap_is_refused_with_its_width() -> None:
    with pytest.raises(MimirError, match=r"STATION_GAP: stations 2 and 3 .* 9 mm apart"):
        seam_weights([0, 20, 43], [np.ones(20)] * 3)


def test_stations_that_just_touch_are_accepted() -> None:
    seams = seam_weights([0, 20], [np.ones(20), 3 * np.ones(20)])
    assert [seam.weight.tolist() for seam in seams] == [[1.0] * 20] * 2


@pytest.mark.parametrize(
    ("starts", "sizes"),
    [
        ([0, 5], [40, 20]),
        ([0, 0], [20, 20]),
        ([0, 0], [20, 30]),
        ([0, 10], [30, 20]),
        ([20, 0], [30, 30]),
        ([0, 12, 20], [20, 16, 30]),
        ([0, 18, 19], [20, 3, 30]),
    ],
    ids=["within", "same", "same start", "same end", "wrong order", "crowded", "sliver"],
)
def test_stations_without_slices_of_their_own_are_refused(
    starts: list[int], sizes: list[int]
) -> None:
    assert code(starts, sizes) == "STATION_LAYOUT"
