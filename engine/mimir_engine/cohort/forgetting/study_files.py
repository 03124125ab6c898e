"""Files and folders that hold one study each: projections, details, reports, pictures of checks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.file_names import HASH_DIGITS, distinct_file_name, safe_file_name

#: Endings of files that are named by `distinct_file_name`; study folders have none.
_DISTINCT = ("", ".png")
#: Endings of files that are named by `safe_file_name`: reports and fused volumes.
_SAFE = (".html", ".pdf", "_water.nrrd", "_fat.nrrd")


def paths_of(folder: Path, name: str) -> list[Path]:
    """Return the files and folders of one study that are in a folder."""
    names = [f"{distinct_file_name(name)}{ending}" for ending in _DISTINCT]
    names += [f"{safe_file_name(name)}{ending}" for ending in _SAFE]
    return [folder / name for name in names if os.path.lexists(folder / name)]


def names_in(folder: Path) -> Iterator[str]:
    """Yield the names of the studies that files of a folder tell: those of plain characters."""
    with output_errors(folder):
        found = sorted(os.listdir(folder)) if folder.is_dir() else []
    for name in found:
        for ending in _DISTINCT:
            stem = name[: len(name) - len(ending)] if name.endswith(ending) else ""
            study = stem[: -HASH_DIGITS - 1]
            if study and distinct_file_name(study) == stem:
                yield study
        for ending in _SAFE:
            stem = name[: -len(ending)] if name.endswith(ending) else ""
            if stem and safe_file_name(stem) == stem:
                yield stem


def remove_path(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; what is gone already is no error.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``, also for a link: what it leads to would stay.
    """
    if path.is_symlink():
        raise MimirError(
            "OUTPUT_UNWRITABLE",
            f"'{path}' is a link; what it leads to would stay",
            "Remove both by hand, then run the same command again.",
        )
    with output_errors(path):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
