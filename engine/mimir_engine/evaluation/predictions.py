"""Hold predictions and reference values, in memory and as a tidy table.

The table has one row per study and target::

    study,target,unit,reference,mean,sd,lower95,upper95,fold,sex
    1234567_20201_2_0,liverFat,%,4.1,4.6,0.9,2.8,6.4,3,female

`study`, `target` and `mean` are required; a gap is an empty cell. The names of the bounds' columns
contain the level. All other columns describe the study (its sex, its fold, its site).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.cohort.images.image_folder import StudyId, study_id
from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.table_reader import TEXTS, Table, open_table, read_tidy
from mimir_engine.measuring.interval_level import DEFAULT_LEVEL

#: Groups that identify the person: the bootstrap draws all studies of a person together.
PERSON = ("person", "eid")

_NUMBERS = ("reference", "mean", "sd")
_BOUND = re.compile(r"(lower|upper)(\d{1,2}(?:\.\d+)?)?")


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of several targets for several studies, and their reference values.

    Attributes:
        names: Targets, one per column.
        units: Units of the targets; empty for a target without one.
        studies: Names of the studies, one per row.
        reference: Reference values, float64 (studies, targets), NaN where unknown.
        mean: Predictions in the same unit and shape.
        sd: Their standard deviations, above zero; NaN where unknown.
        lower: Lower bounds of the intervals, in the same shape; None without intervals.
        upper: Upper bounds, likewise.
        level: Share of references that the intervals should contain.
        groups: Each study's entry of e.g. ``fold`` or ``sex``; empty if it is unknown.
        sides: What prediction and reference of each target are called, if they are something else.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    studies: tuple[str, ...]
    reference: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    lower: Optional[np.ndarray] = None
    upper: Optional[np.ndarray] = None
    level: Optional[float] = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sides: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.studies), len(self.names))
        arrays = [self.reference, self.mean, self.sd]
        bounds = [bound for bound in (self.lower, self.upper) if bound is not None]
        if any(values.shape != shape for values in (*arrays, *bounds)):
            raise _unfit(f"all arrays must have the shape {shape}, (studies, targets)")
        if len(self.units) != len(self.names):
            raise _unfit(f"{len(self.units)} units for {len(self.names)} targets")
        for what, names in (("targets", self.names), ("studies", self.studies)):
            if len(set(names)) != len(names):
                raise _unfit(f"two {what} have the same name")
        if len(bounds) == 1 or (self.level is None) != (not bounds):
            raise _unfit("lower and upper bounds and their level must be given together")
        if self.level is not None and not 0 < self.level < 1:
            raise _unfit(f"level {self.level:g} is out of range")
        if np.any(self.sd <= 0):
            raise _unfit("standard deviations must be above 0")
        if any(np.isinf(values).any() for values in (*arrays, *bounds)):
            raise _unfit("values must be finite")
        for name, members in self.groups.items():
            if len(members) != shape[0]:
                raise _unfit(f"group '{name}' has {len(members)} entries for {shape[0]} studies")

    def __len__(self) -> int:
        return len(self.studies)

    @property
    def study_ids(self) -> tuple[StudyId, ...]:
        """Return the studies, with participant and person as far as names and groups tell."""
        known = next((self.groups[name] for name in PERSON if name in self.groups), None)
        given = known or ("",) * len(self)
        return tuple(
            study_id(study, given_person=person) for study, person in zip(self.studies, given)
        )

    @property
    def persons(self) -> tuple[str, ...]:
        """Return the person of each study; the study's name if it is unknown."""
        return tuple(study.person for study in self.study_ids)

    def subset(self, rows: np.ndarray) -> Predictions:
        """Choose studies by a mask, bool ``(studies,)``, with their intervals."""
        chosen = np.flatnonzero(rows)
        lower, upper = self.lower, self.upper
        return replace(
            self,
            studies=tuple(self.studies[row] for row in chosen),
            reference=self.reference[chosen],
            mean=self.mean[chosen],
            sd=self.sd[chosen],
            lower=None if lower is None else lower[chosen],
            upper=None if upper is None else upper[chosen],
            groups={
                name: tuple(members[row] for row in chosen) for name, members in self.groups.items()
            },
        )

    def of_targets(self, names: Sequence[str]) -> Predictions:
        """Choose targets by name, in this order."""
        at = [self.names.index(name) for name in names]
        lower, upper = self.lower, self.upper
        return replace(
            self,
            names=tuple(names),
            units=tuple(self.units[column] for column in at),
            reference=self.reference[:, at],
            mean=self.mean[:, at],
            sd=self.sd[:, at],
            lower=None if lower is None else lower[:, at],
            upper=None if upper is None else upper[:, at],
            sides=tuple(self.sides[column] for column in at) if self.sides else (),
        )


