"""Try drift and harmonisation on fresh phantoms: batches with one change, and other water signals.

    python engine/validation/other_scanners.py --output DIR [--docs DIR] [--small]

Each phantom's outcomes are kept in a file, so that a killed run goes on where it was. With --docs,
the tables are written into validation.md in that folder.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from other_scanner_tables import drift_table, harmonise_table
from page import fill
from scan_checks import Group, try_groups
from scan_outcome import outcome

from mimir_engine.cohort.scanners.estimate_site import estimate_site
from mimir_engine.fusion import fuse
from mimir_engine.inference_module import find_module
from mimir_engine.inference_module.number_reference import describe_numbers
from mimir_engine.measuring.measurement import measure
from mimir_engine.measuring.network import Predictor
from mimir_engine.phantom.scan import make_scan, stations_of
from mimir_engine.phantom.shift import SHIFTS
from mimir_engine.projection import project
from mimir_engine.study.site import RATIO

#: First seeds, of population 2: usual scans and scans with one change; usual scans, scans without
#: labels and measured scans.
USUAL_SEED, CHANGED_SEED = 3_350_000, 3_351_000
REFERENCE_SEED, UNLABELLED_SEED, MEASURED_SEED = 3_352_000, 3_353_000, 3_354_000
#: Factors of the water signal, as of other scanners.
FACTORS = (0.7, 0.8, 0.85, 1.0, 1.15, 1.3)
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
    tables = other_scanners(arguments.output, arguments.small)
    for name, text in tables.items():
        print(f"\n{name}\n\n{text}")
    if arguments.docs is not None:
        fill(arguments.docs / "validation.md", tables)


def other_scanners(folder: Path, is_small: bool) -> dict[str, str]:
    """Try drift and harmonisation; return the tables by name."""
    return {"drift": _drift(folder, is_small), "harmonise": _harmonise(folder, is_small)}


def _drift(folder: Path, is_small: bool) -> str:
    usual, changed = (2, 1) if is_small else (500, 60)
    tried = try_groups(
        folder,
        (
            Group("drift-usual", USUAL_SEED, usual, usual_cases),
            Group("drift-changed", CHANGED_SEED, changed, changed_cases),
        ),
    )
    if is_small:
        return drift_table(_repeated(tried["drift-usual"], 200), tried["drift-changed"] * 60, 2)
    return drift_table(tried["drift-usual"], tried["drift-changed"], 1_000)


def _repeated(cases: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Repeat the cases of a small trial, so that there are enough to compute with."""
    return (cases * count)[:count]


def usual_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Describe a usual scan of population 2."""
    yield outcome(stations_of(make_scan(seed)), change="none")


def changed_cases(seed: int) -> Iterator[dict[str, Any]]:
    """Describe the scan with each change."""
    for shift in SHIFTS:
        if shift != "none":
            yield outcome(stations_of(make_scan(seed, shift=shift)), change=shift)
    scan = make_scan(seed, shift=WATER_SHIFT, size=_size(0.9))
    yield outcome(stations_of(scan), change="water × 0.9")


def _harmonise(folder: Path, is_small: bool) -> str:
    usual, unlabelled, measured = (2, 1, 1) if is_small else (200, max(UNLABELLED), 400)
    tried = try_groups(
        folder,
        (
            Group("site-reference", REFERENCE_SEED, usual, partial(ratio_cases, factors=(1.0,))),
            Group("site-unlabelled", UNLABELLED_SEED, unlabelled, ratio_cases),
        ),
    )
    reference, own = tried["site-reference"], tried["site-unlabelled"]
    if is_small:
        reference, own = _repeated(reference, 50), own * 50
    found = constants(reference, own)
    cases = partial(measured_cases, constants=found)
    group = Group("site-measured", MEASURED_SEED, measured, cases)
    return harmonise_table(try_groups(folder, (group,))["site-measured"], found)


def constants(
    usual: Sequence[Mapping[str, Any]], unlabelled: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """Estimate the constant of each factor from 20 and from 50 scans, by `f"{factor:g}"`."""
    values = np.array([[case["numbers"][RATIO]] for case in usual if RATIO in case["numbers"]])
    reference = describe_numbers((RATIO,), values)
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


def ratio_cases(seed: int, factors: Sequence[float] = FACTORS) -> Iterator[dict[str, Any]]:
    """Describe a scan at each factor of the water signal."""
    for factor in factors:
        scan = make_scan(seed, shift=WATER_SHIFT, size=_size(factor))
        yield outcome(stations_of(scan), factor=factor)


def measured_cases(
    seed: int, constants: Mapping[str, Mapping[str, float]]
) -> Iterator[dict[str, Any]]:
    """Measure a scan at each factor: as it is, by its own ratio, and by the constants."""
    for factor in FACTORS:
        scan = make_scan(seed, shift=WATER_SHIFT, size=_size(factor))
        stations = stations_of(scan)
        found = dict(constants[f"{factor:g}"])
        usual = found.pop("reference")
        own = outcome(stations)["numbers"].get(RATIO, usual)
        ways = {"as it is": 1.0, "its own ratio": usual / own, **found}
        fused, truth = fuse(stations), scan.truths()[0]
        images = np.stack([project(fused, water).image for water in ways.values()])
        predicted = _predictor().predict(images)
        for way, mean, variance in zip(ways, predicted.mean, predicted.variance):
            measured = measure(_predictor().module, mean, variance)
            yield {
                "factor": factor,
                "way": way,
                "covered": {
                    m.target: m.lower <= truth[m.target] <= m.upper
                    for m in measured
                    if m.kind != "class"
                },
                "error": {m.target: m.value - truth[m.target] for m in measured},
            }


def _size(factor: float) -> float:
    """Return the size of the shift of the water signal that multiplies it by a factor."""
    return math.log(factor) / math.log(WATER)


@lru_cache(maxsize=1)
def _predictor() -> Predictor:
    return Predictor(find_module("phantom"), "cpu")


if __name__ == "__main__":
    main()
