"""Try the included module on fresh phantoms with one change each, drift, and harmonisation.

    python engine/validation/other_scanners.py --output DIR [--docs DIR] [--small]

Each phantom's outcomes are kept in a file, so that a killed run goes on where it was. With --docs,
the tables are written into validation.md in that folder.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from figures import draw_changes
from other_scanner_tables import Case, change_table, drift_table, harmonise_table
from page import copy_figures, fill
from scan_checks import Group, try_groups
from scan_outcome import checked, contained, included_predictor, measured, outcome

from mimir_engine.cohort.scanners.estimate_site import estimate_site
from mimir_engine.inference_module.module_reference import require_reference
from mimir_engine.phantom.scan import Scan, make_scan, stations_of
from mimir_engine.phantom.shift import SHIFTS
from mimir_engine.projection import project
from mimir_engine.study.site import RATIO

#: First seeds, of population 2: usual scans and scans with one change; scans without labels and
#: measured scans.
USUAL_SEED, CHANGED_SEED = 3_350_000, 3_351_000
UNLABELLED_SEED, MEASURED_SEED = 3_353_000, 3_354_000
#: Factors of the water signal, as of other scanners.
FACTORS = (0.7, 0.85, 1.0, 1.15, 1.3)
#: Scans without labels that a constant is estimated from.
UNLABELLED = (20, 50)
#: The shift that multiplies water, by this factor at size 1.
WATER_SHIFT, WATER = "contrast", SHIFTS["contrast"].water


def main() -> None:
    """Try all, then make the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of all outcomes")
    parser.add_argument("--docs", type=Path, help="folder of validation.md to fill")
    parser.add_argument("--small", action="store_true", help="few phantoms")
    arguments = parser.parse_args()
    figures = arguments.output / "figures"
    tables = other_scanners(arguments.output, figures, arguments.small)
    for name, text in tables.items():
        print(f"\n{name}\n\n{text}")
    if arguments.docs is not None:
        fill(arguments.docs / "validation.md", tables)
        copy_figures(figures, arguments.docs)


def other_scanners(folder: Path, figures: Path, is_small: bool) -> dict[str, str]:
    """Try changes, drift and harmonisation; draw a figure, and return the tables by name."""
    usual, changed = _changes(folder, is_small)
    draw_changes(figures / "shifts.png", (*usual, *changed))
    return {
        "shifts-shipped": change_table(usual, changed),
        "drift": _drift(usual, changed, is_small),
        "harmonise": _harmonise(folder, is_small),
    }


def _changes(folder: Path, is_small: bool) -> tuple[list[Case], list[Case]]:
    """Measure usual scans, and scans with each change."""
    usual, changed = (2, 1) if is_small else (300, 60)
    groups = (
        Group("usual", USUAL_SEED, usual, usual_cases),
        Group("changed", CHANGED_SEED, changed, changed_cases),
    )
    tried = try_groups(folder, groups)
    return tried["usual"], tried["changed"]


def _drift(usual: list[Case], changed: list[Case], is_small: bool) -> str:
    if is_small:  # repeated, so that there are enough to compute with
        return drift_table((usual * 200)[:200], changed * 60, 2)
    return drift_table(usual, changed, 1_000)


def usual_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Measure a usual scan of population 2."""
    yield _outcome(make_scan(seed), change="none")


def changed_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Measure the scan with each change."""
    for shift in SHIFTS:
        if shift != "none":
            yield _outcome(make_scan(seed, shift=shift), change=shift)
    scan = make_scan(seed, shift=WATER_SHIFT, size=_size(0.9))
    yield _outcome(scan, change="water × 0.9")


def _outcome(scan: Scan, change: str) -> dict[str, Any]:
    return outcome(stations_of(scan), scan.truths()[0], change=change)


def _harmonise(folder: Path, is_small: bool) -> str:
    unlabelled, measured = (1, 1) if is_small else (max(UNLABELLED), 200)
    group = Group("site-unlabelled", UNLABELLED_SEED, unlabelled, ratio_cases)
    own = try_groups(folder, (group,))["site-unlabelled"]
    found = constants(own * 50 if is_small else own)
    group = Group("site-measured", MEASURED_SEED, measured, partial(measured_cases, found))
    return harmonise_table(try_groups(folder, (group,))["site-measured"], found)


def constants(unlabelled: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Estimate the constant of each factor from 20 and from 50 scans, by `f"{factor:g}"`."""
    reference = require_reference(included_predictor().module)
    found: dict[str, dict[str, float]] = {}
    for factor in FACTORS:
        numbers = [case["numbers"] for case in unlabelled if case["factor"] == factor]
        ratios = np.array([own[RATIO] for own in numbers if RATIO in own])
        found[f"{factor:g}"] = {
            f"constant of {count}": estimate_site(
                ratios[:count], "", reference, "phantom"
            ).water_factor
            for count in UNLABELLED
        }
        found[f"{factor:g}"]["reference"] = reference.median(RATIO)
    return found


def ratio_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Describe a scan at each factor of the water signal."""
    for factor in FACTORS:
        scan = make_scan(seed, shift=WATER_SHIFT, size=_size(factor))
        yield {"factor": factor, "numbers": checked(stations_of(scan))[2]}


def measured_cases(
    constants: Mapping[str, Mapping[str, float]], seed: int
) -> Iterator[dict[str, Any]]:
    """Measure a scan at each factor: as it is, by its own ratio, and by the constants."""
    for factor in FACTORS:
        scan = make_scan(seed, shift=WATER_SHIFT, size=_size(factor))
        fused, _, numbers = checked(stations_of(scan))
        found, truth = dict(constants[f"{factor:g}"]), scan.truths()[0]
        usual = found.pop("reference")
        ways = {"as it is": 1.0, "its own ratio": usual / numbers.get(RATIO, usual), **found}
        images = np.stack([project(fused, water).image for water in ways.values()])
        predicted = included_predictor().predict(images)
        for row, way in enumerate(ways):
            own = measured(predicted, row)
            yield {
                "factor": factor,
                "way": way,
                "covered": contained(own, truth),
                "error": {m.target: m.value - truth[m.target] for m in own},
            }


def _size(factor: float) -> float:
    """Return the size of the shift of the water signal that multiplies it by a factor."""
    return math.log(factor) / math.log(WATER)


if __name__ == "__main__":
    main()