def _unfit(what: str) -> MimirError:
    return MimirError("PREDICTIONS_INVALID", what, "Fix the program that wrote the predictions.")


def read_predictions(path: Path) -> Predictions:
    """Read the tidy table (CSV, or Parquet by its ending).

    Raises:
        MimirError: ``PREDICTIONS_INVALID`` with line and column; ``EXTRA_MISSING``.
    """
    with open_table(path) as table:
        return tidy_predictions(table)


def tidy_predictions(table: Table, level: float = DEFAULT_LEVEL) -> Predictions:
    """Read the tidy table from an open table.

    Args:
        table: The table.
        level: Level of intervals whose columns are called ``lower`` and ``upper``.
    """
    bounds, found_level = _bounds(table, level)
    numbers = {name: name for name in _NUMBERS if name in table.columns} | bounds
    table.index("mean")
    read = read_tidy(table, numbers)
    gap = np.full((len(read.studies), len(read.targets)), np.nan)
    return Predictions(
        names=tuple(read.targets),
        units=read.units,
        studies=tuple(read.studies),
        reference=read.numbers.get("reference", gap),
        mean=read.numbers["mean"],
        sd=read.numbers.get("sd", gap),
        lower=read.numbers.get("lower"),
        upper=read.numbers.get("upper"),
        level=found_level,
        groups=read.groups,
    )


def _bounds(table: Table, level: float) -> tuple[dict[str, str], Optional[float]]:
    """Return the columns of the bounds and their level."""
    found = [m for column in table.columns if (m := _BOUND.fullmatch(column))]
    if not found:
        return {}, None
    if sorted(m[1] for m in found) != ["lower", "upper"] or found[0][2] != found[1][2]:
        raise table.error("must have one pair of bounds, like 'lower95' and 'upper95'", 1)
    percent = found[0][2]
    return {m[1]: m[0] for m in found}, round(float(percent) / 100, 12) if percent else level


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write the tidy table as CSV, in full precision.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``; ``PREDICTIONS_INVALID`` if a group has the name of one of
            the table's own columns.
    """
    numbers = {name: getattr(predictions, name) for name in _NUMBERS}
    if predictions.level is not None:
        for bound in ("lower", "upper"):
            numbers[f"{bound}{100 * predictions.level:.10g}"] = getattr(predictions, bound)
    for name in predictions.groups:
        if name in (*TEXTS, *_NUMBERS) or _BOUND.fullmatch(name):
            raise _unfit(f"a group cannot have the name '{name}' of a column")
    write_csv(path, [*TEXTS, *numbers, *predictions.groups], _rows(predictions, numbers))


def _rows(predictions: Predictions, numbers: Mapping[str, np.ndarray]) -> Iterator[list[object]]:
    for row, study in enumerate(predictions.studies):
        groups = [members[row] for members in predictions.groups.values()]
        cells = [values[row].tolist() for values in numbers.values()]
        for target, unit, *values in zip(predictions.names, predictions.units, *cells):
            yield [study, target, unit, *values, *groups]
