"""A cohort's results as files: ``predictions.csv``, ``failures.csv`` and ``run.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Union

from mimir_engine.cohort.outcome import Cohort, StudyResult
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.json_file import write_json
from mimir_engine.files.optional_packages import require
from mimir_engine.inference_module.target import Target
from mimir_engine.measuring.measurement import Measurement


def write_cohort(
    folder: Path, cohort: Cohort, command: Sequence[str], published_columns: bool = False
) -> None:
    """Write all three files into a folder, ``run.json`` last.

    Args:
        folder: Where to.
        cohort: What to write.
        command: The command line, for ``run.json``.
        published_columns: Name the columns of ``predictions.csv`` as the published engine does.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    rows = (result_row(result, published_columns) for result in cohort.results)
    write_csv(folder / "predictions.csv", prediction_columns(cohort, published_columns), rows)
    failures = ((f.name, f.code, f.reason) for f in cohort.failures)
    write_csv(folder / "failures.csv", ["name", "code", "reason"], failures)
    counts = {"done": cohort.done, "failed": len(cohort.failures)}
    write_json(folder / "run.json", {**cohort.run, **counts, "command": list(command)})


def prediction_columns(cohort: Cohort, published_columns: bool = False) -> list[str]:
    """The header of ``predictions.csv``."""
    named = _published_columns if published_columns else _columns
    columns = [
        column
        for module in cohort.modules
        for name, target in zip(module.measurement_names, module.targets)
        for column in named(name, target, cohort.level)
    ]
    return ["name", "eid", "instance", *columns, "flags"]


def result_row(result: StudyResult, published_columns: bool = False) -> list[Union[str, float]]:
    """One study's row of ``predictions.csv``."""
    values = _published_values if published_columns else _values
    numbers = (value for m in result.measurements for value in values(m))
    return [result.name, result.eid, result.instance, *numbers, ";".join(result.flags)]


def _columns(name: str, target: Target, level: float) -> list[str]:
    """Names of one measurement's columns; see ``_values``."""
    if target.kind == "class":
        return [f"{name}_male_score" if target.is_sex else f"{name}_score"]
    in_unit, percent = _in_unit(target), f"{100 * level:g}"
    return [
        f"{name}_mean{in_unit}",
        f"{name}_sd{in_unit}",
        f"{name}_lower{percent}",
        f"{name}_upper{percent}",
    ]


def _values(measurement: Measurement) -> list[float]:
    if measurement.target.kind == "class":
        return [measurement.value]
    return [measurement.value, measurement.sd, measurement.lower, measurement.upper]


def _published_columns(name: str, target: Target, level: float) -> list[str]:
    """The published engine's names; unlike there, the variance is in the unit squared."""
    return [f"{name}_mean{_in_unit(target)}", f"{name}_variance{_in_unit(target)}"]


def _published_values(measurement: Measurement) -> list[float]:
    return [measurement.value, measurement.sd**2]


def _in_unit(target: Target) -> str:
    return f"_in_{target.unit}" if target.unit else ""


#: Studies a row group: some 70,000 rows of the published measurements.
STUDIES_A_GROUP = 1000


def write_parquet(folder: Path, cohort: Cohort) -> None:
    """Write ``predictions.parquet``; what ``run.json`` says is in the schema's metadata.

    Raises:
        MimirError: ``EXTRA_MISSING`` without pyarrow, ``OUTPUT_UNWRITABLE``.
    """
    require("parquet")
    import pyarrow as pa
    from pyarrow import parquet

    texts = ("study", "eid", "instance", "measurement", "unit")
    numbers = ("value", "sd", "lower", "upper", "level", "z", "percentile")
    fields = [(name, pa.string()) for name in texts]
    fields += [(name, pa.float64()) for name in numbers]
    schema = pa.schema(
        [*fields, ("flags", pa.string())], metadata={"mimir": json.dumps(dict(cohort.run))}
    )
    results = cohort.results
    path = folder / "predictions.parquet"
    with atomic_file(path) as file, parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(results, STUDIES_A_GROUP)):
            rows = [row for result in group for row in _rows(result)]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _rows(result: StudyResult) -> list[dict[str, Any]]:
    """The flags are the measurement's own and those of the study's reading, as in the CSV file."""
    findings = [finding.code for finding in result.findings]
    return [
        {
            "study": result.name,
            "eid": result.eid,
            "instance": result.instance,
            "measurement": m.name,
            "unit": m.unit,
            "value": m.value,
            "sd": m.sd,
            "lower": m.lower,
            "upper": m.upper,
            "level": m.level,
            "z": m.z_score,
            "percentile": m.percentile,
            "flags": ";".join(dict.fromkeys((*findings, *m.flags))),
        }
        for m in result.measurements
    ]
