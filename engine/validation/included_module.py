"""Make the included module from nothing, and compare it with the one that is included now.

    python engine/validation/included_module.py --output DIR --start MODULE [--docs DIR]

The network goes on from that of a module, with phantoms of both populations. Steps that are done
are skipped, and a killed step is resumed. With --docs, the table is written into validation.md in
that folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from commands import THREADS, mimir, restart_in_training_environment
from measured_cohort import measure_cohort
from page import fill
from plan import FULL, REALISTIC, Cohort

from mimir_engine.evaluation.predictions import Predictions
from mimir_engine.files.markdown_table import markdown_table
from mimir_engine.inference_module import find_module

#: Resamples of the bootstrap over phantoms.
RESAMPLES = 1_000
#: Steps of the training; half the time on a processor with AMX.
STEPS, PRECISION = 600, ("--precision", "bfloat16")


TRAINING = (
    Cohort("training-1", 0, 2_000),
    Cohort("training-2", 10_000, 2_000, "varied", population=2),
)
#: Of population 2 alone: the module's intervals and scan profile are those of its scans.
CALIBRATION = Cohort("calibration-2", 20_000, 2_500, population=2)
FRESH = (FULL.cohorts["fresh"], FULL.cohorts[REALISTIC])


def main() -> None:
    """Make phantoms, module and comparison."""
    restart_in_training_environment()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of all results")
    parser.add_argument("--start", required=True, help="module to go on from")
    parser.add_argument("--docs", type=Path, help="folder of validation.md to fill")
    arguments = parser.parse_args()
    work, start = arguments.output, find_module(arguments.start).folder
    for phantoms in (*TRAINING, CALIBRATION):
        make_phantoms(phantoms, work)
    make_module(work, start)
    table = "\n\n".join(compare(phantoms, work, start) for phantoms in FRESH)
    print(table)
    if arguments.docs is not None:
        fill(arguments.docs / "validation.md", {"before-after": table})


def make_phantoms(phantoms: Cohort, work: Path) -> Path:
    """Make the images and truths of phantoms; return their folder."""
    folder = work / phantoms.name
    mimir(
        *("phantom", "--projections", "--population", phantoms.population, "--jobs", THREADS),
        *("--seed", phantoms.first_seed, "--count", phantoms.count, "--shift", phantoms.shift),
        *("--output", folder),
    )
    return folder


def make_module(work: Path, start: Path) -> None:
    """Train on both populations, calibrate on the second."""
    data = (work / phantoms.name for phantoms in TRAINING)
    recipe = ("--recipe", "fine-tune", "--start", start, "--steps", STEPS, *PRECISION)
    mimir("train", *data, *recipe, "--output", work / "run")
    if (work / "module" / "module.json").exists():
        return
    calibration = ("--calibration", work / CALIBRATION.name)
    mimir("package", work / "run", *calibration, "--eight-bit", "--output", work / "module")


def compare(phantoms: Cohort, work: Path, start: Path) -> str:
    """Measure fresh phantoms with both modules; tell the difference of errors, paired."""
    folder = make_phantoms(phantoms, work)
    old, new = (
        measure_cohort([module], folder, work / f"{phantoms.name}-{name}.npz").predictions
        for name, module in (("old", start), ("new", work / "module"))
    )
    head = ("target", "MAE before", "MAE after", "difference", "better")
    rows = [_row(old, new, place) for place in range(len(old.names))]
    title = f"{len(new):,} fresh phantoms of population {phantoms.population}:"
    return f"{title}\n\n{markdown_table(head, rows, 1)}"


def _row(old: Predictions, new: Predictions, place: int) -> Sequence[str]:
    errors = [np.abs(p.mean[:, place] - p.reference[:, place]) for p in (old, new)]
    difference = errors[1] - errors[0]
    drawn = np.random.default_rng(0).integers(0, len(difference), (RESAMPLES, len(difference)))
    low, high = np.quantile(difference[drawn].mean(axis=1), (0.025, 0.975))
    name = f"{old.names[place]} ({old.units[place]})" if old.units[place] else old.names[place]
    return (
        name,
        *(f"{error.mean():.4g}" for error in errors),
        f"{difference.mean():+.3g} [{low:+.3g}, {high:+.3g}]",
        "yes" if high < 0 else "no" if low > 0 else "not clear",
    )


if __name__ == "__main__":
    main()
