"""Assign studies to folds that keep a person's visits together and have similar people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from mimir_engine.errors import MimirError

#: Number of age groups of equal size.
AGE_GROUPS = 5


def assign_folds(
    persons: Sequence[str],
    folds: int,
    covariates: Mapping[str, np.ndarray],
    seed: int = 0,
) -> np.ndarray:
    """Assign the fold that holds each study out: int64 ``(studies,)``, from 1 to ``folds``.

    Persons similar in sex and age (fifths of the cohort) are assigned one by one, each to the fold
    with the fewest studies of their kind, then with the fewest studies. The folds depend on the
    persons' names and on the seed, not on the order of the studies.

    Args:
        persons: Person of each study.
        folds: Number of folds, at least two.
        covariates: ``sex`` and ``age`` if known, ``(studies,)``, NaN = unknown.
        seed: Seed of the order in which persons are assigned.

    Raises:
        MimirError: ``FOLDS_INVALID``.
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, person in enumerate(persons):
        rows_of[person].append(row)
    if not 2 <= folds <= len(rows_of):
        raise MimirError(
            "FOLDS_INVALID",
            f"{len(rows_of)} persons cannot be split into {folds} folds",
            "Use at least 2 folds and no more than there are persons.",
        )
    kinds = _kinds(persons, covariates)
    names = sorted(rows_of)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = {names[place]: n for n, place in enumerate(shuffled)}
    of_kind, at_all = Counter[tuple[str, int]](), Counter[int]()
    fold_of = np.zeros(len(persons), dtype=np.int64)
    # Persons with many visits first; the others even out the rest.
    for person in sorted(names, key=lambda p: (kinds[p], -len(rows_of[p]), order[p])):
        kind, visits = kinds[person], len(rows_of[person])
        fold = min(range(1, folds + 1), key=lambda f: (of_kind[kind, f], at_all[f], f))
        fold_of[rows_of[person]] = fold
        of_kind[kind, fold] += visits
        at_all[fold] += visits
    return fold_of


def _kinds(persons: Sequence[str], covariates: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Sex and age group of each person at the first visit."""
    unknown = np.full(len(persons), np.nan)
    sex, age = covariates.get("sex", unknown), covariates.get("age", unknown)
    known = np.isfinite(age)
    levels = np.linspace(0, 1, AGE_GROUPS + 1)[1:-1]
    limits = np.quantile(age[known], levels) if known.any() else np.zeros(0)
    kinds: dict[str, str] = {}
    for row in np.lexsort((sex, np.where(known, age, np.inf))):
        group = str(np.searchsorted(limits, age[row])) if known[row] else "?"
        kinds.setdefault(persons[row], f"{sex[row]:g} {group}")
    return kinds
