"""Write results to CSV files with all digits: one study, or the cohort.

The files have a byte order mark: without it Excel garbles names that are not ASCII.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.cohort import Cohort
from MIMIRLib.scene.shown_study import ShownStudy
from MIMIRLib.translate import tr as _

#: UTF-8 with a byte order mark.
ENCODING = "utf-8-sig"
#: Columns of a study's file.
STUDY_COLUMNS = (
    *("patient", "date", "eid", "instance", "measurement", "group", "value", "unit"),
    *("level", "lower", "upper", "sd", "z", "percentile", "class", "flags", "note"),
    *("module", "name", "study"),
)

Cell = Union[str, Optional[float]]


def write_study(path: Union[str, Path], study: ShownStudy) -> None:
    """Write a study's measurements, one row each.

    Args:
        path: File to write, atomically.
        study: The study.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    rows: list[list[Cell]] = [
        [
            *(study.patient, study.date, study.eid, study.instance),
            *(one.title, one.group, one.value, _unit(one.unit, one.is_sex)),
            *(one.level, one.lower, one.upper, None if one.is_class else one.sd),
            *(one.z, one.percentile, one.word, ";".join(one.flags), one.note),
            *(one.module, one.name, study.key),
        ]
        for one in study.measurements
    ]
    _write(path, STUDY_COLUMNS, rows)


def write_cohort(path: Union[str, Path], cohort: Cohort) -> None:
    """Write a cohort, one row per study; measurements are named as in ``predictions.csv``.

    Args:
        path: File to write, atomically.
        cohort: The studies.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    raw = cohort.raw_columns
    columns = ["patient", "date", "eid", "instance", *(c.name for c in raw), "flags", "study"]
    rows: list[list[Cell]] = [
        [
            *(study.patient, study.date, study.eid, study.instance),
            *(column.values[row] for column in raw),
            *(";".join(study.flags), study.key),
        ]
        for row, study in enumerate(cohort.studies)
    ]
    _write(path, columns, rows)


def _unit(unit: str, is_sex: bool) -> str:
    return _("score: 0 is female, 1 is male") if is_sex else unit


def _write(path: Union[str, Path], columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    import_engine()
    from mimir_engine.files.csv_writer import write_csv

    write_csv(Path(path), columns, rows, ENCODING)
