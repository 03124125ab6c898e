"""Paired trials: is each part of the recipes that the published one lacks worth having?

Each trial trains two networks from the same random weights on the same phantoms, with and without
the part, and judges both on the same other phantoms. The trials are small (few steps, small
images) so that there can be several seeds; they compare, they don't tell how good a module gets.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from plan import Plan

from mimir_engine.evaluation.agreement import agreement
from mimir_engine.evaluation.uncertainty import crps
from mimir_engine.training.checkpoint import load_checkpoint
from mimir_engine.training.dataset import phantom_dataset
from mimir_engine.training.fit import Progress, fit
from mimir_engine.training.predict_unseen import predict_dataset
from mimir_engine.training.recipe import PUBLISHED, SHORT, Recipe


@dataclass(frozen=True)
class Trial:
    """One part: what it is called, and the recipes with and without it."""

    part: str
    instead: str
    having: Recipe
    lacking: Recipe


@dataclass(frozen=True)
class Outcome:
    """What lacking the part costs; CRPS in SD of the population, averaged over the targets.

    Attributes:
        crps: Of the networks that have the part, averaged over the seeds.
        added: What it is more without, of each seed.
        lower, upper: 95 % bootstrap interval of the seeds' average, over phantoms.
        r2, r2_without: Average R² over targets and seeds.
    """

    trial: Trial
    crps: float
    added: tuple[float, ...]
    lower: float
    upper: float
    r2: float
    r2_without: float


def trials(plan: Plan) -> tuple[Trial, ...]:
    """All of them. But for the last, images are small from the first step to the last."""
    small = replace(SHORT, steps=plan.trial_steps, image_sizes=((0.0, plan.trial_size),))
    published = {name: getattr(PUBLISHED, name) for name in ("peak_rate", "schedule")}
    growing = replace(SHORT, steps=plan.trial_steps // 2)
    # The time of so many steps on whole images, on two cores.
    whole = replace(SHORT, steps=max(1, plan.trial_steps // 6), image_sizes=())
    return (
        Trial("one cycle up to 0.001", "5e-5, a tenth of it after 80 %", small,
              replace(small, **published)),
        Trial("β = 0.5 in the loss", "β = 0", small, replace(small, loss_beta=0.0)),
        Trial("shifts up to 4 pixels", "up to 16", small,
              replace(small, max_shift=PUBLISHED.max_shift)),
        Trial("small images first", "as many seconds of whole ones", growing, whole),
    )  # fmt: skip


def run_trials(
    plan: Plan, data: Path, folder: Path, tell: Callable[[str, Progress], None]
) -> tuple[Outcome, ...]:
    """Train what has not been trained yet, and judge.

    Args:
        plan: Sizes and seeds.
        data: Folder of the training phantoms.
        folder: Where what the networks say is kept; a killed run goes on.
        tell: Called with a run's name and each of its steps.
    """
    learned = phantom_dataset(data, 0, plan.trial_phantoms)
    last = plan.trial_phantoms + plan.trial_judged
    judged = phantom_dataset(data, plan.trial_phantoms, last)
    scale = learned.targets.std(axis=0, ddof=1)

    def said(recipe: Recipe) -> np.ndarray:
        path = folder / f"{_name(recipe)}.npy"
        if not path.exists():
            _train(recipe, path)
        return np.load(path)

    def _train(recipe: Recipe, path: Path) -> None:
        run = path.with_suffix("")
        fit(learned, run, recipe, lambda step: tell(run.name, step))
        prediction = predict_dataset(load_checkpoint(run), judged)
        with path.with_suffix(".part").open("wb") as file:
            np.save(file, np.stack([prediction.mean, prediction.sd]))
        path.with_suffix(".part").replace(path)
        shutil.rmtree(run)

    outcomes = []
    for trial in trials(plan):
        pairs = [
            (said(replace(trial.having, seed=seed)), said(replace(trial.lacking, seed=seed)))
            for seed in plan.trial_seeds
        ]
        outcomes.append(_outcome(trial, pairs, judged.targets, scale, plan.resamples))
    return tuple(outcomes)


def _name(recipe: Recipe) -> str:
    """Tells all recipes of the trials apart, and the same one from itself never."""
    changed = {name: value for name, value in vars(recipe).items() if value != getattr(SHORT, name)}
    words = "-".join(f"{name}-{value}" for name, value in sorted(changed.items()))
    kept = (c if c.isalnum() or c in ".-_" else "" for c in words)
    return "".join(kept) or "short"


def _outcome(
    trial: Trial,
    pairs: list[tuple[np.ndarray, np.ndarray]],
    reference: np.ndarray,
    scale: np.ndarray,
    resamples: int,
) -> Outcome:
    scores = np.array([[_crps(said, reference, scale) for said in pair] for pair in pairs])
    added = scores[:, 1] - scores[:, 0]  # (seeds, phantoms)
    count = added.shape[1]
    drawn = np.random.default_rng(0).integers(0, count, (resamples, count))
    lower, upper = np.quantile(added.mean(axis=0)[drawn].mean(axis=1), (0.025, 0.975))
    fits = np.mean([[_r2(said[0], reference) for said in pair] for pair in pairs], axis=0)
    return Outcome(
        trial,
        crps=float(scores[:, 0].mean()),
        added=tuple(added.mean(axis=1).tolist()),
        lower=float(lower),
        upper=float(upper),
        r2=float(fits[0]),
        r2_without=float(fits[1]),
    )


def _crps(said: np.ndarray, reference: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Of each phantom, averaged over the targets in SD of the population, float64 (phantoms,)."""
    mean, sd = said
    columns = [crps(reference[:, i], mean[:, i], sd[:, i]) / scale[i] for i in range(len(scale))]
    return np.mean(columns, axis=0)


def _r2(mean: np.ndarray, reference: np.ndarray) -> float:
    """Average R² over the targets."""
    columns = range(mean.shape[1])
    return float(np.mean([agreement(reference[:, i], mean[:, i])["r2"] for i in columns]))
