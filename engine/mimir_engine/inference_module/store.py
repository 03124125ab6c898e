"""Adding an inference module to a folder of them: in the engine's own format, or a published one.

A module in our own format is copied file by file: those that its ``module.json`` lists, after their
hashes are compared, and a few texts. A zip is read entry by entry and never extracted.
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Callable, Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.inference_module.folder import (
    MODULE_FILE,
    load_module,
    new_folder,
    verify_module,
)
from mimir_engine.inference_module.format import InferenceModule

#: Copied along where they are there.
TEXTS = ("README.md", "LICENSE", "LICENSE.txt", "NOTICE")
#: Largest file of a module (bytes): a float32 ResNet50 has 94 MB.
MAX_FILE_BYTES = 1 << 30
MAX_ENTRIES = 10_000

#: Opens each file beside a ``module.json``, by its name.
_Files = Mapping[str, Callable[[], IO[bytes]]]


def add_module(
    source: Union[str, Path], destination: Union[str, Path], name: Optional[str] = None
) -> InferenceModule:
    """Add an inference module to a folder of modules: all of it, or nothing.

    Args:
        source: Folder or zip, of the engine's own format or of the published layout.
        destination: Folder of inference modules; the new one becomes a folder in it.
        name: What to call a published one; one of our own format has its name.

    Returns:
        The module as added.

    Raises:
        MimirError: ``SOURCE_MISSING``, ``MODULE_INVALID``, ``MODULE_FILE_MISSING``,
            ``MODULE_DAMAGED``, ``MODULE_EXISTS``, ``OUTPUT_UNWRITABLE``, and for the published
            layout those of ``import_published``.
    """
    source, destination = Path(source), Path(destination)
    if not source.exists():
        raise MimirError("SOURCE_MISSING", f"there is no '{source}'", "Check the path.")
    with _own_files(source) as files:
        if files is not None:
            if name is not None:
                raise MimirError(
                    "WRONG_USE",
                    f"'{source.name}' is an inference module that has its name",
                    "Leave --name out.",
                )
            return _copy(files, destination)
    from mimir_engine.inference_module.import_published import import_published

    return import_published(source, destination, name)


def _copy(files: _Files, destination: Path) -> InferenceModule:
    """Copy a module in our own format to its place, if all of it is as it was written."""
    try:
        destination.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".adding.", dir=destination) as scratch:
            _take(files, MODULE_FILE, Path(scratch))
            module = load_module(scratch)
        listed = [record.file for record in module.files]
        with new_folder(destination / module.name) as made:
            for name in (MODULE_FILE, *listed, *(text for text in TEXTS if text in files)):
                _take(files, name, made)
            verify_module(load_module(made))
    except OSError as error:
        raise MimirError(
            "OUTPUT_UNWRITABLE",
            f"the inference module cannot be added to '{destination}' ({error.strerror})",
            "Make room, or choose another folder by --into.",
        ) from error
    return load_module(destination / module.name)


def _take(files: _Files, name: str, folder: Path) -> None:
    """Copy one file; a declared size may lie, the limit holds for what really comes."""
    if name not in files:
        raise MimirError(
            "MODULE_FILE_MISSING",
            f"{name} is missing beside {MODULE_FILE}",
            "Download the inference module again.",
        )
    left = MAX_FILE_BYTES
    with files[name]() as source, open(folder / name, "wb") as copy:
        while block := source.read(1 << 20):
            left -= len(block)
            if left < 0:
                raise MimirError("MODULE_INVALID", f"{name} is too large for a module's file")
            copy.write(block)


@contextmanager
def _own_files(source: Path) -> Iterator[Optional[_Files]]:
    """The files beside the source's ``module.json``; None where it has none."""
    if source.is_dir():
        here = (source / MODULE_FILE).is_file()
        yield {p.name: _opener(p) for p in source.iterdir() if p.is_file()} if here else None
        return
    try:
        with zipfile.ZipFile(source) as archive:
            yield _own_entries(archive, source.name)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise MimirError(
            "MODULE_INVALID",
            f"'{source.name}' is no zip archive that can be read",
            "Give a folder or a zip archive; download it again if it should be one.",
        ) from error


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: open(path, "rb")


def _own_entries(archive: zipfile.ZipFile, name: str) -> Optional[_Files]:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise MimirError("MODULE_INVALID", f"'{name}' holds too many entries for a module")
    paths = {PurePosixPath(entry.filename): entry for entry in entries if not entry.is_dir()}
    folders = [path.parent for path in paths if path.name == MODULE_FILE]
    if not folders:
        return None
    if len(folders) > 1:
        raise MimirError(
            "MODULE_INVALID", f"'{name}' holds {len(folders)} modules", "Add one at a time."
        )
    return {
        path.name: lambda entry=entry: archive.open(entry)  # type: ignore[misc]
        for path, entry in paths.items()
        if path.parent == folders[0]
    }
