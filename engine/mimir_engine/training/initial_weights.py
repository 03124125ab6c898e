"""Weights that a training starts from: ImageNet's, or those of a trained network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

import torch

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, module_sha256, verify_module
from mimir_engine.inference_module.architecture import expected_shapes
from mimir_engine.inference_module.weights import load_weights
from mimir_engine.training.dataset import Dataset
from mimir_engine.training.identity import training_runs
from mimir_engine.training.recipe import Recipe


def imagenet_weights(architecture: str) -> dict[str, torch.Tensor]:
    """Load torchvision's weights for ImageNet, without the last layer.

    Raises:
        MimirError: ``IMAGENET_UNAVAILABLE`` if they are neither cached nor downloadable.
    """
    from torchvision.models import get_model_weights

    try:
        weights = get_model_weights(architecture).DEFAULT.get_state_dict(check_hash=True)
    except (OSError, RuntimeError) as error:
        raise MimirError(
            "IMAGENET_UNAVAILABLE",
            f"the recipe starts from torchvision's weights for {architecture}, which cannot be"
            f" downloaded ({type(error).__name__})",
            "Train from random weights: --recipe from-scratch with a graphics card, --recipe short"
            " on a processor. The published recipe does not suit random weights.",
        ) from error
    return {name: value for name, value in weights.items() if not name.startswith("fc.")}


def module_weights(
    recipe: Recipe, targets: Sequence[str], module: Optional[InferenceModule]
) -> dict[str, torch.Tensor]:
    """Load the weights of a module's first network.

    Its last layer is left out if the module has other targets.

    Raises:
        MimirError: ``START_MISMATCH`` without the module that the recipe names, or with one of
            another architecture; and the errors of verifying and loading a module.
    """
    if module is None or module_sha256(module) != recipe.start_sha256:
        fault = "another module than the one the run began with, or none"
    elif module.architecture != recipe.architecture:
        fault = f"a {module.architecture}, not a {recipe.architecture}"
    else:
        verify_module(module)
        shapes = expected_shapes(module.architecture, len(module.targets))
        weights = load_weights(module.folder / module.weights[0].file, shapes)
        is_same = [target.name for target in module.targets] == list(targets)
        kept = [name for name in weights if is_same or not name.startswith("fc.")]
        return {name: torch.from_numpy(weights[name]) for name in kept}
    raise MimirError("START_MISMATCH", f"the module to start from is {fault}", "Give another one.")


def with_start(dataset: Dataset, module: InferenceModule) -> Dataset:
    """Note in the provenance of the data which module the training starts from.

    What that module learned from is not new to the network: it cannot serve for calibration.
    """
    learned = sorted(learned_from(training_runs(module)))
    start = {"name": module.name, "version": module.version, "fingerprints": learned}
    return replace(dataset, provenance={**dataset.provenance, "start": start})


def learned_from(runs: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the fingerprints of all data that networks learned from, also at their start."""
    own = {str(run.get("fingerprint", "")) for run in runs}
    starts = (run.get("data", {}).get("start", {}) for run in runs)
    return own.union(*(map(str, start.get("fingerprints", ())) for start in starts)) - {""}
