"""Write a cohort's results: tables, ``failures.csv``, ``run.json`` and Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Union

from mimir_engine.cohort.cohort import Cohort
from mimir_engine.cohort.scan_profile_table import SCAN_PROFILES_FILE, write_scan_profiles
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
    write_scan_numbers,
)
from mimir_engine.cohort.study_failure import write_failures
from mimir_engine.direct.direct_measurement import QUANTITIES, direct_column
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.json_file import write_json
from mimir_engine.files.optional_packages import require
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.measurement import Measurement, interval_methods
from mimir_engine.measuring.study_result import StudyResult

#: Studies per row group: some 70,000 rows of the published measurements.
STUDIES_PER_GROUP = 1000


def write_cohort(
    folder: Path, cohort: Cohort, command: Sequence[str], published_columns: bool = False
) -> Drifts:
    """Write ``predictions.csv``, the tables of scans, ``failures.csv`` and, last, ``run.json``.

    Without inference modules the first is called ``measurements.csv``. With modules that know what
    their own scans are like, ``drift.csv`` compares the batch with these.

    Args:
        folder: Output folder.
        cohort: Results and failures.
        command: The command line, for ``run.json``.
        published_columns: Name the columns of ``predictions.csv`` as the published engine does,
            which has no direct measurements.

    Returns:
        What the comparison found.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    columns = [
        column
        for module in cohort.modules
        for name, target in zip(module.measurement_names, module.targets)
        for column in measurement_columns(name, target, cohort.level, published_columns)
    ]
    if not published_columns:
        columns += [direct_column(name) for name in QUANTITIES]
    rows = (_csv_row(result, published_columns) for result in cohort.results)
    header = ["name", "eid", "instance", *columns, "flags"]
    table = "predictions.csv" if cohort.modules else "measurements.csv"
    write_csv(folder / table, header, rows)
    findings = ((r, [finding.code for finding in r.findings]) for r in cohort.results)
    scans = (ScanRow(r.name, codes, r.numbers, r.scanner, r.month) for r, codes in findings)
    write_scan_numbers(folder / SCAN_NUMBERS_FILE, scans)
    if cohort.modules:
        write_scan_profiles(folder / SCAN_PROFILES_FILE, cohort.results)
    write_failures(folder, cohort.failures)
    methods = {
        name: interval_methods(target, cohort.level)
        for module in cohort.modules
        for name, target in zip(module.measurement_names, module.targets)
    }
    found: dict[str, Any] = {
        "interval_methods": methods,
        "done": cohort.done,
        "failed": len(cohort.failures),
    }
    drifts = compare_batch(cohort.modules, read_scan_numbers(folder / SCAN_NUMBERS_FILE))
    if drifts:
        write_drift(folder / DRIFT_FILE, drifts)
        found["drift"] = drift_events(drifts)
    write_json(folder / "run.json", {**cohort.run, **found, "command": list(command)})
    return drifts


def measurement_columns(
    name: str, measured: Union[Target, Measurement], level: float, published: bool = False
) -> list[str]:
    """Name the columns of one measurement in ``predictions.csv``.

    Args:
        name: Name of the measurement, with the module's column prefix.
        measured: The target or its measurement: unit and kind.
        level: Level of the interval.
        published: Use the names of the published engine.
    """
    in_unit, percent = f"_in_{measured.unit}" if measured.unit else "", f"{100 * level:g}"
    if published:
        return [f"{name}_mean{in_unit}", f"{name}_variance{in_unit}"]
    if measured.kind == "class":
        return [f"{name}_male_score" if measured.is_sex else f"{name}_score"]
    bounds = [f"{name}_lower{percent}", f"{name}_upper{percent}"]
    return [f"{name}_mean{in_unit}", f"{name}_sd{in_unit}", *bounds]


def _csv_row(result: StudyResult, published: bool) -> list[Union[str, float, None]]:
    """Return one study's row; numbers in full precision, bounds raw."""
    row: list[Union[str, float, None]] = [result.name, result.eid, result.instance]
    for m in result.measurements:
        if published:
            row += [m.value, m.sd**2]
        else:
            row += [m.value] if m.kind == "class" else [m.value, m.sd, m.lower, m.upper]
    if not published:
        direct = {quantity.name: quantity.value for quantity in result.direct}
        row += [direct.get(name) for name in QUANTITIES]
    return [*row, ";".join(result.flags)]


def write_parquet(folder: Path, cohort: Cohort) -> None:
    """Write ``predictions.parquet``; its metadata describes the run.

    Raises:
        MimirError: ``EXTRA_MISSING`` without pyarrow, ``OUTPUT_UNWRITABLE``.
    """
    require("parquet")
    import pyarrow as pa
    from pyarrow import parquet

    texts = ("study", "eid", "instance", "measurement", "unit")
    numbers = ("value", "sd", "lower", "upper", "level", "coverage_low", "coverage_high")
    fields = [(name, pa.string()) for name in (*texts, "interval_method", "sex", "sex_source")]
    fields += [(name, pa.float64()) for name in (*numbers, "z", "percentile")]
    schema = pa.schema(
        [*fields, ("flags", pa.string())], metadata={"mimir": json.dumps(dict(cohort.run))}
    )
    results = cohort.results
    path = folder / "predictions.parquet"
    with atomic_file(path) as file, parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(results, STUDIES_PER_GROUP)):
            rows = [row for result in group for row in _parquet_rows(result)]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _parquet_rows(result: StudyResult) -> list[dict[str, Any]]:
    """Return one row per measurement, with its own flags and those of the study's findings."""
    findings = [finding.code for finding in result.findings]
    study = {"study": result.name, "eid": result.eid, "instance": result.instance}
    estimated = [
        {
            **study,
            "measurement": m.name,
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
            "unit": quantity.unit,
            "value": quantity.value,
            "flags": ";".join(dict.fromkeys(findings)),
        }
        for quantity in result.direct
    ]
    return estimated + direct
