"""Predictions beside what is true: the one shape in which they travel, in memory and as a table.

The table is tidy, a row for each study and target::

    study,target,unit,reference,mean,sd,lower95,upper95,fold,sex
    1234567_20201_2_0,liverFat,%,4.1,4.6,0.9,2.8,6.4,3,female

`study`, `target` and `mean` must be there; a gap is an empty cell. The bounds' columns carry their
level in the name. Any further column says something of the study (its sex, its fold, its site).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.optional_packages import require
from mimir_engine.files.table_reader import PARQUET, TEXTS, Table, open_table, read_tidy

DEFAULT_LEVEL = 0.95
#: Groups that name the person: all studies of one are drawn together in the bootstrap.
PERSON = ("person", "eid")

_NUMBERS = ("reference", "mean", "sd")
_BOUND = re.compile(r"(lower|upper)(\d{1,2}(?:\.\d+)?)?")


@dataclass(frozen=True, eq=False)
class Predictions:
    """What networks said of studies, and what is true of them.

    Attributes:
        names: Targets, one a column.
        units: Of the targets; empty where a target has none.
        studies: Names of the studies, one a row.
        reference: Reference values, float64 (studies, targets), NaN where unknown.
        mean: Predictions in the same unit and shape.
        sd: Their standard deviations, above zero; NaN where unknown.
        lower, upper: Bounds of the intervals, in the same shape; None where there are none.
        level: Share of references that the intervals should hold.
        groups: What is known of each study, e.g. ``fold``, ``sex``; empty text where it is not.
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

    def __post_init__(self) -> None:
        shape = (len(self.studies), len(self.names))
        arrays = [self.reference, self.mean, self.sd]
        bounds = [bound for bound in (self.lower, self.upper) if bound is not None]
        if any(values.shape != shape for values in (*arrays, *bounds)):
            raise _unfit(f"arrays are not all of shape {shape}, (studies, targets)")
        if len(self.units) != len(self.names):
            raise _unfit(f"{len(self.units)} units for {len(self.names)} targets")
        for what, names in (("targets", self.names), ("studies", self.studies)):
            if len(set(names)) != len(names):
                raise _unfit(f"two {what} have the same name")
        if len(bounds) == 1 or (self.level is None) != (not bounds):
            raise _unfit("lower and upper bounds and their level go together")
        if self.level is not None and not 0 < self.level < 1:
            raise _unfit(f"an interval's level of {self.level:g} is not between 0 and 1")
        if np.any(self.sd <= 0):
            raise _unfit("a standard deviation is not above zero")
        if any(np.isinf(values).any() for values in (*arrays, *bounds)):
            raise _unfit("a value is infinite")
        for name, members in self.groups.items():
            if len(members) != shape[0]:
                raise _unfit(f"group '{name}' has {len(members)} entries for {shape[0]} studies")

    def __len__(self) -> int:
        return len(self.studies)

    @property
    def persons(self) -> tuple[str, ...]:
        """Who each study is of; its own name where that is not known."""
        known = next((self.groups[name] for name in PERSON if name in self.groups), self.studies)
        return tuple(person or study for person, study in zip(known, self.studies))


def _unfit(what: str) -> MimirError:
    return MimirError("PREDICTIONS_INVALID", what, "Correct what makes these predictions.")


# --- reading ---


def read_predictions(path: Path, level: float = DEFAULT_LEVEL) -> Predictions:
    """Read the tidy table (CSV, or Parquet by its ending).

    Args:
        path: The file.
        level: Of intervals whose columns are plainly called ``lower`` and ``upper``.

    Raises:
        MimirError: ``PREDICTIONS_INVALID`` with line and column; ``EXTRA_MISSING``.
    """
    with open_table(Path(path)) as table:
        return tidy_predictions(table, level)


def tidy_predictions(table: Table, level: float = DEFAULT_LEVEL) -> Predictions:
    """Read the tidy table from a table that is open."""
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


# --- writing ---


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write the tidy table, in full precision (CSV, or Parquet by its ending).

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``; ``EXTRA_MISSING`` for Parquet without pyarrow;
            ``PREDICTIONS_INVALID`` where a group is called like one of the table's own columns.
    """
    path = Path(path)
    numbers = _number_columns(predictions)
    for name in predictions.groups:
        if name in (*TEXTS, *_NUMBERS) or _BOUND.fullmatch(name):
            raise _unfit(f"no group can be called '{name}', as a column of the table is")
    if path.suffix.lower() in PARQUET:
        _write_parquet(path, predictions, numbers)
        return
    write_csv(path, [*TEXTS, *numbers, *predictions.groups], _rows(predictions, numbers))


def _number_columns(predictions: Predictions) -> dict[str, np.ndarray]:
    columns = {name: getattr(predictions, name) for name in _NUMBERS}
    if predictions.lower is not None and predictions.upper is not None and predictions.level:
        percent = f"{100 * predictions.level:.10g}"
        columns[f"lower{percent}"] = predictions.lower
        columns[f"upper{percent}"] = predictions.upper
    return columns


def _rows(predictions: Predictions, numbers: Mapping[str, np.ndarray]) -> Iterator[list[object]]:
    for row, study in enumerate(predictions.studies):
        groups = [members[row] for members in predictions.groups.values()]
        cells = [values[row].tolist() for values in numbers.values()]
        for target, unit, *values in zip(predictions.names, predictions.units, *cells):
            yield [study, target, unit, *values, *groups]


def _write_parquet(path: Path, predictions: Predictions, numbers: Mapping[str, np.ndarray]) -> None:
    require("parquet")
    import pyarrow as pa
    from pyarrow import parquet

    studies, targets = len(predictions.studies), len(predictions.names)
    study_of, target_of = np.divmod(np.arange(studies * targets), targets)

    def texts(values: tuple[str, ...], places: np.ndarray) -> Any:
        return pa.array(values, pa.string()).take(pa.array(places))

    columns = {
        "study": texts(predictions.studies, study_of),
        "target": texts(predictions.names, target_of),
        "unit": texts(predictions.units, target_of),
        **{name: pa.array(v.ravel(), from_pandas=True) for name, v in numbers.items()},
        **{name: texts(members, study_of) for name, members in predictions.groups.items()},
    }
    with atomic_file(path) as file:
        parquet.write_table(pa.table(columns), file)
