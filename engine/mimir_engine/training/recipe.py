"""Recipes: the settings that a network is trained with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mimir_engine.errors import MimirError


@dataclass(frozen=True)
class Recipe:
    """Settings of a training run; the defaults are the published recipe.

    Attributes:
        start: Initial weights, "imagenet", "random", or "module" for those of a trained network.
        start_sha256: Hash of the module that it starts from; empty without one.
        steps: Optimisation steps.
        batch_size: Images in each step.
        peak_rate: Highest learning rate.
        schedule: "drop" (a tenth of the rate after 80 % of the steps) or "one-cycle"; see
            `learning_rate`.
        max_shift: Largest random shift in pixels.
        water_range: Largest random factor of the water signal in the fat fraction; 1 for none.
        loss_beta: See `gaussian_loss`.
        precision: Arithmetic of the network while it trains: "float32", or "bfloat16" where PyTorch
            deems it safe, with weights and loss in float32; twice as fast on processors with AMX.
    """

    name: str = "published"
    architecture: str = "resnet50"
    start: str = "imagenet"
    start_sha256: str = ""
    steps: int = 10_000
    batch_size: int = 32
    peak_rate: float = 5e-5
    schedule: str = "drop"
    max_shift: int = 16
    water_range: float = 1.0
    loss_beta: float = 0.0
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("start", self.start, ("imagenet", "random", "module")),
            ("schedule", self.schedule, ("drop", "one-cycle")),
            ("precision", self.precision, ("float32", "bfloat16")),
        ):
            if value not in allowed:
                remedy = f"Choose one of {', '.join(allowed)}."
                raise MimirError("RECIPE_INVALID", f"{name} is {value!r}", remedy)
        if min(self.steps, self.batch_size) < 1:
            raise MimirError("RECIPE_INVALID", "no steps or an empty batch", "Give at least 1.")


PUBLISHED = Recipe()

#: A short run without ImageNet weights.
FROM_SCRATCH = Recipe(
    name="from-scratch",
    start="random",
    steps=1_000,
    peak_rate=1e-3,
    schedule="one-cycle",
    max_shift=4,  # 16 may cut 70 mm off neck or knees, and does worse: docs/validation.md
    loss_beta=0.5,
)

#: A smaller network and smaller batches, for cross-validation and first trials.
SHORT = replace(FROM_SCRATCH, name="short", architecture="resnet18", steps=1_200, batch_size=16)

#: Goes on from a trained network, with other or more data.
FINE_TUNE = replace(
    FROM_SCRATCH, name="fine-tune", start="module", steps=500, peak_rate=3e-4, water_range=1.3
)

RECIPES = {recipe.name: recipe for recipe in (PUBLISHED, FROM_SCRATCH, SHORT, FINE_TUNE)}


def learning_rate(recipe: Recipe, step: int) -> float:
    """Compute the rate of a step, counted from 0.

    The published rate falls to a tenth after 8,000 of 10,000 steps. One-cycle rises for a fifth of
    the steps and falls to almost zero, both in straight lines (Smith and Topin,
    "Super-convergence", 2019).
    """
    if recipe.schedule == "drop":
        return recipe.peak_rate * (1.0 if step < 0.8 * recipe.steps else 0.1)
    turns = (0.0, 0.2 * recipe.steps, recipe.steps)
    return recipe.peak_rate * float(np.interp(step, turns, (1 / 25, 1.0, 1e-3)))
