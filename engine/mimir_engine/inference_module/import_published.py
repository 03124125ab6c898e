"""Import published inference modules: a folder or zip of text files and a torch snapshot.

The text files have one line per target, all in the order of the network's outputs:

- ``metadata.txt``: header ``Name,Field,Unit,Divisor``, then these four; nothing is quoted;
- ``standardization_parameters.txt``: a header line, then ``mean,sd`` in the network's unit;
- ``calibration_factors.txt``: header ``calibration_factor``, then the variance factors;
- ``snapshot.pth.tar``: ``torch.save`` of ``{iteration, state_dict, optimizer}``.

All files are untrusted: a zip is read entry by entry with limits and never extracted, and the
snapshot is read by `mimir_engine.torch_file`, which runs nothing in it and needs no torch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.folder_lock import name_lock
from mimir_engine.files.leftovers import sweep_leftovers, temporary_folder
from mimir_engine.files.optional_packages import is_installed, require
from mimir_engine.inference_module.acceptance import UK_BIOBANK
from mimir_engine.inference_module.architecture import expected_shapes
from mimir_engine.inference_module.folder import load_module, verify_module, write_module
from mimir_engine.inference_module.format import MODULE_NAME, InferenceModule
from mimir_engine.inference_module.published_targets import (
    NON_NEGATIVE_UNITS,
    find_published,
    implausible_mean,
)
from mimir_engine.inference_module.source_files import (
    Files,
    SourceFile,
    folders_with,
    open_source,
)
from mimir_engine.inference_module.target import INVALID, Target, names_sex
from mimir_engine.torch_file import Tensor, TorchFile, open_torch_file

CODE = "PUBLISHED_MODULE_INVALID"

METADATA = "metadata.txt"
STANDARDIZATION = "standardization_parameters.txt"
CALIBRATION = "calibration_factors.txt"
SNAPSHOT = "snapshot.pth.tar"

MAX_TEXT_BYTES = 1 << 20
MAX_TARGETS = 1_000

#: Types of a snapshot's weights, and of its counts.
FLOATS = ("float64", "float32", "float16", "bfloat16")
INTEGERS = ("int64", "int32")


def import_published(
    source: Union[str, Path], destination: Union[str, Path], name: Optional[str] = None
) -> InferenceModule:
    """Convert a published module to a folder of the engine's own format.

    Args:
        source: Folder or zip; the files may lie in one folder inside it.
        destination: Folder of inference modules; the new one becomes a folder in it.
        name: Name of the module and its folder; by default that of the source without
            ``module_`` and extension.

    Raises:
        MimirError: ``PUBLISHED_MODULE_INVALID`` for the files, ``MODULE_INVALID`` for the values in
            them, ``PUBLISHED_MODULE_IMPLAUSIBLE`` if means and catalogue disagree,
            ``MODULE_EXISTS`` if another module has its name, ``SNAPSHOT_UNSAFE``,
            ``SNAPSHOT_UNREADABLE``, ``WEIGHTS_NOT_FINITE``, ``EXTRA_MISSING``,
            ``OUTPUT_IN_USE``, ``OUTPUT_UNWRITABLE``.
    """
    return import_or_keep_published(source, destination, name)[0]


def import_or_keep_published(
    source: Union[str, Path], destination: Union[str, Path], name: Optional[str] = None
) -> tuple[InferenceModule, bool]:
    """Convert a module as `import_published`; also return whether it was there already."""
    source, destination = Path(source), Path(destination)
    name = name or re.sub(r"^module_", "", source.name if source.is_dir() else source.stem)
    if not MODULE_NAME.fullmatch(name):
        raise MimirError(INVALID, f"{name[:60]!r} is not a valid name", "Choose a --name.")
    with open_source(source, CODE) as all_files:
        files = _only_folder(all_files, source)
        module = InferenceModule(
            name=name,
            version="",
            title=f"Published module {name}",
            description="Trained on UK Biobank's neck-to-knee MRI; validated on nothing else.",
            architecture="resnet50",
            projection="mimir-2021",
            accepts=UK_BIOBANK,
            targets=_read_targets(files),
            licence="not stated in the published files",
        )
        _check_plausible(module.targets)
        if not is_installed("network"):
            require("onnx", "writing weights needs safetensors")
        state_dict, provenance = _read_snapshot(files, len(module.targets), destination)
    module = replace(
        module,
        version=f"snapshot-{provenance['snapshot_sha256'][:12]}",
        provenance={"layout": "published", "source": source.name, **provenance},
    )
    folder = destination / name
    with name_lock(folder):
        found = _same_module(folder, module)
        if found is not None:
            return found, True
        return write_module(folder, module, [state_dict]), False


def _same_module(folder: Path, module: InferenceModule) -> Optional[InferenceModule]:
    """Return the module in a folder if it is intact and this one, from whatever source."""
    try:
        found = load_module(folder)
        verify_module(found)
    except MimirError:
        return None
    same = replace(found, folder=module.folder, weights=module.weights)
    provenance = {**found.provenance, "source": module.provenance["source"]}
    return found if replace(same, provenance=provenance) == module else None


def _only_folder(files: Files, source: Path) -> dict[str, SourceFile]:
    """Return the files of the only folder with a published module, by name."""
    folders = folders_with(files, METADATA)
    if len(folders) != 1:
        raise MimirError(
            CODE,
            f"'{source.name}' contains {len(folders) or 'no'} {METADATA}, not one",
            "Give the folder or zip archive of one published module.",
        )
    found = {path.name: file for path, file in files.items() if path.parent == folders[0]}
    for name in (STANDARDIZATION, CALIBRATION, SNAPSHOT):
        if name not in found:
            raise MimirError(
                CODE, f"the file {name} is missing", "Download the published module again."
            )
    return found


def _read_targets(files: Mapping[str, SourceFile]) -> tuple[Target, ...]:
    """Read the three text files."""
    metadata = _read_rows(files, METADATA, 4)
    scales = _read_rows(files, STANDARDIZATION, 2)
    factors = _read_rows(files, CALIBRATION, 1)
    if not len(metadata) == len(scales) == len(factors):
        raise MimirError(
            CODE,
            f"{METADATA}, {STANDARDIZATION} and {CALIBRATION} describe {len(metadata)},"
            f" {len(scales)} and {len(factors)} targets",
        )
    lines = zip(metadata, scales, factors)
    return tuple(_target(*row, *scale, *factor) for row, scale, factor in lines)


def _read_rows(files: Mapping[str, SourceFile], name: str, columns: int) -> list[list[str]]:
    """Return the cells of a file's lines after its header."""
    content = files[name].read(MAX_TEXT_BYTES)
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise MimirError(CODE, f"{name} is not UTF-8 text") from error
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if line.strip()]
    if not rows or len(rows) > MAX_TARGETS + 1:
        raise MimirError(CODE, f"{name} has {len(rows)} lines")
    header, rows = rows[0], rows[1:]
    if _is_number(header[-1]):
        raise MimirError(CODE, f"{name} must begin with a header, not with numbers")
    for index, row in enumerate(rows):
        if len(row) != columns:
            raise MimirError(
                CODE, f"line {index + 2} of {name} has {len(row)} values instead of {columns}"
            )
    return rows


