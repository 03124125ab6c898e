"""Add an inference module, in the engine's own format or a published one, to a folder of modules.

A module in the engine's own format is copied file by file: those that its ``module.json`` lists,
after their hashes are compared, and a few texts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.folder import load_module, new_folder, verify_module
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.search_path import MODULE_FILE
from mimir_engine.inference_module.source_files import (
    Opener,
    copy_limited,
    folders_with,
    open_source,
)
from mimir_engine.inference_module.target import INVALID

#: Texts that are copied along if they exist.
TEXTS = ("README.md", "LICENSE", "LICENSE.txt", "NOTICE")


def add_module(
    source: Union[str, Path], destination: Union[str, Path], name: Optional[str] = None
) -> InferenceModule:
    """Add an inference module to a folder of modules, atomically.

    Args:
        source: Folder or zip, of the engine's own format or of the published layout.
        destination: Folder of inference modules; the new one becomes a folder in it.
        name: Name of a published module; one in the engine's own format has a name.

    Raises:
        MimirError: ``SOURCE_MISSING``, ``MODULE_INVALID``, ``MODULE_FILE_MISSING``,
            ``MODULE_DAMAGED``, ``MODULE_EXISTS``, ``OUTPUT_UNWRITABLE``, and for the published
            layout those of ``import_published``.
    """
    source, destination = Path(source), Path(destination)
    if not source.exists():
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
            beside = {p.name: opener for p, opener in files.items() if p.parent == folders[0]}
            return _copy(beside, destination)
    from mimir_engine.inference_module.import_published import import_published

    return import_published(source, destination, name)


def _copy(files: Mapping[str, Opener], destination: Path) -> InferenceModule:
    """Copy a module in the engine's own format if its files match their hashes."""
    try:
        destination.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".adding.", dir=destination) as scratch:
            _copy_file(files, MODULE_FILE, Path(scratch))
            module = load_module(scratch)
        listed = [file.file for file in module.files]
        with new_folder(destination / module.name) as new:
            for name in (MODULE_FILE, *listed, *(text for text in TEXTS if text in files)):
                _copy_file(files, name, new)
            verify_module(load_module(new))
    except OSError as error:
        raise MimirError(
            "OUTPUT_UNWRITABLE",
            f"the inference module cannot be added to '{destination}' ({error.strerror})",
            "Free some space, or choose another folder with --into.",
        ) from error
    return load_module(destination / module.name)


def _copy_file(files: Mapping[str, Opener], name: str, folder: Path) -> None:
    if name not in files:
        raise MimirError(
            "MODULE_FILE_MISSING",
            f"{name} is missing beside {MODULE_FILE}",
            "Download the inference module again.",
        )
    copy_limited(files[name], folder / name, INVALID)
