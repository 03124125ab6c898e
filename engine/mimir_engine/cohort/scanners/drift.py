"""Find drift: whether the scans of a batch are, on average, like those of a reference.

A change that is too small to show in one scan shows in the mean of many. Each scan number becomes a
normal score, and the mean score of a batch is compared with 0 in two ways:

* each number: z = mean / sqrt(s² / n + 1 / N), with n scans in the batch, N in the reference, and
  the variance s² of the batch's scores, or 1 if that is larger;
* all together: Hotelling's T² = z' S⁻¹ z, with the correlations S shrunk towards independence
  (Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
  2004), which finds a small change of several numbers.

Both have half of the permitted false alarms: the first by Bonferroni's limit, the second by the
chi-squared distribution that has mean and variance of T² (Box, 1954).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mimir_engine.checks.scan_numbers import SCAN_NUMBERS
from mimir_engine.cohort.scanners.scan_number_table import ScanNumberTable
from mimir_engine.errors import MimirError
from mimir_engine.inference_module.number_reference import (
    NumberReference,
    describe_numbers,
    normal_scores,
)

#: Chance that a comparison of a batch without drift, in all its groups, speaks of drift.
FALSE_ALARMS = 0.01
#: Scans of a group: fewer are not tested, since the mean of few scores is not normal.
MIN_SCANS = 10
#: Scans of a group that count at most: with more, differences of less than a quarter of the spread
#: between people would be called drift.
MAX_COUNTED = 200
#: Scans of a reference: with 50, made-up batches without drift give three times the false alarms.
MIN_REFERENCE = 100
#: Scores count up to this, so that one unusual scan is not taken for drift of a batch.
MAX_SCORE = 3.0
#: Share by which correlations are shrunk: at least this, and in small references so many times the
#: ratio of numbers to scans. Made-up batches without drift then give the false alarms asked for.
MIN_SHRINKAGE, SHRINKAGE = 0.2, 3.0
#: Numbers that are named in a sentence.
NAMED = 3
#: Which scans are one group in tables.
ALL_SCANS = "all scans"


@dataclass(frozen=True)
class NumberDrift:
    """One scan number of a group against the reference.

    Attributes:
        name: Of `SCAN_NUMBERS`.
        median: Median in the group; NaN if no scan shows the number.
        reference: Median in the reference.
        z: Mean score over its standard error, 0 without drift.
        has_drifted: Whether this number alone differs.
    """

    name: str
    median: float
    reference: float
    z: float
    has_drifted: bool


@dataclass(frozen=True)
class GroupDrift:
    """A group of scans against the reference.

    Attributes:
        group: Scanner and month, or `ALL_SCANS`.
        scans: How many.
        has_drifted: Whether the group differs.
        numbers: Each number, the most different first; empty if the group is too small to test.
        z_limit: Size of z above which a number differs.
    """

    group: str
    scans: int
    has_drifted: bool
    numbers: tuple[NumberDrift, ...]
    z_limit: float

    @property
    def sentence(self) -> str:
        """What was found, with the numbers that differ most."""
        scans = f"{self.group}: {self.scans} scan{'' if self.scans == 1 else 's'}"
        if not self.numbers:
            return f"{scans}, too few to compare (at least {MIN_SCANS})."
        if not self.has_drifted:
            return f"{scans}, on average like the reference."
        drifted = [number for number in self.numbers if number.has_drifted]
        named = "; ".join(map(_in_words, (drifted or self.numbers)[:NAMED]))
        return f"{scans}, on average unlike the reference: {named}."


def reference_of_scans(table: ScanNumberTable) -> NumberReference:
    """Describe a batch as the reference of others.

    Raises:
        MimirError: ``REFERENCE_TOO_SMALL``.
    """
    if len(table.studies) < MIN_REFERENCE:
        raise MimirError(
            "REFERENCE_TOO_SMALL",
            f"the reference has {len(table.studies)} scans, and at least {MIN_REFERENCE} are"
            " needed to tell what is usual",
            "Give a larger batch first, or compare with an inference module (--module).",
        )
    return describe_numbers(table.names, table.values)


def find_drift(reference: NumberReference, table: ScanNumberTable) -> tuple[GroupDrift, ...]:
    """Compare a batch with a reference: all its scans, and each scanner and month.

    Args:
        reference: Usual scans.
        table: The batch.

    Returns:
        All scans first, then the groups by name if there are several.
    """
    columns = [name for name in reference.names if name in table.names]
    if not columns or not len(table.studies):
        return (GroupDrift(ALL_SCANS, len(table.studies), False, (), 0.0),)
    own = np.array([table.names.index(name) for name in columns])
    at = np.array([reference.names.index(name) for name in columns])
    values = np.full((len(table.studies), len(reference.names)), np.nan)
    values[:, at] = table.values[:, own]
    scores = normal_scores(reference, values).clip(-MAX_SCORE, MAX_SCORE)[:, at]
    groups = _groups(table)
    tested = sum(len(rows) >= MIN_SCANS for rows in groups.values())
    test = _Test(reference, columns, FALSE_ALARMS / max(tested, 1))
    return tuple(
        test.group(name, values[rows][:, at], scores[rows]) for name, rows in groups.items()
    )


def _groups(table: ScanNumberTable) -> Mapping[str, Sequence[int]]:
    """Return the rows of each group."""
    found: dict[str, list[int]] = defaultdict(list)
    origins = zip(
        table.scanners or ("",) * len(table.studies), table.months or ("",) * len(table.studies)
    )
    for row, (scanner, month) in enumerate(origins):
        found[", ".join(filter(None, (scanner or "unknown scanner", month)))].append(row)
    everything = {ALL_SCANS: list(range(len(table.studies)))}
    return {**everything, **dict(sorted(found.items()))} if len(found) > 1 else everything


class _Test:
    """Tests groups of scans at one chance of a false alarm."""

    def __init__(self, reference: NumberReference, names: Sequence[str], chance: float) -> None:
        self._reference, self._names = reference, names
        at = [reference.names.index(name) for name in names]
        correlation = reference.correlation[np.ix_(at, at)]
        share = min(max(SHRINKAGE * len(at) / reference.scans, MIN_SHRINKAGE), 1.0)
        self._inverse = np.linalg.inv((1 - share) * correlation + share * np.eye(len(at)))
        self._z_limit = NormalDist().inv_cdf(1 - chance / 4 / len(at))
        spread = self._inverse @ correlation
        self._joint_limit = _upper(
            float(np.trace(spread)), 2 * float(np.trace(spread @ spread)), chance / 2
        )

    def group(self, name: str, values: np.ndarray, scores: np.ndarray) -> GroupDrift:
        """Compare one group, ``(scans, numbers)`` each."""
        if len(scores) < MIN_SCANS:
            return GroupDrift(name, len(scores), False, (), self._z_limit)
        known = np.isfinite(scores)
        count = np.maximum(known.sum(axis=0), 1)
        means = np.where(known, scores, 0.0).sum(axis=0) / count
        squares = np.where(known, (scores - means) ** 2, 0.0).sum(axis=0)
        variance = np.maximum(squares / np.maximum(count - 1, 1), 1.0)
        counted = np.minimum(count, MAX_COUNTED)
        z = means / np.sqrt(variance / counted + 1 / self._reference.scans)
        drifts = []
        for k in np.argsort(-np.abs(z), kind="stable"):
            shown = values[known[:, k], k]
            middle = float(np.median(shown)) if len(shown) else math.nan
            usual = self._reference.median(self._names[k])
            is_beyond = bool(abs(z[k]) > self._z_limit)
            drifts.append(NumberDrift(self._names[k], middle, usual, float(z[k]), is_beyond))
        has_drifted = drifts[0].has_drifted or bool(z @ self._inverse @ z > self._joint_limit)
        return GroupDrift(name, len(scores), has_drifted, tuple(drifts), self._z_limit)


def _upper(mean: float, variance: float, chance: float) -> float:
    """Return what a sum of squares with this mean and variance passes by this chance.

    It is taken for a multiple of chi-squared, whose quantile is that of Wilson and Hilferty (1931).
    """
    degrees = 2 * mean**2 / variance
    part = 2 / (9 * degrees)
    cube = 1 - part + NormalDist().inv_cdf(1 - chance) * math.sqrt(part)
    return mean * cube**3


def _in_words(drift: NumberDrift) -> str:
    return f"{SCAN_NUMBERS[drift.name]} {drift.median:.3g} instead of {drift.reference:.3g}"
