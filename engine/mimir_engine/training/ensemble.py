"""Several training runs as the networks of one inference module."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Union

import numpy as np
import torch

from mimir_engine.errors import MimirError
from mimir_engine.training.checkpoint import Checkpoint, load_checkpoint
from mimir_engine.training.dataset import Standardisation

StateDict = dict[str, torch.Tensor]


def load_runs(folders: Sequence[Union[str, Path]]) -> tuple[Checkpoint, ...]:
    """The finished runs of an ensemble.

    Raises MimirError TRAINING_UNFINISHED, RUNS_DIFFER where they are no networks of one kind, and
    what `load_checkpoint` raises.
    """
    runs = tuple(load_checkpoint(Path(folder)) for folder in folders)
    for run in runs:
        if not run.finished:
            raise MimirError(
                "TRAINING_UNFINISHED",
                f"a run stands at step {run.step} of {run.recipe.steps}",
                "Let `mimir train` or `mimir crossvalidate` finish it.",
            )
    for folder, run in zip(folders, runs):
        if _kind(run) != _kind(runs[0]):
            raise MimirError(
                "RUNS_DIFFER",
                f"{Path(folder).name} has other targets, another projection or another"
                f" architecture than {Path(folders[0]).name}",
                "An ensemble's networks are trained alike, on other seeds or folds.",
            )
    return runs


def _kind(run: Checkpoint) -> tuple[object, ...]:
    return run.definitions, run.projection, run.recipe.architecture


def common_standardisation(runs: Sequence[Checkpoint]) -> Standardisation:
    """The mean of the runs' means and SDs: those of folds differ a little."""
    return Standardisation(
        mean=np.mean([run.standardisation.mean for run in runs], axis=0),
        sd=np.mean([run.standardisation.sd for run in runs], axis=0),
    )


def shipped_state(run: Checkpoint, standardisation: Standardisation) -> StateDict:
    """The run's weights for outputs in this standardisation.

    Exact: with the run's own mean mu' and SD sd', the last layer's mean m' becomes
    (m' sd' + mu' - mu) / sd and its log-variance grows by 2 log(sd' / sd).
    """
    state = run.network
    ratio = torch.from_numpy(run.standardisation.sd / standardisation.sd)
    shift = torch.from_numpy((run.standardisation.mean - standardisation.mean) / standardisation.sd)
    weight = state["fc.weight"].double()
    bias = state["fc.bias"].double()
    weight = weight.view(len(ratio), 2, -1).clone()  # mean and log-variance of each target
    bias = bias.view(len(ratio), 2).clone()
    weight[:, 0] *= ratio[:, None]
    bias[:, 0] = bias[:, 0] * ratio + shift
    bias[:, 1] += 2 * ratio.log()
    kind = state["fc.weight"].dtype
    return {
        **state,
        "fc.weight": weight.flatten(0, 1).to(kind),
        "fc.bias": bias.flatten().to(kind),
    }
