"""How a network is trained, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.training.augmentation import PUBLISHED_MAX_SHIFT


@dataclass(frozen=True)
class Recipe:
    """The defaults are the published recipe, which starts from ImageNet weights.

    steps, batch_size: optimisation steps, and images in each.
    start: "imagenet" or "random" weights.
    peak_rate: the highest learning rate.
    schedule: "drop" (a tenth of the rate after 80 % of the steps) or "one-cycle" (`learning_rate`).
    max_shift: largest random shift in pixels. loss_beta: see `gaussian_loss`.
    image_sizes: pairs of a share of the steps and a size in pixels: from that share on, images are
        shrunk to it. Small images first make most steps many times cheaper ("progressive
        resizing"). The last size is the one that the network is for: the true one in anything that
        is to be packaged. Empty: the true size throughout.
    """

    name: str = "published"
    architecture: str = "resnet50"
    start: str = "imagenet"
    steps: int = 10_000
    batch_size: int = 32
    peak_rate: float = 5e-5
    schedule: str = "drop"
    max_shift: int = PUBLISHED_MAX_SHIFT
    image_sizes: tuple[tuple[float, int], ...] = ()
    loss_beta: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        choices = {
            "start": ("imagenet", "random"),
            "schedule": ("drop", "one-cycle"),
        }
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise MimirError(
                    "RECIPE_INVALID",
                    f"{field} is {getattr(self, field)!r}",
                    f"Choose one of {', '.join(allowed)}.",
                )
        if min(self.steps, self.batch_size) < 1:
            raise MimirError("RECIPE_INVALID", "no steps or an empty batch", "Give at least 1.")


PUBLISHED = Recipe()

# A short run without ImageNet weights: about an hour on two cores.
FROM_SCRATCH = Recipe(
    name="from-scratch",
    start="random",
    steps=1_000,
    peak_rate=1e-3,
    schedule="one-cycle",
    max_shift=4,  # 16 may cut 70 mm off neck or knees, and does worse: docs/validation.md
    image_sizes=((0.0, 64), (0.23, 128), (0.78, 192), (0.89, 256)),
    loss_beta=0.5,
)

# A smaller network and smaller batches, for cross-validation and first trials: some twelve
# minutes on two cores.
SHORT = replace(
    FROM_SCRATCH,
    name="short",
    architecture="resnet18",
    steps=1_200,
    batch_size=16,
    image_sizes=((0.0, 64), (0.3, 128), (0.8, 192), (0.92, 256)),
)

RECIPES = {recipe.name: recipe for recipe in (PUBLISHED, FROM_SCRATCH, SHORT)}

# One-cycle: share of the steps that warm up, and the rates at both ends against the peak.
_WARM_UP = 0.2
_FIRST_RATE = 1 / 25
_LAST_RATE = 1e-3

# Published: the rate falls to a tenth after 8,000 of 10,000 iterations.
_DROP_AFTER = 0.8


def learning_rate(recipe: Recipe, step: int) -> float:
    """The rate of a step (the first is 0); a function of the step alone, so resuming is easy.

    One-cycle rises for a fifth of the steps and falls to almost zero, both in straight lines (Smith
    and Topin, "Super-convergence", 2019).
    """
    if recipe.schedule == "drop":
        return recipe.peak_rate * (1.0 if step < _DROP_AFTER * recipe.steps else 0.1)
    turn = _WARM_UP * recipe.steps
    factors = (_FIRST_RATE, 1.0, _LAST_RATE)
    return recipe.peak_rate * float(np.interp(step, (0.0, turn, recipe.steps), factors))


def image_size(recipe: Recipe, step: int) -> Optional[int]:
    """The size in pixels that the images of a step are shrunk to; None: they stay as they are."""
    sizes = [size for share, size in recipe.image_sizes if step >= share * recipe.steps]
    return sizes[-1] if sizes else None


def remaining_steps(recipe: Recipe, done: int) -> float:
    """How many steps of the last one's duration are left: the time goes with the image's area."""
    work = _work(recipe)
    return float((work[-1] - work[done]) / (work[done] - work[done - 1]))


def all_steps(recipe: Recipe, done: int) -> float:
    """How many steps of the last one's duration the whole run takes."""
    work = _work(recipe)
    return float(work[-1] / (work[done] - work[done - 1]))


@lru_cache(maxsize=4)
def _work(recipe: Recipe) -> np.ndarray:
    """What each number of steps costs, in pixels of an image's side squared, from none to all."""
    areas = [float(image_size(recipe, step) or 1) ** 2 for step in range(recipe.steps)]
    return np.concatenate([[0.0], np.cumsum(areas)])
