"""Assign folds that keep a person's visits together and are alike in sex and age."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.training.folds import assign_folds


def cohort(count: int = 603) -> tuple[list[str], dict[str, np.ndarray]]:
    """Make people of whom every seventh came twice; men are older, some ages and sexes unknown."""
    rng = np.random.default_rng(1)
    sex = rng.integers(0, 2, count).astype(float)
    age = rng.normal(60 + 5 * sex, 8)
    persons = [f"p{n:04d}" for n in range(count)]
    again = np.arange(0, count, 7)
    age[3::50] = np.nan
    sex[5::90] = np.nan
    return (
        persons + [persons[n] for n in again],
        {"sex": np.append(sex, sex[again]), "age": np.append(age, age[again] + 3)},
    )


def test_all_visits_of_a_person_are_in_one_fold() -> None:
    persons, covariates = cohort()
    folds_of = defaultdict(set)
    for person, fold in zip(persons, assign_folds(persons, 5, covariates)):
        folds_of[person].add(fold)
    assert Counter(len(folds) for folds in folds_of.values()) == {1: 603}


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_folds_are_of_one_size_and_alike_in_sex_and_age(folds: int) -> None:
    persons, covariates = cohort()
    fold_of = assign_folds(persons, folds, covariates)
    sizes = np.bincount(fold_of)[1:]
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 2
    for sex in (0, 1):
        men = np.bincount(fold_of[covariates["sex"] == sex], minlength=folds + 1)[1:]
        assert men.max() - men.min() <= 10  # one or two in each of its six age groups
    age = [np.nanmean(covariates["age"][fold_of == fold]) for fold in range(1, folds + 1)]
    by_chance = np.nanstd(covariates["age"]) / np.sqrt(len(persons) / folds)
    assert np.std(age) < 0.5 * by_chance


def test_folds_depend_on_names_and_seed_not_on_the_order_of_the_studies() -> None:
    persons, covariates = cohort()
    fold_of = assign_folds(persons, 5, covariates, seed=4)
    order = np.random.default_rng(0).permutation(len(persons))
    turned = {name: values[order] for name, values in covariates.items()}
    again = assign_folds([persons[row] for row in order], 5, turned, seed=4)
    assert np.array_equal(again, fold_of[order])
    assert not np.array_equal(fold_of, assign_folds(persons, 5, covariates, seed=5))


def test_people_of_unknown_sex_and_age_are_assigned_evenly() -> None:
    persons = [str(number) for number in range(11)]
    assert sorted(np.bincount(assign_folds(persons, 3, {}))[1:]) == [3, 4, 4]


@pytest.mark.parametrize("folds", [1, 4])
def test_more_folds_than_people_or_fewer_than_two_are_refused(folds: int) -> None:
    with pytest.raises(MimirError, match="FOLDS_INVALID: 3 persons"):
        assign_folds(["a", "b", "c", "c"], folds, {})
