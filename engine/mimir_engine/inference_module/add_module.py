"""Add an inference module, in the engine's own format or a published one, to a folder of modules.

A module in the engine's own format is copied file by file: those that its ``module.json`` lists,
whose hashes are compared, and a few texts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file, output_errors
from mimir_engine.files.folder_lock import name_lock
from mimir_engine.inference_module.folder import (
    damaged,
    load_module,
    new_folder,
    parse_module,
    verify_module,
)
from mimir_engine.inference_module.format import MAX_JSON_BYTES, InferenceModule
from mimir_engine.inference_module.search_path import MODULE_FILE
from mimir_engine.inference_module.source_files import SourceFile, folders_with, open_source
from mimir_engine.inference_module.target import INVALID

#: Texts that are copied along if they exist.
TEXTS = ("README.md", "LICENSE", "LICENSE.txt", "NOTICE")
#: Size of each text in bytes.
MAX_TEXT_BYTES = 1 << 20
#: Size of one network's weights in bytes: in 64 bits, a ResNet50 of 1,000 targets has 222 million.
MAX_WEIGHTS_BYTES = 256 << 20
#: Size of all files of a module in bytes: twenty networks in 32 bits.
MAX_MODULE_BYTES = 2 << 30


def add_module(
    source: Union[str, Path], destination: Union[str, Path], name: Optional[str] = None
) -> InferenceModule:
    """Add an inference module to a folder of modules, atomically.

    A module that is there already stays, and its damaged files are restored.

    Args:
        source: Folder or zip, of the engine's own format or of the published layout.
        destination: Folder of inference modules; the new one becomes a folder in it.
        name: Name of a published module; one in the engine's own format has a name.

    Raises:
        MimirError: ``SOURCE_MISSING``, ``MODULE_INVALID``, ``MODULE_FILE_MISSING``,
            ``MODULE_DAMAGED``, ``MODULE_EXISTS`` if another module has its name,
            ``OUTPUT_IN_USE``, ``OUTPUT_UNWRITABLE``, and for the published layout those of
            ``import_published``.
    """
    return add_or_keep_module(source, destination, name)[0]


def add_or_keep_module(
    source: Union[str, Path], destination: Union[str, Path], name: Optional[str] = None
) -> tuple[InferenceModule, bool]:
    """Add an inference module as `add_module`; also return whether it was there already."""
    source, destination = Path(source), Path(destination)
    if not os.path.exists(source):
        raise MimirError("SOURCE_MISSING", f"'{source}' does not exist", "Check the path.")
    with open_source(source, INVALID) as files:
        folders = folders_with(files, MODULE_FILE)
        if source.is_dir():
            folders = [folder for folder in folders if folder == PurePosixPath()]
        if len(folders) > 1:
            raise MimirError(
                INVALID, f"'{source.name}' contains {len(folders)} modules", "Add one at a time."
            )
        if folders:
            if name is not None:
                raise MimirError(
                    "WRONG_USE",
                    f"'{source.name}' is an inference module that already has a name",
                    "Leave --name out.",
                )
            beside = {p.name: file for p, file in files.items() if p.parent == folders[0]}
            return _copy(beside, destination, source.name)
    from mimir_engine.inference_module.import_published import import_or_keep_published

    return import_or_keep_published(source, destination, name)


def _copy(
    files: Mapping[str, SourceFile], destination: Path, source: str
) -> tuple[InferenceModule, bool]:
    """Copy a module in the engine's own format if its files match their hashes."""
    with output_errors(destination):
        destination.mkdir(parents=True, exist_ok=True)
    description = files[MODULE_FILE].read(MAX_JSON_BYTES)
    module = parse_module(description, source)
    texts = [name for name in TEXTS if name in files]
    _check_files(module, files, texts)
    folder = destination / module.name
    with name_lock(folder):
        is_there = _has_description(folder, description)
        if is_there and _is_intact(folder):
            return load_module(folder), True
        with new_folder(folder, overwrite=is_there) as new:
            with atomic_file(new / MODULE_FILE) as file:
                file.write(description)
            for listed in module.files:
                if files[listed.file].copy(new / listed.file) != listed.sha256:
                    raise damaged(module, listed.file)
            for name in texts:
                files[name].copy(new / name)
        return load_module(folder), False


def _check_files(
    module: InferenceModule, files: Mapping[str, SourceFile], texts: list[str]
) -> None:
    """Refuse a module with files that are missing or too large, before any is copied."""
    for listed in module.files:
        if listed.file not in files:
            raise MimirError(
                "MODULE_FILE_MISSING",
                f"{listed.file} is missing beside {MODULE_FILE}",
                "Download the inference module again.",
            )
        files[listed.file].check_size(MAX_WEIGHTS_BYTES)
    for name in texts:
        files[name].check_size(MAX_TEXT_BYTES)
    if sum(files[listed.file].size for listed in module.files) > MAX_MODULE_BYTES:
        raise MimirError(
            INVALID,
            f"the files of {module.name} are larger than {MAX_MODULE_BYTES >> 30} GB together",
            "Use fewer networks, or store their weights in 8 bits.",
        )


def _has_description(folder: Path, description: bytes) -> bool:
    """Return whether the folder's ``module.json`` is this one, and so lists the same hashes."""
    try:
        return (folder / MODULE_FILE).read_bytes() == description
    except OSError:
        return False


def _is_intact(folder: Path) -> bool:
    try:
        verify_module(load_module(folder))
    except MimirError:
        return False
    return True
