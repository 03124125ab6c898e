"""Compare conformal quantiles with independent implementations, and test their coverage."""

from __future__ import annotations

import numpy as np
import pytest

from mimir_engine.training.conformal import (
    LEVELS,
    conformal_quantiles,
    quantiles_by_sex,
)


def errors(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw non-Gaussian errors, and predicted SDs that explain part of their size."""
    rng = np.random.default_rng(seed)
    sd = rng.uniform(0.5, 2.0, count)
    return sd**1.5 * rng.laplace(size=count), sd


@pytest.mark.parametrize(("count", "rank"), [(19, 19), (99, 95), (100, 96), (199, 190), (200, 191)])
def test_the_quantile_is_the_score_of_the_theoretical_rank(count: int, rank: int) -> None:
    scores = np.random.default_rng(1).permutation(np.arange(1, count + 1)).astype(float)
    assert conformal_quantiles(scores)[0.95] == rank


def test_levels_that_need_more_scores_have_no_quantile() -> None:
    assert 0.95 not in conformal_quantiles(np.arange(1.0, 19.0))
    assert max(conformal_quantiles(np.arange(1.0, 19.0))) == 0.9
    assert conformal_quantiles(np.array([np.nan])) == {}
    assert min(conformal_quantiles(np.append(np.full(50, 1e-16), np.arange(1.0, 51.0)))) > 0.45


def test_quantiles_are_those_of_crepes() -> None:
    crepes = pytest.importorskip("crepes")
    error, sd = errors(997)
    regressor = crepes.ConformalRegressor().fit(error, sigmas=sd)
    for level, quantile in conformal_quantiles(np.abs(error) / sd).items():
        interval = regressor.predict_int(np.array([5.0]), np.array([2.0]), confidence=level)
        assert interval[0] == pytest.approx([5 - 2 * quantile, 5 + 2 * quantile], abs=1e-9)


def test_quantiles_by_sex_are_those_of_mondrian_crepes() -> None:
    crepes = pytest.importorskip("crepes")
    error, sd = errors(2_700)
    sexes = np.where(np.arange(2_700) % 5 < 2, "female", "male")
    error[sexes == "male"] *= 2
    ours = quantiles_by_sex(np.abs(error) / sd, sexes)
    regressor = crepes.ConformalRegressor().fit(error, sigmas=sd, bins=sexes)
    for sex in ("female", "male"):
        for level in LEVELS:
            interval = regressor.predict_int(
                np.array([0.0]), np.array([1.0]), np.array([sex]), confidence=level
            )
            assert interval[0, 1] == pytest.approx(ours[sex][level], abs=1e-9)


def test_quantiles_of_plain_errors_are_those_of_mapie() -> None:
    regression = pytest.importorskip("mapie.regression")
    dummy = pytest.importorskip("sklearn.dummy")
    error, _ = errors(500)
    nothing = np.zeros((500, 1))
    zero = dummy.DummyRegressor(strategy="constant", constant=0.0).fit(nothing, error)
    # mapie's scores aren't divided by a predicted SD, so the SD is one here.
    split = regression.SplitConformalRegressor(zero, confidence_level=[0.5, 0.8, 0.95])
    _, bounds = split.conformalize(nothing, error).predict_interval(nothing[:1])
    ours = conformal_quantiles(np.abs(error), (0.5, 0.8, 0.95))
    assert bounds[0, 1] == pytest.approx(list(ours.values()), abs=1e-9)


def test_new_studies_are_covered_for_any_distribution_of_errors() -> None:
    shares = []
    for seed in range(300):
        error, sd = errors(400, seed)
        scores = np.abs(error) / sd
        quantiles = conformal_quantiles(scores[:200], (0.5, 0.8, 0.95))
        shares.append([(scores[200:] <= q).mean() for q in quantiles.values()])
    # The expected coverage of n scores is ceil((n + 1) level) / (n + 1), for any distribution.
    expected = [np.ceil(201 * level) / 201 for level in (0.5, 0.8, 0.95)]
    assert np.mean(shares, axis=0) == pytest.approx(expected, abs=0.008)


def test_each_sex_is_covered_if_one_is_predicted_worse() -> None:
    rng = np.random.default_rng(2)
    sexes = np.where(rng.random(8_000) < 0.7, "female", "male")
    scores = np.abs(rng.standard_normal(8_000)) * np.where(sexes == "male", 2.0, 1.0)
    learnt, fresh = slice(0, 4_000), slice(4_000, None)
    by_sex = quantiles_by_sex(scores[learnt], sexes[learnt])
    pooled = conformal_quantiles(scores[learnt])
    men = scores[fresh][sexes[fresh] == "male"]
    assert (men <= pooled[0.95]).mean() < 0.9
    for sex in ("female", "male"):
        own = scores[fresh][sexes[fresh] == sex]
        for level in (0.5, 0.8, 0.95):
            assert (own <= by_sex[sex][level]).mean() == pytest.approx(level, abs=0.03)


@pytest.mark.parametrize(("women", "enough"), [(199, False), (200, True)])
def test_quantiles_by_sex_require_200_studies_of_each(women: int, enough: bool) -> None:
    scores = np.random.default_rng(3).random(women + 900)
    sexes = ["female"] * women + ["male"] * 900
    assert bool(quantiles_by_sex(scores, sexes)) == enough


def test_levels_beyond_a_sexs_own_come_from_all_studies_and_never_fall() -> None:
    scores = np.concatenate([np.linspace(5, 6, 300), np.linspace(0.1, 1, 2_000)])
    by_sex = quantiles_by_sex(scores, ["female"] * 300 + ["male"] * 2_000)
    assert by_sex["female"][0.95] == pytest.approx(5.95, abs=0.01)
    assert by_sex["female"][0.99] >= by_sex["female"][0.975] >= by_sex["female"][0.95]
    assert by_sex["male"][0.99] == pytest.approx(0.99, abs=0.01)
