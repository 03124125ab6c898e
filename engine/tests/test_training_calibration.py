"""Variance scaling and the figures that judge it."""

from __future__ import annotations

import numpy as np
import pytest

from mimir_engine.training.calibration import (
    coverage,
    mean_absolute_error,
    r_squared,
    variance_factors,
)


def overconfident(count: int, spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, means and variances of one target whose true variance is spread² times larger."""
    rng = np.random.default_rng(1)
    variances = rng.uniform(0.5, 2.0, (count, 1))
    means = rng.normal(size=(count, 1))
    labels = means + spread * np.sqrt(variances) * rng.standard_normal((count, 1))
    return labels, means, variances


def test_the_factor_is_the_square_of_how_much_too_narrow_the_intervals_are() -> None:
    labels, means, variances = overconfident(20_000, spread=3.0)
    assert variance_factors(labels, means, variances) == pytest.approx([9.0], rel=0.03)


def test_scaled_intervals_hold_what_they_promise() -> None:
    labels, means, variances = overconfident(20_000, spread=3.0)
    factor = variance_factors(labels, means, variances)
    assert coverage(labels, means, variances)[0] < 0.6
    assert coverage(labels, means, variances * factor) == pytest.approx([0.95], abs=0.01)
    assert coverage(labels, means, variances * factor, level=0.5) == pytest.approx([0.5], abs=0.01)


def test_the_factor_maximises_the_likelihood() -> None:
    labels, means, variances = overconfident(500, spread=0.7)
    best = variance_factors(labels, means, variances)

    def likelihood(factor: np.ndarray) -> float:
        scaled = variances * factor
        return float(-(np.log(scaled) + (labels - means) ** 2 / scaled).sum())

    assert likelihood(best) > max(likelihood(best * 1.02), likelihood(best * 0.98))


def test_missing_labels_are_left_out_of_every_figure() -> None:
    labels, means, variances = overconfident(50, spread=1.0)
    gaps = np.concatenate([labels, np.full((7, 1), np.nan)])
    more_means = np.concatenate([means, np.full((7, 1), 99.0)])
    more_variances = np.concatenate([variances, np.ones((7, 1))])
    for figure in (variance_factors, coverage):
        assert figure(gaps, more_means, more_variances) == pytest.approx(
            figure(labels, means, variances)
        )
    for accuracy in (r_squared, mean_absolute_error):
        assert accuracy(gaps, more_means) == pytest.approx(accuracy(labels, means))


def test_accuracy_of_a_perfect_an_ignorant_and_a_known_prediction() -> None:
    labels = np.array([[1.0], [2.0], [3.0], [6.0]])
    assert r_squared(labels, labels) == pytest.approx([1.0])
    assert r_squared(labels, np.full_like(labels, 3.0)) == pytest.approx([0.0])
    assert r_squared(labels, labels + 1) == pytest.approx([1 - 4 / 14])
    assert mean_absolute_error(labels, labels + np.array([[1], [-1], [0], [2]])) == pytest.approx(
        [1.0]
    )
