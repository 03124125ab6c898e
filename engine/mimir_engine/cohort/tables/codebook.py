"""Explain the columns and flags of a cohort's tables: ``codebook.csv`` and ``codebook.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mimir_engine.cohort.tables.column import Column
from mimir_engine.cohort.tables.styles import STYLES
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.json_file import write_json
from mimir_engine.measuring.flags import STUDY_FLAGS, flag_sentence

CODEBOOK_FILES = ("codebook.csv", "codebook.json")
#: What a row of ``codebook.csv`` is that explains a code of the column ``flags``.
CODE = "flag code"
HEADER = (
    *("column", "what", "code", "label", "unit", "level"),
    *("measurement", "ukb_field", "module", "module_version"),
    *(f"{style}_name" for style in STYLES),
)

#: Type and meaning of the columns of ``predictions.parquet``.
PARQUET_COLUMNS = {
    "study": ("string", "Name of the study: its file name or UID"),
    "eid": ("int64", "UK Biobank's participant; null for other studies"),
    "instance": ("int64", "UK Biobank's imaging visit; null for other studies"),
    "measurement": ("string", "Name of the measurement, with the module's column prefix"),
    "short_name": ("string", "Its name in tables with short names"),
    "unit": ("string", "Unit of value, SD and bounds; empty for a class"),
    "interval_method": ("string", "conformal, gaussian or none"),
    "sex": ("string", "Sex for which interval, percentile and z-score are; null if uncertain"),
    "sex_source": ("string", "recorded, estimated, or estimated by another module"),
    "value": ("float64", "Estimate, or direct measurement; for a class, the score"),
    "sd": ("float64", "Standard deviation of the estimate"),
    "lower": ("float64", "Lower bound of the interval"),
    "upper": ("float64", "Upper bound of the interval"),
    "level": ("float64", "Share of intervals that contain the true value"),
    "coverage_low": ("float64", "The true coverage lies above this, for 95 % of calibrations"),
    "coverage_high": ("float64", "The true coverage lies below this, for 95 % of calibrations"),
    "z": ("float64", "z-score; null for a class"),
    "percentile": ("float64", "Place in the reference population, in percent"),
    "flags": ("string", "Codes of what was noticed, separated by semicolons"),
}


def write_codebook(folder: Path, table: str, columns: Sequence[Column], style: str) -> None:
    """Write what the columns of a table hold, and what the codes of its flags mean.

    Args:
        folder: Folder of the table.
        table: File name of the table.
        columns: The table's columns.
        style: One of ``STYLES``: how the table names its columns.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    described = [_row(column, style) for column in columns]
    codes = {code: flag_sentence(code) for code in STUDY_FLAGS}
    rows = [
        *described,
        *({"column": "flags", "what": CODE, "code": c, "label": s} for c, s in codes.items()),
    ]
    csv_path, json_path = (folder / name for name in CODEBOOK_FILES)
    write_csv(csv_path, HEADER, ([row.get(name) for name in HEADER] for row in rows))
    record = {"table": table, "columns_named": style, "columns": described, "flags": codes}
    write_json(json_path, record)


def parquet_codebook(columns: Sequence[Column]) -> dict[str, Any]:
    """Explain ``predictions.parquet``, which has one row per study and measurement.

    Args:
        columns: The columns of the cohort's table in the style ``long``.

    Returns:
        ``columns``: their meaning; ``measurements``: name, short name, title, unit, field and
        module of each; ``flags``: the meaning of each code.
    """
    measured = dict.fromkeys(column.measured for column in columns)
    return {
        "columns": {name: label for name, (_, label) in PARQUET_COLUMNS.items()},
        "measurements": [asdict(one) for one in measured if one.name],
        "flags": {code: flag_sentence(code) for code in STUDY_FLAGS},
    }


def _row(column: Column, style: str) -> dict[str, Any]:
    """Return what the codebook says of a column; all texts but the level."""
    measured = column.measured
    return {
        "column": column.names[style],
        "what": column.what,
        "label": column.label,
        "unit": column.unit,
        "level": column.level,
        "measurement": measured.name,
        "ukb_field": measured.ukb_field,
        "module": measured.module,
        "module_version": measured.module_version,
        **{f"{name}_name": column.names.get(name, "") for name in STYLES},
    }
