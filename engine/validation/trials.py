"""Paired trials of each part of the recipes that the published one lacks.

Each trial trains two networks from the same random weights on the same phantoms, with and without
the part, and evaluates both on the same other phantoms. The trials are short so that there can be
several seeds; they compare, they do not show the accuracy of a finished module.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from plan import Plan

from mimir_engine.cli._progress_bar import counted
from mimir_engine.evaluation.agreement import agreement
from mimir_engine.evaluation.uncertainty import crps
from mimir_engine.files.atomic import atomic_file
from mimir_engine.training.batches import scale_water
from mimir_engine.training.checkpoint import load_checkpoint
from mimir_engine.training.dataset import Dataset, load_dataset
from mimir_engine.training.fit import fit
from mimir_engine.training.predict import predict_dataset
from mimir_engine.training.recipe import FINE_TUNE, PUBLISHED, SHORT, Recipe


@dataclass(frozen=True)
class Trial:
    """One part of the recipes: its name, and the recipes with and without it.

    Attributes:
        water: Factor of the water signal in the fat fraction of the phantoms that are judged.
    """

    part: str
    instead: str
    having: Recipe
    lacking: Recipe
    water: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """Effect of one part on the CRPS, in SD of the population, averaged over the targets.

    Attributes:
        crps: CRPS with the part, averaged over the seeds.
        added: Increase of the CRPS without the part, of each seed.
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
    """List the trials."""
    short = replace(SHORT, steps=plan.trial_steps)
    published = {name: getattr(PUBLISHED, name) for name in ("peak_rate", "schedule")}
    varied = replace(short, water_range=FINE_TUNE.water_range)
    return (
        Trial("one cycle up to 0.001", "5e-5, a tenth of it after 80 %", short,
              replace(short, **published)),
        Trial("β = 0.5 in the loss", "β = 0", short, replace(short, loss_beta=0.0)),
        Trial("shifts up to 4 pixels", "up to 16", short,
              replace(short, max_shift=PUBLISHED.max_shift)),
        Trial("water varied by up to 1.3", "as scanned", varied, short),
        Trial("the same, judged with water × 0.8", "as scanned", varied, short, water=0.8),
    )  # fmt: skip


def run_trials(plan: Plan, data: Path, folder: Path) -> tuple[Outcome, ...]:
    """Train and evaluate; runs that are done already are not repeated.

    Args:
        plan: Sizes and seeds.
        data: Folder of the training phantoms.
        folder: Folder of the predictions; a killed run can be resumed.
    """
    dataset, rows = load_dataset(data), np.arange(plan.trial_phantoms + plan.trial_judged)
    learned = dataset.subset(rows[: plan.trial_phantoms])
    judged = dataset.subset(rows[plan.trial_phantoms :])
    scale = learned.targets.std(axis=0, ddof=1)
    waters = {trial.water for trial in trials(plan)}
    seen = {water: _with_water(judged, water) for water in sorted(waters)}

    def predictions(recipe: Recipe, water: float) -> np.ndarray:
        run = folder / _name(recipe)
        path = folder / f"{run.name}.npy"
        if not path.exists():
            with counted("step", run.name) as show:
                fit(learned, run, recipe, lambda step: show(step.step, step.steps))
            with atomic_file(path) as file:
                network = load_checkpoint(run)
                np.save(file, [predict_dataset(network, shown) for shown in seen.values()])
            shutil.rmtree(run)
        return np.asarray(np.load(path)[list(seen).index(water)])

    outcomes = []
    for trial in trials(plan):
        pairs = [
            [
                predictions(replace(recipe, seed=seed), trial.water)
                for recipe in (trial.having, trial.lacking)
            ]
            for seed in plan.trial_seeds
        ]
        outcomes.append(_outcome(trial, pairs, judged.targets, scale, plan.resamples))
    return tuple(outcomes)


def _with_water(dataset: Dataset, factor: float) -> Dataset:
    """Scale the water signal in the fat fraction of all images."""
    images = dataset.read_images(slice(None))
    scaled = scale_water(images, np.full(len(images), factor)) if factor != 1.0 else images
    return replace(dataset, images=scaled, image_rows=np.arange(len(images)))


def _name(recipe: Recipe) -> str:
    """Name a recipe by its differences from `SHORT`."""
    changed = {name: value for name, value in vars(recipe).items() if value != getattr(SHORT, name)}
    words = "-".join(f"{name}-{value}" for name, value in sorted(changed.items()))
    kept = (c if c.isalnum() or c in ".-_" else "" for c in words)
    return "".join(kept) or "short"


def _outcome(
    trial: Trial,
    pairs: list[list[np.ndarray]],
    reference: np.ndarray,
    scale: np.ndarray,
    resamples: int,
) -> Outcome:
    scores = np.array(
        [[_crps(predicted, reference, scale) for predicted in pair] for pair in pairs]
    )
    added = scores[:, 1] - scores[:, 0]  # (seeds, phantoms)
    count = added.shape[1]
    drawn = np.random.default_rng(0).integers(0, count, (resamples, count))
    lower, upper = np.quantile(added.mean(axis=0)[drawn].mean(axis=1), (0.025, 0.975))
    fits = np.mean([[_r2(predicted[0], reference) for predicted in pair] for pair in pairs], axis=0)
    return Outcome(
        trial,
        crps=scores[:, 0].mean(),
        added=tuple(added.mean(axis=1)),
        lower=lower,
        upper=upper,
        r2=fits[0],
        r2_without=fits[1],
    )


def _crps(predicted: np.ndarray, reference: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """CRPS of each phantom, averaged over the targets in SD, float64 ``(phantoms,)``."""
    mean, sd = predicted
    columns = [crps(reference[:, i], mean[:, i], sd[:, i]) / scale[i] for i in range(len(scale))]
    return np.mean(columns, axis=0)


def _r2(mean: np.ndarray, reference: np.ndarray) -> float:
    """Average R² over the targets."""
    columns = range(mean.shape[1])
    return float(np.mean([agreement(reference[:, i], mean[:, i])["r2"] for i in columns]))
