"""Save and load the state of a training run: safetensors with JSON in the header.

Tensors are ``network/<name>``, ``optimiser/<parameter>/<name>``, ``mean`` and ``sd``; all else is
one JSON text in the header. Nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import safe_open

from mimir_engine.cohort.images.image_folder import TargetDefinition
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.json_file import from_json, to_json
from mimir_engine.inference_module.weights import check_header_size
from mimir_engine.training.recipe import Recipe
from mimir_engine.training.standardisation import Standardisation

#: Version of the file's format.
SCHEMA = 2
FILE_NAME = "checkpoint.safetensors"
#: What versions before 0.6 wrote.
EARLIER_FILE_NAME = "checkpoint.pt"
#: Key of the JSON text in the header.
METADATA_KEY = "mimir"
NETWORK, OPTIMISER = "network/", "optimiser/"
DTYPES = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything needed to resume a run, or to package a finished one.

    Attributes:
        step: Steps done. The order of studies, the shifts and the learning rate follow from recipe
            and step, so no random state is kept.
        finished: The batch-norm statistics are settled, the network is final.
        network: State dict of the network.
    """

    recipe: Recipe
    step: int
    finished: bool
    network: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    definitions: tuple[TargetDefinition, ...]
    standardisation: Standardisation
    projection: str
    fingerprint: str
    provenance: dict[str, Any]


@dataclass(frozen=True)
class _Description:
    """The JSON of a checkpoint's header."""

    schema: int
    recipe: Recipe
    step: int
    finished: bool
    definitions: tuple[TargetDefinition, ...]
    projection: str
    fingerprint: str
    provenance: Mapping[str, Any]
    groups: tuple[Mapping[str, Any], ...]


def has_checkpoint(folder: Path) -> bool:
    """Return whether a run was begun in the folder, by this or an earlier version."""
    return any((folder / name).exists() for name in (FILE_NAME, EARLIER_FILE_NAME))


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the folder's checkpoint atomically.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    description = _Description(
        schema=SCHEMA,
        recipe=checkpoint.recipe,
        step=checkpoint.step,
        finished=checkpoint.finished,
        definitions=checkpoint.definitions,
        projection=checkpoint.projection,
        fingerprint=checkpoint.fingerprint,
        provenance=checkpoint.provenance,
        groups=tuple(checkpoint.optimiser.get("param_groups", ())),
    )
    tensors = {
        "mean": torch.from_numpy(checkpoint.standardisation.mean),
        "sd": torch.from_numpy(checkpoint.standardisation.sd),
        **{NETWORK + name: tensor for name, tensor in checkpoint.network.items()},
        **{
            f"{OPTIMISER}{index}/{name}": tensor
            for index, state in checkpoint.optimiser.get("state", {}).items()
            for name, tensor in state.items()
        },
    }
    with atomic_file(folder / FILE_NAME) as file:
        _write(file, tensors, json.dumps(to_json(description), allow_nan=False))


def _write(file: BinaryIO, tensors: Mapping[str, torch.Tensor], text: str) -> None:
    """Write safetensors one tensor at a time: safetensors' own writer takes two more copies."""
    ordered = sorted(tensors.items(), key=lambda item: -item[1].element_size())  # aligned
    header: dict[str, Any] = {"__metadata__": {METADATA_KEY: text}}
    end = 0
    for name, tensor in ordered:
        start, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    table = json.dumps(header).encode("ascii")
    table += b" " * (-len(table) % 8)
    file.write(len(table).to_bytes(8, "little") + table)
    for _, tensor in ordered:
        raw = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        file.write(memoryview(raw.numpy()))


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        MimirError: ``CHECKPOINT_UNREADABLE``.
    """
    path = folder / FILE_NAME
    if not path.exists() and (folder / EARLIER_FILE_NAME).exists():
        raise MimirError(
            "CHECKPOINT_UNREADABLE",
            f"an earlier version of MIMIR made the checkpoint of {folder.name}",
            "Finish the run with that version, or start again in an empty folder.",
        )
    try:
        check_header_size(path)
        with safe_open(str(path), framework="pt") as file:
            description = _description((file.metadata() or {})[METADATA_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _checkpoint(description, tensors)
    except Exception as error:  # whatever hostile content makes safetensors, JSON and torch raise
        raise unreadable(folder, error) from error


def _description(text: str) -> _Description:
    values = json.loads(text)
    json.dumps(values, allow_nan=False)  # refuses NaN and infinity, however they are written
    description = from_json(values, _Description)
    if description.schema != SCHEMA:
        raise ValueError(f"schema {description.schema}, expected {SCHEMA}")
    if not 0 <= description.step <= description.recipe.steps:
        raise ValueError(f"step {description.step} of {description.recipe.steps}")
    return description


def _checkpoint(description: _Description, tensors: dict[str, torch.Tensor]) -> Checkpoint:
    mean, sd = tensors.pop("mean"), tensors.pop("sd")
    for scale in (mean, sd):
        if scale.shape != (len(description.definitions),) or scale.dtype != torch.float64:
            raise ValueError("mean or SD has another form")
        if not torch.isfinite(scale).all():
            raise ValueError("mean or SD is not finite")
    network: dict[str, torch.Tensor] = {}
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(NETWORK):
            network[name[len(NETWORK) :]] = tensor
        elif name.startswith(OPTIMISER):
            index, _, part = name[len(OPTIMISER) :].partition("/")
            state.setdefault(int(index), {})[part] = tensor
        else:
            raise ValueError(f"unknown tensor {name[:40]!r}")
    return Checkpoint(
        recipe=description.recipe,
        step=description.step,
        finished=description.finished,
        network=network,
        optimiser={"state": state, "param_groups": [_group(g) for g in description.groups]},
        definitions=description.definitions,
        standardisation=Standardisation(mean.numpy().copy(), sd.numpy().copy()),
        projection=description.projection,
        fingerprint=description.fingerprint,
        provenance=dict(description.provenance),
    )


def _group(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter group with its tuples, such as ``betas``, which JSON has as lists."""
    return {
        name: tuple(value) if isinstance(value, list) and name != "params" else value
        for name, value in values.items()
    }


def unreadable(folder: Path, error: Exception) -> MimirError:
    """Make the error about a folder's checkpoint that cannot be read or used."""
    return MimirError(
        "CHECKPOINT_UNREADABLE",
        f"{folder.name} has no readable checkpoint ({error})",
        "Start again in an empty folder.",
    )
