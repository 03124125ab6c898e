"""Test what the numbers of usual scans are like, and normal scores."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from mimir_engine.inference_module.number_reference import (
    LEVELS,
    NumberReference,
    describe_numbers,
    normal_scores,
)


def skewed(count: int, seed: int = 0) -> np.ndarray:
    """Numbers of scans: a skewed one, one that follows it, and one that is mostly zero."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=count)
    often_zero = np.maximum(rng.normal(size=count), 0.0)
    return np.stack([np.exp(base), base + 0.5 * rng.normal(size=count), often_zero], axis=1)


NAMES = ("skewed", "related", "often_zero")


def test_scores_of_usual_scans_are_about_standard_normal_however_skewed_the_number_is() -> None:
    reference = describe_numbers(NAMES, skewed(2000))
    scores = normal_scores(reference, skewed(2000, seed=1))
    assert np.abs(scores.mean(axis=0)).max() < 0.1
    assert np.abs(scores[:, :2].std(axis=0) - 1).max() < 0.1
    assert 0.6 < reference.correlation[0, 1] < 1


def test_a_value_that_many_usual_scans_share_has_their_mean_score() -> None:
    reference = describe_numbers(NAMES, skewed(2000))
    (zero,) = normal_scores(reference, np.array([[1.0, 0.0, 0.0]]))[:, 2]
    below_middle = -NormalDist().pdf(0.0) / 0.5
    assert zero == pytest.approx(below_middle, abs=0.15)


def test_scores_beyond_the_usual_scans_grow_in_steps_of_a_standard_deviation() -> None:
    normal = np.random.default_rng(0).normal(5.0, 2.0, size=(5000, 1))
    reference = describe_numbers(("x",), normal)
    far = normal_scores(reference, np.array([[25.0], [27.0], [-15.0]]))[:, 0]
    assert far[0] == pytest.approx(10.0, abs=1.5)
    assert far[1] - far[0] == pytest.approx(1.0, abs=0.15)
    assert far[2] == pytest.approx(-10.0, abs=1.5)


def test_a_number_that_never_varies_is_usual_only_at_its_value() -> None:
    reference = describe_numbers(("x",), np.full((60, 1), 3.0))
    same, other = normal_scores(reference, np.array([[3.0], [4.0]]))[:, 0]
    assert abs(same) < 1e-9
    assert other > 100


def test_numbers_that_a_scan_does_not_show_stay_unknown() -> None:
    values = skewed(300)
    values[::5, 0] = np.nan
    reference = describe_numbers(NAMES, values)
    assert np.isnan(normal_scores(reference, values)[::5, 0]).all()
    assert np.isfinite(reference.correlation).all()


def test_numbers_that_few_scans_show_are_left_out() -> None:
    values = skewed(300)
    values[20:, 1] = np.nan
    assert describe_numbers(NAMES, values).names == ("skewed", "often_zero")


@pytest.mark.parametrize(
    "quantiles", [tuple(range(14)), (*range(14), 0.0), (*range(14), float("nan"))]
)
def test_quantiles_that_do_not_increase_or_are_missing_are_refused(
    quantiles: tuple[float, ...],
) -> None:
    with pytest.raises(ValueError, match="quantiles"):
        NumberReference(("x",), LEVELS, {"x": quantiles}, np.eye(1), 100)
