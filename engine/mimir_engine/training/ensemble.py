"""Combine the networks of training runs into one inference module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, Target
from mimir_engine.inference_module.architecture import expected_shapes
from mimir_engine.training.checkpoint import Checkpoint, load_checkpoint, unreadable
from mimir_engine.training.identity import Identity, module_fields
from mimir_engine.training.standardisation import Standardisation


def combine_runs(
    folders: Sequence[Path], identity: Identity
) -> tuple[InferenceModule, list[dict[str, torch.Tensor]]]:
    """Build the uncalibrated module of finished runs, and the weights of its networks.

    Raises:
        MimirError: ``TRAINING_UNFINISHED``, ``RUNS_DIFFER`` for networks of different kinds, and
            the errors of `load_checkpoint`.
    """
    runs = _load_runs(folders)
    # The scales of folds differ a little.
    scale = Standardisation(
        mean=np.mean([run.standardisation.mean for run in runs], axis=0),
        sd=np.mean([run.standardisation.sd for run in runs], axis=0),
    )
    training = [
        {"data": run.provenance, "fingerprint": run.fingerprint, "recipe": asdict(run.recipe)}
        for run in runs
    ]
    targets = tuple(
        Target(**asdict(definition), mean=float(mean), sd=float(sd))
        for definition, mean, sd in zip(runs[0].definitions, scale.mean, scale.sd)
    )
    module = InferenceModule(
        architecture=runs[0].recipe.architecture,
        projection=runs[0].projection,
        targets=targets,
        **module_fields(identity, {"training": training}),
    )
    return module, [_rescaled(run, scale) for run in runs]


def select_targets(
    module: InferenceModule, weights: Sequence[dict[str, torch.Tensor]], names: Sequence[str]
) -> tuple[InferenceModule, list[dict[str, torch.Tensor]]]:
    """Return the module and its networks with the outputs of some targets only."""
    at = [index for index, target in enumerate(module.targets) if target.name in names]
    selected = [
        {
            **state,
            **{
                name: state[name].unflatten(0, (-1, 2))[at].flatten(0, 1)
                for name in ("fc.weight", "fc.bias")
            },
        }
        for state in weights
    ]
    return replace(module, targets=tuple(module.targets[index] for index in at)), selected


def _load_runs(folders: Sequence[Path]) -> list[Checkpoint]:
    runs = [load_checkpoint(folder) for folder in folders]
    for folder, run in zip(folders, runs):
        _check_network(folder, run)
        if not run.finished:
            raise MimirError(
                "TRAINING_UNFINISHED",
                f"a run has done {run.step} of {run.recipe.steps} steps",
                "Let `mimir train` or `mimir crossvalidate` finish it.",
            )
    kinds = [(run.definitions, run.projection, run.recipe.architecture) for run in runs]
    for folder, kind in zip(folders, kinds):
        if kind != kinds[0]:
            raise MimirError(
                "RUNS_DIFFER",
                f"{folder.name} has other targets, another projection or another architecture"
                f" than {folders[0].name}",
                "Train an ensemble's networks alike, with other seeds or on other folds.",
            )
    return runs


def _check_network(folder: Path, run: Checkpoint) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in run.network.items()}
    try:
        if shapes == expected_shapes(run.recipe.architecture, len(run.definitions)):
            return
    except MimirError as error:
        raise unreadable(folder, error) from error
    raise unreadable(folder, ValueError("its network is not that of its recipe"))


def _rescaled(run: Checkpoint, scale: Standardisation) -> dict[str, torch.Tensor]:
    """Convert the run's weights to outputs in another standardisation.

    Exact: with the run's own mean mu' and SD sd', the last layer's mean m' becomes
    (m' sd' + mu' - mu) / sd and its log-variance grows by 2 log(sd' / sd).
    """
    state = run.network
    ratio = torch.from_numpy(run.standardisation.sd / scale.sd)
    shift = torch.from_numpy((run.standardisation.mean - scale.mean) / scale.sd)
    # Copies in double precision; the second axis is mean and log-variance of each target.
    weight = state["fc.weight"].to(torch.float64, copy=True).view(len(ratio), 2, -1)
    bias = state["fc.bias"].to(torch.float64, copy=True).view(len(ratio), 2)
    weight[:, 0] *= ratio[:, None]
    bias[:, 0] = bias[:, 0] * ratio + shift
    bias[:, 1] += 2 * ratio.log()
    kind = state["fc.weight"].dtype
    last = {"fc.weight": weight.flatten(0, 1).to(kind), "fc.bias": bias.flatten().to(kind)}
    return {**state, **last}
