"""Detect whether a study's files have changed since they were measured."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mimir_engine.fusion.fused_folder import FusedFolder, Source
from mimir_engine.source.folder_files import folders_below
from mimir_engine.source.open_source import StudySource

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Fingerprint:
    """Place and state of a study's files.

    Attributes:
        place: Hash of the absolute path of the archive or folder, whose folders may be named after
            patients; empty for a list of files. A path, as ledgers of version 0.2 have it, is
            turned into its hash.
        content: Hash of name, size and modification time of each file. Their bytes are not read.
    """

    place: str
    content: str

    def __post_init__(self) -> None:
        if self.place and not _HASH.fullmatch(self.place):
            digest = sha256(self.place.encode("utf-8", "surrogatepass")).hexdigest()
            object.__setattr__(self, "place", digest)


def fingerprint(source: Source) -> Fingerprint:
    """Compute the fingerprint of a study as it is now; a missing file is recorded as missing."""
    if isinstance(source, FusedFolder):
        source = source.path
    is_path = isinstance(source, (str, Path))
    digest = sha256()
    for name, path in sorted(_files(source)):
        digest.update(f"{name}\0{_state(path)}\n".encode("utf-8", "surrogatepass"))
    return Fingerprint(os.path.abspath(str(source)) if is_path else "", digest.hexdigest())


def _files(source: StudySource) -> list[tuple[str, str]]:
    """List each file and its name within the study; links to folders are followed."""
    if not isinstance(source, (str, Path)):
        return [file for path in source for file in _files(str(path))]
    root = str(source)
    if not os.path.isdir(root):
        return [(os.path.basename(root), root)]
    paths = (
        os.path.join(folder.path, name) for folder in folders_below(root) for name in folder.files
    )
    return [(path[len(root) :].replace(os.sep, "/").lstrip("/"), path) for path in paths]


def _state(path: str) -> str:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return "missing"
    return f"{status.st_size}\0{status.st_mtime_ns}"
