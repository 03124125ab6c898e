"""Write a cohort's results: tables and codebook, ``failures.csv``, ``run.json`` and Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Optional

from mimir_engine.cohort import label_table, scan_profile_table
from mimir_engine.cohort.cohort import Cohort
from mimir_engine.cohort.label_table import label_rows, names_of_labels
from mimir_engine.cohort.output_files import LABELS_FILE, PARQUET_FILE, RUN_FILE
from mimir_engine.cohort.scan_profile_table import SCAN_PROFILES_FILE, profile_rows
from mimir_engine.cohort.scanners import scan_number_table
from mimir_engine.cohort.scanners.batch_drift import (
    DRIFT_FILE,
    Drifts,
    compare_batch,
    drift_events,
    write_drift,
)
from mimir_engine.cohort.scanners.scan_number_table import (
    SCAN_NUMBERS_FILE,
    ScanRow,
    read_scan_numbers,
)
from mimir_engine.cohort.study_failure import write_failures
from mimir_engine.cohort.tables.codebook import PARQUET_COLUMNS, parquet_codebook, write_codebook
from mimir_engine.cohort.tables.column import id_number
from mimir_engine.cohort.tables.columns import table_columns, table_row
from mimir_engine.cohort.tables.label_columns import LABEL_CELLS, label_columns
from mimir_engine.cohort.tables.styles import LONG, SHORT
from mimir_engine.files.atomic import atomic_file, output_errors
from mimir_engine.files.csv_writer import CsvTable, write_tables
from mimir_engine.files.json_file import write_json
from mimir_engine.files.optional_packages import require
from mimir_engine.measuring.measurement import interval_methods
from mimir_engine.measuring.study_result import StudyResult

#: Studies per row group: some 70,000 rows of the published measurements.
STUDIES_PER_GROUP = 1000


def write_cohort(
    folder: Path,
    cohort: Cohort,
    command: Sequence[str],
    columns: str = LONG,
    labels: Optional[Sequence[str]] = None,
) -> Drifts:
    """Write ``predictions.csv``, the tables of scans, ``failures.csv`` and, last, ``run.json``.

    Without inference modules the first is called ``measurements.csv``. ``codebook.csv`` and
    ``codebook.json`` explain its columns. Where a study has labels, ``labels.csv`` lists them all.
    With modules that know what their own scans are like,
    ``drift.csv`` compares the batch with these.

    Args:
        folder: Output folder.
        cohort: Results and failures.
        command: The command line, for ``run.json``.
        columns: How columns are named: one of ``STYLES``.
        labels: Names of labels that have columns in the first table, too; empty for all, None for
            none.

    Returns:
        What the comparison found.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``; ``COLUMN_CONFLICT`` as `table_columns`.
    """
    _write_tables(folder, cohort, columns, labels)
    write_failures(folder, cohort.failures)
    methods = {
        name: interval_methods(target, cohort.level)
        for module in cohort.modules
        for name, target in zip(module.measurement_names, module.targets)
    }
    found: dict[str, Any] = {
        "columns": columns,
        "interval_methods": methods,
        "done": cohort.done,
        "failed": len(cohort.failures),
    }
    drifts = compare_batch(cohort.modules, read_scan_numbers(folder / SCAN_NUMBERS_FILE))
    if drifts:
        write_drift(folder / DRIFT_FILE, drifts)
        found["drift"] = drift_events(drifts)
    write_json(folder / RUN_FILE, {**cohort.run, **found, "command": list(command)})
    return drifts


def _write_tables(
    folder: Path, cohort: Cohort, style: str, labels: Optional[Sequence[str]]
) -> None:
    """Write the tables of measurements, labels and scans, and the codebook of the first."""
    if labels is not None and not labels:
        labels = names_of_labels(cohort.results)
    columns = table_columns(cohort.modules, cohort.level, style, labels or ())
    name = "predictions.csv" if cohort.modules else "measurements.csv"
    header = [column.names[style] for column in columns]
    tables: list[CsvTable[StudyResult]] = [
        CsvTable(folder / name, header, lambda result: [table_row(result, columns)]),
        CsvTable(folder / LABELS_FILE, label_table.COLUMNS, label_rows),
        CsvTable(folder / SCAN_NUMBERS_FILE, scan_number_table.COLUMNS, _scan_rows),
    ]
    if cohort.modules:
        profiles = folder / SCAN_PROFILES_FILE
        tables.append(CsvTable(profiles, scan_profile_table.COLUMNS, profile_rows))
    _, label_count, *_ = write_tables(tables, cohort.results)
    if not label_count:
        with output_errors(folder):
            (folder / LABELS_FILE).unlink()
    write_codebook(folder, name, columns, style)


def _scan_rows(result: StudyResult) -> list[list[object]]:
    codes = [finding.code for finding in result.findings]
    return [ScanRow(result.name, codes, result.numbers, result.scanner, result.month).cells()]


def write_parquet(folder: Path, cohort: Cohort) -> None:
    """Write ``predictions.parquet``, one row per study and measurement.

    Its metadata describe the run (``mimir``) and the measurements and flags (``codebook``).

    Raises:
        MimirError: ``EXTRA_MISSING`` without pyarrow, ``OUTPUT_UNWRITABLE``.
    """
    require("parquet")
    import pyarrow as pa
    from pyarrow import parquet

    codebook = parquet_codebook(table_columns(cohort.modules, cohort.level, LONG))
    short_names = {one["name"]: one["short_name"] for one in codebook["measurements"]}
    metadata = {"mimir": json.dumps(dict(cohort.run)), "codebook": json.dumps(codebook)}
    fields = [(name, getattr(pa, kind)()) for name, (kind, _) in PARQUET_COLUMNS.items()]
    schema = pa.schema(fields, metadata=metadata)
    results = cohort.results
    path = folder / PARQUET_FILE
    with atomic_file(path) as file, parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(results, STUDIES_PER_GROUP)):
            rows = [row for result in group for row in _parquet_rows(result, short_names)]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _parquet_rows(result: StudyResult, short_names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return one row per measurement, with its own flags and those of the study's findings."""
    findings = [finding.code for finding in result.findings]
    eid, instance = id_number(result.eid), id_number(result.instance)
    study = {"study": result.name, "eid": eid, "instance": instance}
    estimated = [
        {
            **study,
            "measurement": m.name,
            "short_name": short_names.get(m.name),
            "unit": m.unit,
            "value": m.value,
            "sd": m.sd,
            "lower": m.lower,
            "upper": m.upper,
            "level": m.level,
            "interval_method": m.interval_method,
            "coverage_low": m.coverage_low,
            "coverage_high": m.coverage_high,
            "sex": m.sex,
            "sex_source": m.sex_source,
            "z": m.z_score,
            "percentile": m.percentile,
            "flags": ";".join(dict.fromkeys((*findings, *m.flags))),
        }
        for m in result.measurements
    ]
    direct = [
        {
            **study,
            "measurement": f"direct_{quantity.name}",
            "short_name": short_names.get(f"direct_{quantity.name}"),
            "unit": quantity.unit,
            "value": quantity.value,
            "flags": ";".join(dict.fromkeys(findings)),
        }
        for quantity in result.direct
    ]
    return estimated + direct + [{**study, **row} for row in _label_rows(result, findings)]


def _label_rows(result: StudyResult, findings: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield volume and fat fractions of each label, named as their columns without the unit."""
    flags = ";".join(dict.fromkeys(findings))
    for label in result.labels:
        for column in label_columns(label.name):
            if column.unit:
                yield {
                    "measurement": column.names[LONG].rpartition("_")[0],
                    "short_name": column.names[SHORT],
                    "unit": column.unit,
                    "value": LABEL_CELLS[column.what](label),
                    "flags": flags,
                }
