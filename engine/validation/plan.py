"""Sizes and seeds of the validation: all numbers that its results depend on."""

from __future__ import annotations

from dataclasses import dataclass

SHIFTS = ("noise", "bodies", "contrast")
#: Names of the cohorts that no network and no calibration has seen: those of the cross-validation,
#: and that of the population whose scans the included module is calibrated for.
UNSEEN, REALISTIC = ("fresh", *SHIFTS), "population-2"


@dataclass(frozen=True)
class Cohort:
    """Phantoms of consecutive seeds; seed ranges do not overlap, see docs/training.md."""

    name: str
    first_seed: int
    count: int
    shift: str = "none"
    population: int = 1


@dataclass(frozen=True)
class Plan:
    """Sizes of the validation.

    Attributes:
        training: Phantoms of the cross-validation.
        calibration: Phantoms that the scan profiles of its networks are made of.
        fresh: Phantoms that calibrations are evaluated on.
        realistic: The same of population 2, for the included module.
        shifted: Phantoms of each shift.
        folds: Folds of the cross-validation.
        steps: Steps of its training runs; None for the recipe's own number.
        trial_phantoms: First rows of `training`, which each run of a paired trial learns from.
        trial_judged: Number of following rows, which it is evaluated on.
        trial_steps, trial_seeds: Steps and seeds of such runs.
        resamples: Resamples of all bootstraps.
        direct: Phantoms that direct measurements are compared with.
    """

    training: int = 4_000
    calibration: int = 4_000
    fresh: int = 4_000
    realistic: int = 1_000
    shifted: int = 500
    folds: int = 5
    steps: int | None = None
    trial_phantoms: int = 1_500
    trial_judged: int = 600
    trial_steps: int = 240
    trial_seeds: tuple[int, ...] = (0, 1)
    resamples: int = 1_000
    direct: tuple[Cohort, ...] = (
        Cohort("usual", 3_200_000, 40),
        Cohort("lean", 3_200_100, 12, "lean"),
        Cohort("obese", 3_200_200, 12, "obese"),
    )

    @property
    def cohorts(self) -> dict[str, Cohort]:
        """Cohorts by name. Seeds from 2,000,000 to 2,999,999 are those of `shipped_module.py`."""
        cohorts = (
            Cohort("training", 0, self.training),
            Cohort("calibration", 4_000, self.calibration),
            Cohort("fresh", 3_000_000, self.fresh),
            *(Cohort(shift, 3_100_000, self.shifted, shift) for shift in SHIFTS),
            Cohort(REALISTIC, 3_000_000, self.realistic, population=2),
        )
        return {cohort.name: cohort for cohort in cohorts}


FULL = Plan()

#: Runs all steps in some minutes; the results are meaningless. A calibration on fewer than 100
#: phantoms would give no intervals.
SMALL = Plan(
    training=104,
    calibration=104,
    fresh=12,
    realistic=3,
    shifted=6,
    folds=2,
    steps=2,
    trial_phantoms=24,
    trial_judged=12,
    trial_steps=2,
    trial_seeds=(0,),
    resamples=20,
    direct=(Cohort("usual", 3_200_000, 3), Cohort("obese", 3_200_200, 1, "obese")),
)
