"""All evidence of docs/validation.md, from nothing.

    python engine/validation --output DIR [--docs DIR] [--small]

Every step is skipped where its result is there already, and goes on where it was killed. With
--docs, the tables are written into validation.md there and the figures into images/ beside it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path

from commands import THREADS, begin_in_training_environment, mimir
from figures import draw_curves, draw_shifts, draw_trials
from measured import Measured, measured
from page import fill
from plan import FULL, SMALL, Plan
from tables import (
    fresh_table,
    made_with,
    of_folds,
    section,
    shift_table,
    summary,
    trial_table,
    write_tables,
)
from trials import Outcome, run_trials

from mimir_engine.cli._progress import duration
from mimir_engine.inference_module import find_module
from mimir_engine.training.identity import PHANTOM

#: Figures of `mimir evaluate` that the page shows.
EVALUATION_FIGURES = ("agreement", "bland-altman", "sparsification")


def main() -> None:
    """Make what is missing, then all tables and figures."""
    begin_in_training_environment()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="where everything is made")
    parser.add_argument("--docs", type=Path, help="folder of validation.md, to be filled")
    parser.add_argument("--small", action="store_true", help="a trial of all steps, in minutes")
    arguments = parser.parse_args()
    plan, work = SMALL if arguments.small else FULL, arguments.output
    make_phantoms(plan, work)
    outcomes = try_recipes(plan, work)
    cross_validate(plan, work)
    package(plan, work)
    found = measure_cohorts(plan, work)
    tables = report(plan, work, outcomes, found)
    if arguments.docs is not None:
        fill(arguments.docs / "validation.md", tables)
        for figure in sorted((work / "figures").glob("*.png")):
            shutil.copy(figure, arguments.docs / "images" / f"validation_{figure.name}")


def make_phantoms(plan: Plan, work: Path) -> None:
    """Images and truth of all cohorts."""
    for cohort in plan.cohorts.values():
        mimir(
            *("phantom", "--projections", "--jobs", THREADS, "--shift", cohort.shift),
            *("--seed", cohort.first_seed, "--count", cohort.count),
            *("--output", work / "data" / cohort.name),
        )


def try_recipes(plan: Plan, work: Path) -> tuple[Outcome, ...]:
    """The paired trials."""
    line = Line()
    outcomes = run_trials(
        plan,
        work / "data" / "training",
        work / "trials",
        lambda name, step: line.show(
            f"{name}: step {step.step}/{step.steps}, {duration(step.remaining_seconds)} left"
        ),
    )
    line.end()
    return outcomes


def cross_validate(plan: Plan, work: Path) -> None:
    """Out-of-fold predictions of all training phantoms, judged as the networks said them."""
    steps = () if plan.steps is None else ("--steps", plan.steps)
    mimir(
        *("crossvalidate", work / "data" / "training", "--folds", plan.folds),
        *("--recipe", "short", *steps, "--device", "cpu", "--output", work / "crossvalidation"),
    )
    if not all(path.exists() for path in evaluation_figures(work)):  # drawn after the tables
        mimir(
            *("evaluate", work / "crossvalidation" / "out_of_fold.csv", "--groups", "sex"),
            *("--bootstrap", plan.resamples, "--output", work / "evaluation"),
        )


def evaluation_figures(work: Path) -> list[Path]:
    """Those of `EVALUATION_FIGURES`; all targets of the phantoms are on each one's first sheet."""
    return [work / "evaluation" / "figures" / f"{name}-1.png" for name in EVALUATION_FIGURES]


def package(plan: Plan, work: Path) -> None:
    """The folds' networks as modules, and the shipped module calibrated anew."""
    data = work / "data" / "calibration"
    for name, folder in modules(plan, work).items():
        if (folder / "module.json").exists():
            continue
        if name == "phantom":
            identity = work / "identity.json"
            identity.write_text(json.dumps(asdict(PHANTOM)), encoding="utf-8")
            source = ("--recalibrate", find_module("phantom").folder, "--identity", identity)
            mimir("package", *source, "--calibration", data, "--output", folder)
        else:
            source = (work / "crossvalidation" / name, "--images", data)
            calibration = work / "crossvalidation"
            mimir("package", *source, "--calibration", calibration, "--output", folder)


def modules(plan: Plan, work: Path) -> dict[str, Path]:
    """Folders of the modules by name: those of the folds, then the shipped one."""
    names = [f"fold-{fold}" for fold in range(1, plan.folds + 1)]
    return {name: work / "modules" / name for name in (*names, "phantom")}


def measure_cohorts(plan: Plan, work: Path) -> dict[str, dict[str, Measured]]:
    """By networks and cohort: what they say of phantoms that neither they nor calibration saw."""
    *folds, shipped = modules(plan, work).values()
    line = Line()
    found = {
        networks: {
            cohort: measured(
                folders,
                work / "data" / cohort,
                work / "measured" / f"{networks}-{cohort}.npz",
                lambda done, total, of=f"{networks}, {cohort}": line.show(
                    f"{of}: {done}/{total} phantoms measured"
                ),
            )
            for cohort in plan.judged
        }
        for networks, folders in (("folds", folds), ("shipped", [shipped]))
    }
    line.end()
    return found


def report(
    plan: Plan,
    work: Path,
    outcomes: tuple[Outcome, ...],
    found: dict[str, dict[str, Measured]],
) -> dict[str, str]:
    """Tables by name, written as files; figures beside them."""
    evaluation = (work / "evaluation" / "metrics.md").read_text(encoding="utf-8")
    fresh = {networks: cohorts["fresh"] for networks, cohorts in found.items()}
    tables = {
        "made-with": made_with(),
        "trials": trial_table(outcomes, plan.trial_judged),
        "agreement": of_folds(section(evaluation, "Agreement")),
        "uncertainty": of_folds(section(evaluation, "Uncertainty")),
        "summary": summary(fresh),
        **{f"fresh-{of}": fresh_table(of, f, plan.resamples) for of, f in fresh.items()},
        **{f"shifts-{of}": shift_table(of, cohorts) for of, cohorts in found.items()},
    }
    write_tables(work / "tables", tables)
    figures = work / "figures"
    draw_trials(figures / "trials.png", outcomes)
    draw_curves(figures / "curves.png", fresh)
    draw_shifts(figures / "shifts.png", found)
    for name, path in zip(EVALUATION_FIGURES, evaluation_figures(work)):
        shutil.copy(path, figures / f"{name}.png")
    print(tables["summary"])
    return tables


class Line:
    """One line on the screen that changes, at most every second."""

    def __init__(self) -> None:
        self._shown = 0.0

    def show(self, text: str) -> None:
        """Show it in the place of the last one."""
        if time.monotonic() - self._shown > 1.0:
            self._shown = time.monotonic()
            print(f"\r{text:<100}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """What follows begins a new line."""
        if self._shown:
            print(file=sys.stderr)


if __name__ == "__main__":
    main()
