"""Compare direct measurements with the truth of phantoms, through DICOM archives.

python engine/validation/direct_measurements.py --output DIR [--small]
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from commands import mimir
from plan import FULL, SMALL, Plan

from mimir_engine.direct.direct_measurement import QUANTITIES, direct_column
from mimir_engine.files.markdown_table import markdown_table

#: First visit of a body, and its repeat.
FIRST, REPEAT = "_20201_2_0", "_20201_3_0"
#: Values of each quantity by study.
Values = Mapping[str, Mapping[str, float]]


def main() -> None:
    """Make the phantoms, measure them, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--small", action="store_true", help="with few phantoms")
    arguments = parser.parse_args()
    plan = SMALL if arguments.small else FULL
    print(direct_table(plan, arguments.output))


def direct_table(plan: Plan, work: Path) -> str:
    """Make what is missing, and format one row per quantity."""
    for cohort in plan.direct:
        folder = work / "scans" / cohort.name
        source = ("--seed", cohort.first_seed, "--count", cohort.count, "--shift", cohort.shift)
        repeat = ("--repeat", 2) if cohort.shift == "none" else ()
        mimir("phantom", "--light", *source, *repeat, "--output", folder)
        mimir("measure", folder, "--output", work / "measured" / cohort.name)
    names = [cohort.name for cohort in plan.direct]
    measured = {k: v for name in names for k, v in _measured(work / "measured" / name).items()}
    truth = {k: v for name in names for k, v in _truth(work / "scans" / name).items()}
    rows = [_row(name, unit, measured, truth) for name, unit in QUANTITIES.items()]
    counts = ", ".join(f"{c.count} {c.name}" for c in plan.direct)
    head = ("quantity", "known, %", "mean", "SD", "R²", "bias", "SD of the error", "repeatability")
    return f"Phantoms of population 2: {counts}.\n\n{markdown_table(head, rows, 1)}"


def _measured(folder: Path) -> dict[str, dict[str, float]]:
    """Read ``measurements.csv``: known values by study and quantity."""
    with (folder / "measurements.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["name"]: {
                q: float(row[direct_column(q)]) for q in QUANTITIES if row[direct_column(q)]
            }
            for row in csv.DictReader(file)
        }


def _truth(folder: Path) -> dict[str, dict[str, float]]:
    """Read the true values of all scans of a folder, by study and quantity."""
    found = {}
    for path in sorted(folder.glob("*.truth.json")):
        direct = json.loads(path.read_text("utf-8"))["direct"]
        values = {name.removeprefix("direct_"): value for name, value in direct.items()}
        left, right = values["left_thigh_lean_volume"], values["right_thigh_lean_volume"]
        values["thigh_lean_difference"] = 200 * (left - right) / (left + right)
        found[path.name.removesuffix(".truth.json")] = values
    return found


def _row(quantity: str, unit: str, measured: Values, truth: Values) -> Sequence[str]:
    """Compare a quantity with its truth in the first scans, and with its repeats."""
    first = [study for study in truth if study.endswith(FIRST)]
    known = [study for study in first if quantity in measured[study]]
    name = f"{quantity.replace('_', ' ')} ({unit})"
    share = f"{100 * len(known) / len(first):.0f}"
    if len(known) < 3:
        return name, share, *["–"] * 6
    value, true = (np.array([v[study][quantity] for study in known]) for v in (measured, truth))
    error = value - true
    r2 = 1 - (error**2).sum() / ((true - true.mean()) ** 2).sum()
    spread, errors = ((f"{v.mean():.3g}", f"{v.std(ddof=1):.3g}") for v in (true, error))
    return name, share, *spread, f"{r2:.3f}", *errors, _repeatability(quantity, measured)


def _repeatability(quantity: str, measured: Values) -> str:
    """Return the SD of repeated scans of one body around their mean (within-subject SD)."""
    pairs = [
        (values[quantity], measured[repeat][quantity])
        for study, values in measured.items()
        if quantity in values
        and (repeat := study.replace(FIRST, REPEAT)) != study
        and quantity in measured.get(repeat, {})
    ]
    if len(pairs) < 3:
        return "–"
    return f"{np.sqrt((np.diff(pairs) ** 2).mean() / 2):.2g}"


if __name__ == "__main__":
    main()
