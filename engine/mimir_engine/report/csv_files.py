"""A cohort's results as files: ``predictions.csv``, ``failures.csv`` and ``run.json``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from mimir_engine.cohort.outcome import Cohort, StudyResult
from mimir_engine.inference_module.target import Target
from mimir_engine.measurement import Measurement
from mimir_engine.plain_text import FORMULA_BEGINS
from mimir_engine.whole_files import whole_file


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
    _write(folder / "predictions.csv", prediction_columns(cohort, published_columns), rows)
    failures = ([_harmless(f.name), f.code, _harmless(f.reason)] for f in cohort.failures)
    _write(folder / "failures.csv", ["name", "code", "reason"], failures)
    counts = {"done": cohort.done, "failed": len(cohort.failures)}
    record = {**cohort.run, **counts, "command": list(command)}
    with whole_file(folder / "run.json") as file:
        file.write(json.dumps(record, indent=1).encode("ascii") + b"\n")


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


def result_row(result: StudyResult, published_columns: bool = False) -> list[str]:
    """One study's row of ``predictions.csv``; numbers in full precision, bounds raw."""
    values = _published_values if published_columns else _values
    numbers = [repr(value) for m in result.measurements for value in values(m)]
    return [_harmless(result.name), result.eid, result.instance, *numbers, ";".join(result.flags)]


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


def _harmless(text: str) -> str:
    """A text that a spreadsheet would take for a formula, as text."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        text.detach()
