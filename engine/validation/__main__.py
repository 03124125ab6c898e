"""Make all results of docs/validation.md from nothing.

    python engine/validation --output DIR [--docs DIR] [--small]

Steps that are done are skipped, and a killed step is resumed. With --docs, the tables are written
into validation.md in that folder, and the figures into images/ beside it.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from commands import THREADS, mimir, restart_in_training_environment
from direct_measurements import direct_table
from figures import draw_curves, draw_trials
from measured_cohort import MeasuredCohort, measure_cohort
from other_scanners import other_scanners
from page import copy_figures, fill
from plan import FULL, REALISTIC, SMALL, UNSEEN, Plan
from profile_tables import profile_tables
from scan_check_tables import check_tables
from scan_checks import try_all
from tables import (
    fresh_table,
    made_with,
    of_folds,
    section,
    shift_table,
    size_table,
    summary,
    trial_table,
)
from trials import Outcome, run_trials

from mimir_engine.inference_module import find_module

#: Figures of `mimir evaluate` that the page shows.
EVALUATION_FIGURES = ("agreement", "bland-altman", "sparsification")


def main() -> None:
    """Make all missing results, then all tables and figures."""
    restart_in_training_environment()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of all results")
    parser.add_argument("--docs", type=Path, help="folder of validation.md to fill")
    parser.add_argument(
        "--small", action="store_true", help="run all steps in minutes, with few phantoms"
    )
    arguments = parser.parse_args()
    plan, work = SMALL if arguments.small else FULL, arguments.output
    make_phantoms(plan, work)
    outcomes = run_trials(plan, work / "data" / "training", work / "trials")
    cross_validate(plan, work)
    package(plan, work)
    found = measure_cohorts(plan, work)
    direct = direct_table(plan, work / "direct")
    outcomes_of_checks = try_all(work / "checks", arguments.small)
    checks = {**check_tables(outcomes_of_checks), **profile_tables(outcomes_of_checks)}
    others = other_scanners(work / "other-scanners", work / "figures", arguments.small)
    tables = {**report(plan, work, outcomes, found), "direct": direct, **checks, **others}
    if arguments.docs is not None:
        fill(arguments.docs / "validation.md", tables)
        copy_figures(work / "figures", arguments.docs)


def make_phantoms(plan: Plan, work: Path) -> None:
    """Make images and truth of all cohorts."""
    for cohort in plan.cohorts.values():
        mimir(
            *("phantom", "--projections", "--population", cohort.population, "--jobs", THREADS),
            *("--seed", cohort.first_seed, "--count", cohort.count, "--shift", cohort.shift),
            *("--output", work / "data" / cohort.name),
        )


def cross_validate(plan: Plan, work: Path) -> None:
    """Make out-of-fold predictions of all training phantoms; evaluate them uncalibrated."""
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
    """Paths of `EVALUATION_FIGURES`; the first sheet of each shows all targets."""
    return [work / "evaluation" / "figures" / f"{name}-1.png" for name in EVALUATION_FIGURES]


def package(plan: Plan, work: Path) -> None:
    """Package the folds' networks as modules."""
    for folder in folds(plan, work):
        if (folder / "module.json").exists():
            continue
        calibration = work / "crossvalidation"
        source = (calibration / folder.name, "--images", work / "data" / "calibration")
        # All targets are reported, also those that a small run does not learn.
        options = ("--calibration", calibration, "--output", folder, "--keep-worthless")
        mimir("package", *source, *options)


def folds(plan: Plan, work: Path) -> list[Path]:
    """Return the folders of the folds' modules."""
    return [work / "modules" / f"fold-{fold}" for fold in range(1, plan.folds + 1)]


def measure_cohorts(plan: Plan, work: Path) -> dict[str, dict[str, MeasuredCohort]]:
    """Measure the unseen cohorts with the folds' networks and with the shipped module."""
    folders_of = {"folds": folds(plan, work), "shipped": [find_module("phantom").folder]}
    cohorts_of = {"folds": UNSEEN, "shipped": (REALISTIC,)}
    return {
        networks: {
            cohort: measure_cohort(
                folders, work / "data" / cohort, work / "measured" / f"{networks}-{cohort}.npz"
            )
            for cohort in cohorts_of[networks]
        }
        for networks, folders in folders_of.items()
    }


def report(
    plan: Plan,
    work: Path,
    outcomes: tuple[Outcome, ...],
    found: dict[str, dict[str, MeasuredCohort]],
) -> dict[str, str]:
    """Write the tables and draw the figures; return the tables by name."""
    evaluation = (work / "evaluation" / "metrics.md").read_text(encoding="utf-8")
    fresh = {"folds": found["folds"]["fresh"], "shipped": found["shipped"][REALISTIC]}
    tables = {
        "made-with": made_with(),
        "trials": trial_table(outcomes, plan.trial_judged),
        "agreement": of_folds(section(evaluation, "Agreement")),
        "uncertainty": of_folds(section(evaluation, "Uncertainty")),
        "summary": summary(fresh),
        **{f"fresh-{of}": fresh_table(of, f, plan.resamples) for of, f in fresh.items()},
        "by-size": size_table(fresh["shipped"]),
        "shifts-folds": shift_table(found["folds"]),
    }
    (work / "tables").mkdir(exist_ok=True)
    for name, text in tables.items():
        (work / "tables" / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    figures = work / "figures"
    draw_trials(figures / "trials.png", outcomes)
    draw_curves(figures / "curves.png", fresh["shipped"])
    for name, path in zip(EVALUATION_FIGURES, evaluation_figures(work)):
        shutil.copy(path, figures / f"{name}.png")
    print(tables["summary"])
    return tables


if __name__ == "__main__":
    main()
