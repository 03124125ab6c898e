"""Save and load the state of a training run: safetensors with JSON in the header.

Tensors are ``network/<name>`` of the state dict and ``optimiser/<parameter>/<part>`` of Adam; all
else is one JSON text. Nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from safetensors import safe_open

from mimir_engine.cohort.images.image_folder import TargetDefinition
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.json_file import parse_json, to_json
from mimir_engine.inference_module.source_files import MAX_FILE_BYTES
from mimir_engine.inference_module.weights import MAX_HEADER_BYTES, check_header_size
from mimir_engine.training.recipe import Recipe
from mimir_engine.training.standardisation import Standardisation

#: Version of the file's format; 1 was pickled.
SCHEMA_VERSION = 2
FILE_NAME = "checkpoint.safetensors"
#: What MIMIR up to version 0.6.0 wrote.
EARLIER_FILE_NAME = "checkpoint.pt"
#: Key of the JSON text in the header.
METADATA_KEY = "mimir"
NETWORK, OPTIMISER = "network/", "optimiser/"
#: The types of its tensors, by safetensors' names.
DTYPES = {torch.float32: "F32", torch.int64: "I64"}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything needed to resume a run, or to package a finished one.

    Attributes:
        step: Steps done. The order of studies, the shifts and the learning rate follow from recipe
            and step, so no random state is kept.
        finished: The batch-norm statistics are settled, the network is final.
        network: State dict of the network.
        optimiser: Adam's tensors by ``<parameter>/<part>``; its settings follow from the recipe.
    """

    recipe: Recipe
    step: int
    finished: bool
    network: dict[str, torch.Tensor]
    optimiser: dict[str, torch.Tensor]
    definitions: tuple[TargetDefinition, ...]
    standardisation: Standardisation
    projection: str
    fingerprint: str
    provenance: dict[str, Any]


@dataclass(frozen=True)
class _Description:
    """The JSON of a checkpoint: all but its tensors."""

    recipe: Recipe
    step: int
    finished: bool
    definitions: tuple[TargetDefinition, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    projection: str
    fingerprint: str
    provenance: dict[str, Any]

    def __post_init__(self) -> None:
        if not 0 <= self.step <= self.recipe.steps:
            raise ValueError(f"step {self.step} of {self.recipe.steps}")
        if not len(self.mean) == len(self.sd) == len(self.definitions) or min(self.sd) <= 0:
            raise ValueError("means and SDs are not those of the targets")


#: Fields that checkpoint and description share.
_SHARED = tuple(_Description.__annotations__.keys() & Checkpoint.__annotations__.keys())


def has_checkpoint(folder: Path) -> bool:
    """Return whether a run was begun in the folder, by this or an earlier version."""
    return any((folder / name).exists() for name in (FILE_NAME, EARLIER_FILE_NAME))


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the folder's checkpoint atomically.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``, also if the data set's description is too long.
    """
    description = _Description(
        mean=tuple(checkpoint.standardisation.mean.tolist()),
        sd=tuple(checkpoint.standardisation.sd.tolist()),
        **{name: getattr(checkpoint, name) for name in _SHARED},
    )
    values = {"schema_version": SCHEMA_VERSION, **to_json(description)}
    named = ((NETWORK, checkpoint.network), (OPTIMISER, checkpoint.optimiser))
    tensors = {kind + name: tensor for kind, part in named for name, tensor in part.items()}
    with atomic_file(folder / FILE_NAME) as file:
        _write(file, tensors, json.dumps(values, allow_nan=False))


def _write(file: BinaryIO, tensors: Mapping[str, torch.Tensor], text: str) -> None:
    """Write safetensors one tensor after the other: the library's writer copies them all first."""
    # The largest elements first: each tensor begins at a multiple of its element.
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))
    table: dict[str, Any] = {"__metadata__": {METADATA_KEY: text}}
    end = 0
    for name, tensor in ordered:
        start, end = end, end + tensor.nbytes
        entry = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape)}
        table[name] = {**entry, "data_offsets": [start, end]}
    header = json.dumps(table).encode()
    header += b" " * (-len(header) % 8)
    if len(header) > MAX_HEADER_BYTES:
        raise MimirError(
            "OUTPUT_UNWRITABLE",
            "the data set's description is too long for a checkpoint",
            "Shorten the provenance in its dataset.json.",
        )
    file.write(len(header).to_bytes(8, "little") + header)
    for _, tensor in ordered:
        file.write(tensor.cpu().contiguous().numpy().data)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint; whether its tensors are those of a network is left to who uses them.

    Raises:
        MimirError: ``CHECKPOINT_UNREADABLE``.
    """
    path = folder / FILE_NAME
    if not path.exists() and (folder / EARLIER_FILE_NAME).exists():
        raise MimirError(
            "CHECKPOINT_UNREADABLE",
            f"MIMIR 0.6.0 or earlier made the checkpoint of {folder.name}",
            "Finish and package the run with MIMIR 0.6.0, or start again in an empty folder.",
        )
    try:
        check_header_size(path)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"it is larger than {MAX_FILE_BYTES >> 20} MB")
        with safe_open(str(path), framework="pt") as file:
            text = (file.metadata() or {})[METADATA_KEY]
            # Copies: Windows replaces no file that is mapped.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        return _checkpoint(text, tensors)
    except Exception as error:  # whatever hostile content makes safetensors, JSON and torch raise
        raise unreadable(folder, error) from error


def _checkpoint(text: str, tensors: Mapping[str, torch.Tensor]) -> Checkpoint:
    description = parse_json(
        text.encode(), "its JSON", _Description, "CHECKPOINT_UNREADABLE", (SCHEMA_VERSION,)
    )
    parts: dict[str, dict[str, torch.Tensor]] = {NETWORK: {}, OPTIMISER: {}}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition("/")
        if tensor.dtype not in DTYPES or not torch.isfinite(tensor).all():
            raise ValueError(f"{name[:40]!r} has another type or is not finite")
        parts[kind + "/"][rest] = tensor
    return Checkpoint(
        network=parts[NETWORK],
        optimiser=parts[OPTIMISER],
        standardisation=Standardisation(np.array(description.mean), np.array(description.sd)),
        **{name: getattr(description, name) for name in _SHARED},
    )


def unreadable(folder: Path, error: Exception) -> MimirError:
    """Make the error about a folder's checkpoint that cannot be read or used."""
    what = error.what if isinstance(error, MimirError) else error
    return MimirError(
        "CHECKPOINT_UNREADABLE",
        f"{folder.name} has no readable checkpoint ({what})",
        "Start again in an empty folder.",
    )
