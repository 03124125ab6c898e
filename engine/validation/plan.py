"""How much is made, and from which seeds: all numbers that the evidence depends on."""

from __future__ import annotations

from dataclasses import dataclass

SHIFTS = ("noise", "bodies", "contrast")


@dataclass(frozen=True)
class Cohort:
    """Phantoms of consecutive seeds. None of them serves twice; see docs/training.md."""

    name: str
    first_seed: int
    count: int
    shift: str = "none"


@dataclass(frozen=True)
class Plan:
    """Attributes:
    training: Phantoms of the cross-validation; the shipped module was trained on the same.
    calibration: Phantoms that the shipped module is calibrated on.
    fresh: Phantoms that calibrations are judged on. shifted: those of each shift.
    folds: Of the cross-validation.
    steps: Of its training runs; None is the recipe's own number.
    trial_phantoms, trial_judged: Rows of `training` that each run of a paired experiment learns
        from, and the following rows that it is judged on.
    trial_steps, trial_size, trial_seeds: Steps of such a run, side of its images in pixels, seeds.
    resamples: Of all bootstraps.
    """

    training: int = 4_000
    calibration: int = 4_000
    fresh: int = 4_000
    shifted: int = 500
    folds: int = 5
    steps: int | None = None
    trial_phantoms: int = 1_500
    trial_judged: int = 600
    trial_steps: int = 240
    trial_size: int = 64
    trial_seeds: tuple[int, ...] = (0, 1)
    resamples: int = 1_000

    @property
    def cohorts(self) -> dict[str, Cohort]:
        """By name. Seeds from 2,000,000 to 2,999,999 are those of `phantom_module.py`."""
        cohorts = (
            Cohort("training", 0, self.training),
            Cohort("calibration", 4_000, self.calibration),
            Cohort("fresh", 3_000_000, self.fresh),
            *(Cohort(shift, 3_100_000, self.shifted, shift) for shift in SHIFTS),
        )
        return {cohort.name: cohort for cohort in cohorts}

    @property
    def judged(self) -> tuple[str, ...]:
        """Names of the cohorts that no network and no calibration has seen."""
        return ("fresh", *SHIFTS)


FULL = Plan()

#: Runs through everything in a minute or two. What comes out means nothing.
SMALL = Plan(
    training=36,
    calibration=50,
    fresh=12,
    shifted=6,
    folds=2,
    steps=2,
    trial_phantoms=24,
    trial_judged=12,
    trial_steps=2,
    trial_seeds=(0,),
    resamples=20,
)
