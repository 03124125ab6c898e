"""Inference modules on disk: load, write, verify, find.

An inference module is a trained network with its scales, in a folder of its own: ``module.json``
(what it is, its targets, what it accepts, hashes of its files), ``weights*.safetensors`` (several
are an ensemble) and, if shipped, ``statistics.json``, ``features.safetensors`` and texts. Only
``module.json`` is read on loading; :mod:`mimir_engine.measuring.network` reads weights.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.files.json_record import read_record
from mimir_engine.inference_module.features import FeatureStatistics, write_features
from mimir_engine.inference_module.format import (
    MODULE_NAME,
    FeaturesFile,
    InferenceModule,
    StatisticsFile,
    WeightsFile,
    module_from_record,
    module_to_record,
)
from mimir_engine.inference_module.search_path import locate
from mimir_engine.inference_module.statistics import PredictionStatistics, write_statistics
from mimir_engine.inference_module.target import INVALID

if TYPE_CHECKING:
    import torch

MODULE_FILE = "module.json"
STATISTICS_FILE = "statistics.json"
FEATURES_FILE = "features.safetensors"
CARD_FILE = "README.md"
MAX_JSON_BYTES = 4 << 20


def load_module(folder: Union[str, Path], column_prefix: Optional[str] = None) -> InferenceModule:
    """Read and check a module's ``module.json``; no weights are read.

    Args:
        folder: The module's folder.
        column_prefix: Replaces the module's own, to tell two modules' columns apart.

    Raises:
        MimirError: ``MODULE_NOT_FOUND`` or ``MODULE_INVALID``.
    """
    folder = Path(folder)
    path = folder / MODULE_FILE
    if not path.is_file():
        raise MimirError(
            "MODULE_NOT_FOUND",
            f"the folder {folder} holds no {MODULE_FILE}",
            "Give the folder of an inference module.",
        )
    module = module_from_record(read_record(path, INVALID, MAX_JSON_BYTES), folder)
    return module if column_prefix is None else replace(module, column_prefix=column_prefix)


def write_module(
    folder: Union[str, Path],
    module: InferenceModule,
    state_dicts: Sequence[Mapping[str, torch.Tensor]],
    *,
    eight_bit: bool = False,
    statistics: Optional[PredictionStatistics] = None,
    features: Optional[FeatureStatistics] = None,
    card: str = "",
    overwrite: bool = False,
) -> InferenceModule:
    """Write a module's folder: all of it, or nothing.

    Args:
        folder: Folder to make.
        module: Everything but its files and ``folder``, which are set here.
        state_dicts: One network's state dict each; several make an ensemble.
        eight_bit: Store the weights in 8 bits, see :mod:`mimir_engine.inference_module.weights`.
        statistics: Prediction quantiles by sex, to be shipped along.
        features: Statistics of the first network's features, to be shipped along.
        card: What people should know of the module, as Markdown.
        overwrite: Replace the folder if it exists.

    Returns:
        The module as written, loaded from there.

    Raises:
        MimirError: ``MODULE_EXISTS``, ``WEIGHTS_NOT_FINITE``.
    """
    from mimir_engine.inference_module.weights import save_weights

    storage = "int8" if eight_bit else "float32"
    with new_folder(Path(folder), overwrite) as made:
        records = []
        for index, state_dict in enumerate(state_dicts):
            name = f"weights{index + 1 if len(state_dicts) > 1 else ''}.safetensors"
            save_weights(made / name, state_dict, eight_bit=eight_bit)
            records.append(WeightsFile(name, file_sha256(made / name), storage))
        module = replace(module, weights=tuple(records), features_file=None)
        _write_around(made, module, statistics, features, card)
    return load_module(folder)


def write_module_anew(
    folder: Union[str, Path],
    module: InferenceModule,
    *,
    statistics: Optional[PredictionStatistics] = None,
    features: Optional[FeatureStatistics] = None,
    card: str = "",
    overwrite: bool = False,
) -> InferenceModule:
    """Write a module again around the same files of weights, to the last byte of them.

    Whatever else lies in its folder comes along; of features without new ones, the old.

    Args:
        folder: Folder to make; the module's own to replace it.
        module: As it shall be, still with the folder and files that it has.
        statistics: As :func:`write_module`; without, the new module has none.
        features: As :func:`write_module`.
        card: As :func:`write_module`.
        overwrite: Replace the folder if it exists.

    Raises:
        MimirError: ``MODULE_EXISTS``, ``MODULE_DAMAGED``, ``MODULE_FILE_MISSING``.
    """
    verify_module(module)
    with new_folder(Path(folder), overwrite) as made:
        for file in module.folder.iterdir():
            if file.is_file() and file.name not in (MODULE_FILE, STATISTICS_FILE):
                shutil.copyfile(file, made / file.name)
        _write_around(made, module, statistics, features, card)
    return load_module(folder)


def _write_around(
    made: Path,
    module: InferenceModule,
    statistics: Optional[PredictionStatistics],
    features: Optional[FeatureStatistics],
    card: str,
) -> None:
    """Write everything but the weights, and check that it can be read."""
    module = replace(module, statistics_file=None)
    if statistics is not None:
        write_statistics(made / STATISTICS_FILE, statistics)
        digest = file_sha256(made / STATISTICS_FILE)
        module = replace(module, statistics_file=StatisticsFile(STATISTICS_FILE, digest))
    if features is not None:
        write_features(made / FEATURES_FILE, features)
        digest = file_sha256(made / FEATURES_FILE)
        module = replace(module, features_file=FeaturesFile(FEATURES_FILE, digest))
    if card:
        (made / CARD_FILE).write_text(card, "utf-8")
    text = json.dumps(module_to_record(module), indent=1, ensure_ascii=False, allow_nan=False)
    (made / MODULE_FILE).write_text(text + "\n", "utf-8")
    load_module(made)


def verify_module(module: InferenceModule) -> None:
    """Compare the module's files with the hashes in its ``module.json``.

    Raises:
        MimirError: ``MODULE_FILE_MISSING``, or ``MODULE_DAMAGED`` naming the
            first file that differs.
    """
    for record in module.files:
        if file_sha256(module.folder / record.file) != record.sha256:
            raise MimirError(
                "MODULE_DAMAGED",
                f"{record.file} of the inference module {module.name} is not the file that"
                f" {MODULE_FILE} was written for",
                "Fetch the inference module again.",
            )


def module_sha256(module: InferenceModule) -> str:
    """SHA-256 of ``module.json``; as that lists the hashes of all other files, of the module."""
    return file_sha256(module.folder / MODULE_FILE)


def find_module(
    name_or_folder: Union[str, Path], column_prefix: Optional[str] = None
) -> InferenceModule:
    """Load a module by its folder, or by its name on the search path.

    Examples:
        >>> module = find_module("phantom")
        >>> module.targets[1].name, module.targets[1].unit
        ('height', 'cm')

    Args:
        name_or_folder: A module's folder, or the name of its folder in one of the places.
        column_prefix: See :func:`load_module`.

    Raises:
        MimirError: ``MODULE_NOT_FOUND`` with the modules there are, or ``MODULE_INVALID``.
    """
    text = os.fspath(name_or_folder)
    folders = [Path(text).expanduser()]
    if MODULE_NAME.fullmatch(text):
        folders += [place / text for place in locate().modules]
    for folder in folders:
        if (folder / MODULE_FILE).is_file():
            return load_module(folder, column_prefix)
    known = ", ".join(sorted(path.name for path in module_folders())) or "none"
    raise MimirError(
        "MODULE_NOT_FOUND",
        f"there is no inference module {text!r}",
        f"Give a module's folder or one of the names known here: {known}.",
    )


def find_modules(names: Iterable[str]) -> list[InferenceModule]:
    """Find several modules that can be used side by side.

    Args:
        names: Each a name or folder as for :func:`find_module`; ``NAME=PREFIX`` gives the module's
            columns that prefix.

    Raises:
        MimirError: as :func:`find_module` and :func:`check_columns`.
    """
    modules = []
    for name in names:
        plain, equals, prefix = name.rpartition("=")
        if equals and not Path(name).is_dir():
            modules.append(find_module(plain, prefix))
        else:
            modules.append(find_module(name))
    check_columns(modules)
    return modules


def list_modules() -> tuple[list[InferenceModule], list[MimirError]]:
    """All modules in the places where names are looked up, and what is wrong with the others.

    Of two folders of one name the first in order of lookup counts.
    """
    modules, errors = [], []
    for folder in module_folders():
        try:
            modules.append(load_module(folder))
        except MimirError as error:
            errors.append(error)
    return modules, errors


def check_columns(modules: Sequence[InferenceModule]) -> None:
    """Refuse modules whose results would go by the same name.

    Raises:
        MimirError: ``COLUMN_CONFLICT`` naming the two modules and the first common name.
    """
    owners: dict[str, str] = {}
    for module in modules:
        for name in module.measurement_names:
            if name in owners:
                raise MimirError(
                    "COLUMN_CONFLICT",
                    f"the inference modules {owners[name]} and {module.name} both give {name}",
                    f"Tell them apart by a prefix: {module.name}=PREFIX.",
                )
            owners[name] = module.name


def check_projection(module: InferenceModule, projection: str) -> None:
    """Refuse images of another kind than the module was trained on.

    Raises:
        MimirError: ``PROJECTION_MISMATCH``.
    """
    if module.projection != projection:
        raise MimirError(
            "PROJECTION_MISMATCH",
            f"the inference module {module.name} was trained on the projection"
            f" {module.projection}, not {projection}",
            "Use a module made for this projection.",
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in lower-case hexadecimal.

    Raises:
        MimirError: ``MODULE_FILE_MISSING`` where it cannot be read.
    """
    digest = sha256()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    except OSError as error:
        raise MimirError(
            "MODULE_FILE_MISSING",
            f"{path.name} of {path.parent.name} cannot be read ({error.strerror})",
            "Fetch the inference module again.",
        ) from error
    return digest.hexdigest()


@contextmanager
def new_folder(folder: Path, overwrite: bool = False) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that becomes it when the block ends without an error.

    Raises:
        MimirError: ``MODULE_EXISTS`` where the folder exists and may not be replaced.
    """
    if folder.exists() and not overwrite:
        raise MimirError(
            "MODULE_EXISTS", f"the folder {folder} exists already", "Remove it or choose a name."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        yield made
        if folder.exists():
            folder.rename(Path(scratch) / "replaced")
        made.rename(folder)


def module_folders() -> list[Path]:
    """Folders of modules in the order of lookup, the first of each name.

    Hidden ones are left by additions that were killed.
    """
    found: dict[str, Path] = {}
    for place in locate().modules:
        for path in sorted(place.glob(f"[!.]*/{MODULE_FILE}")):
            found.setdefault(path.parent.name, path.parent)
    return list(found.values())