def _target(
    name: str, field: str, unit: str, divisor: str, mean: str, sd: str, factor: str
) -> Target:
    """Build one target; a slash means "none" in the published files."""
    field, unit = field.replace("/", ""), "" if unit == "/" else unit
    is_sex = names_sex(name, field)
    known = find_published(name, field)
    return Target(
        name=name,
        ukb_field=field,
        unit=unit,
        divisor=_number(divisor, METADATA),
        mean=_number(mean, STANDARDIZATION),
        sd=_number(sd, STANDARDIZATION),
        variance_factor=_number(factor, CALIBRATION),
        kind="class" if is_sex else "quantity",
        non_negative=not is_sex and (known is not None or unit in NON_NEGATIVE_UNITS),
    )


def _number(text: str, name: str) -> float:
    if not _is_number(text) or not math.isfinite(float(text)):
        raise MimirError(CODE, f"{name} contains {text[:40]!r}, not a number")
    return float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_plausible(targets: Sequence[Target]) -> None:
    """Refuse a module whose means are unlike those of the published cohort."""
    for target in targets:
        mean = target.mean / target.divisor
        if known := implausible_mean(target.name, target.ukb_field, mean):
            raise MimirError(
                "PUBLISHED_MODULE_IMPLAUSIBLE",
                f"the mean {target.name} of the training data is {mean:.4g} {target.unit}, but"
                f" about {known.typical_value:.3g} {known.unit} is expected",
                f"Check divisor and unit in {METADATA}.",
            )


def _read_snapshot(
    files: Mapping[str, SourceFile], target_count: int, scratch: Path
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read the snapshot, by a copy in `scratch`; return the state dict and its provenance."""
    with output_errors(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
        sweep_leftovers(scratch)
        with temporary_folder(scratch) as folder:
            digest = files[SNAPSHOT].copy(folder / SNAPSHOT)
            with open_torch_file(folder / SNAPSHOT) as snapshot:
                content = snapshot.content if isinstance(snapshot.content, dict) else {}
                weights = _read_weights(snapshot, content.get("state_dict"), target_count)
    iteration = content.get("iteration")
    return weights, {
        "snapshot_sha256": digest,
        "iteration": iteration if type(iteration) is int and abs(iteration) < 1 << 53 else None,
    }


def _read_weights(
    snapshot: TorchFile, state_dict: object, target_count: int
) -> dict[str, np.ndarray]:
    """Read the weights if they are those of a ResNet50 with two outputs per target."""
    if not isinstance(state_dict, dict):
        raise MimirError(CODE, f"{SNAPSHOT} contains no state_dict")
    shapes = expected_shapes("resnet50", target_count)
    for name in shapes.keys() - state_dict.keys():
        raise MimirError(CODE, f"{SNAPSHOT} has no {name}, so it is not a ResNet50")
    for name in state_dict.keys() - shapes.keys():
        raise MimirError(CODE, f"{SNAPSHOT} contains {str(name)[:60]!r}, unlike a ResNet50")
    for name, shape in shapes.items():
        _check_tensor(name, state_dict[name], shape)
    with np.errstate(over="ignore"):  # numbers beyond float32 become infinite, refused later
        return {
            name: snapshot.array(tensor).astype(np.float32 if shapes[name] else np.int64)
            for name, tensor in state_dict.items()
        }


def _check_tensor(name: str, tensor: object, shape: tuple[int, ...]) -> None:
    """Refuse what is no tensor of this shape: of floats, or of an integer for a single number."""
    if not isinstance(tensor, Tensor) or tensor.dtype not in (FLOATS if shape else INTEGERS):
        raise MimirError(CODE, f"{name} of {SNAPSHOT} is not a tensor of the expected type")
    if tensor.shape != shape:
        raise MimirError(
            CODE, f"{name} of {SNAPSHOT} has the shape {tensor.shape}, but {shape} is expected"
        )
