"""A cohort's results as files: ``predictions.csv``, ``failures.csv`` and ``run.json``.

Every file is written beside its place and then renamed, so that none is ever half there.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mimir_engine.cohort.infer import Cohort, StudyFailure, StudyResult
from mimir_engine.errors import MimirError
from mimir_engine.measurement import Measurement


def write_cohort(
    folder: Path, cohort: Cohort, command: Sequence[str], published_columns: bool = False
) -> None:
    """Write all three files into a folder.

    Args:
        folder: Where to.
        cohort: What to write.
        command: The command line, for ``run.json``.
        published_columns: Name the columns of ``predictions.csv`` as the published engine does.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    rows = [result_row(result, published_columns) for result in cohort.results]
    _write(folder / "predictions.csv", _csv_text(rows, ["name", "eid", "instance", "flags"]))
    failures = [failure_row(failure) for failure in cohort.failures]
    _write(folder / "failures.csv", _csv_text(failures, ["name", "code", "reason"]))
    run = {
        **cohort.run,
        "done": len(cohort.results),
        "failed": len(cohort.failures),
        "command": list(command),
    }
    _write(folder / "run.json", json.dumps(run, indent=1) + "\n")


def result_row(result: StudyResult, published_columns: bool = False) -> dict[str, str]:
    """One study's row of ``predictions.csv``; numbers in full precision, bounds raw."""
    columns = _published_columns if published_columns else _columns
    row = {"name": result.name, "eid": result.eid, "instance": result.instance}
    for measurement in result.measurements:
        row.update({name: repr(value) for name, value in columns(measurement).items()})
    return {**row, "flags": ";".join(result.flags)}


def failure_row(failure: StudyFailure) -> dict[str, str]:
    """One study's row of ``failures.csv``."""
    return {"name": failure.name, "code": failure.code, "reason": failure.reason}


def _columns(measurement: Measurement) -> Mapping[str, float]:
    if measurement.target.kind == "class":
        return {f"{measurement.name}_male_score": measurement.value}
    in_unit = _in_unit(measurement)
    percent = f"{100 * measurement.level:g}"
    return {
        f"{measurement.name}_mean{in_unit}": measurement.value,
        f"{measurement.name}_sd{in_unit}": measurement.sd,
        f"{measurement.name}_lower{percent}": measurement.lower,
        f"{measurement.name}_upper{percent}": measurement.upper,
    }


def _published_columns(measurement: Measurement) -> Mapping[str, float]:
    """The published engine's names; unlike there, the variance is in the unit squared."""
    in_unit = _in_unit(measurement)
    return {
        f"{measurement.name}_mean{in_unit}": measurement.value,
        f"{measurement.name}_variance{in_unit}": measurement.sd**2,
    }


def _in_unit(measurement: Measurement) -> str:
    return f"_in_{measurement.unit}" if measurement.unit else ""


def _csv_text(rows: Sequence[Mapping[str, str]], least_columns: Iterable[str]) -> str:
    columns = list(rows[0]) if rows else list(least_columns)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _harmless(value: str) -> str:
    """A text that a spreadsheet would take for a formula, as text; numbers as they are."""
    if value[:1] in ("=", "+", "@", "\t", "\r") or (value[:1] == "-" and not _is_number(value)):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError as error:
        raise MimirError(
            "OUTPUT_UNWRITABLE",
            f"'{path}' cannot be written ({error.strerror})",
            "Make room or close the program that has it open, then run the same command again.",
        ) from error
