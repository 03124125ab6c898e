"""Detect whether a study's files have changed since they were measured."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Optional

from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.fusion.image_source import Source, paths_of
from mimir_engine.fusion.volume_files.sidecar import sidecar_paths
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.source.folder_files import folders_below

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Fingerprint:
    """Place and state of a study's files.

    Attributes:
        place: Hash of the absolute path of the archive, folder or water volume, whose folders may
            be named after patients; empty for a list of files. A path, as ledgers of version 0.2
            have it, is turned into its hash.
        content: Hash of name, size and modification time of each file. Their bytes are not read.
    """

    place: str
    content: str

    def __post_init__(self) -> None:
        if self.place and not _HASH.fullmatch(self.place):
            digest = sha256(self.place.encode("utf-8", "surrogatepass")).hexdigest()
            object.__setattr__(self, "place", digest)

    @classmethod
    def from_json(cls, fields: Any) -> Fingerprint:
        """Read what ``dataclasses.asdict`` and JSON made of a fingerprint.

        Raises:
            TypeError: These are not the fields of a fingerprint.
        """
        found = cls(**fields)
        if not isinstance(found.place, str) or not isinstance(found.content, str):
            raise TypeError("a fingerprint is two texts")
        return found


def fingerprint(source: Source, labels: Optional[Path] = None) -> Fingerprint:
    """Compute the fingerprint of a study as it is now; a missing file is recorded as missing."""
    return fingerprint_and_state(source, labels)[0]


def fingerprint_and_state(source: Source, labels: Optional[Path] = None) -> tuple[Fingerprint, str]:
    """Compute a study's fingerprint, and a state that is the same while its files are not touched.

    The state also changes if a file is replaced by one of the same size and modification time. It
    is only to be compared during a run: it changes with a copy on another disk, and with some
    disks when a file that lies in a cloud or on a tape is read for the first time.
    """
    files = [*_files(source), *([("labels", str(labels))] if labels else [])]
    content, state = sha256(), sha256()
    for name, path in sorted(files):
        kept, touched = _state(path)
        content.update(f"{name}\0{kept}\n".encode("utf-8", "surrogatepass"))
        state.update(f"{name}\0{kept}\0{touched}\n".encode("utf-8", "surrogatepass"))
    is_list = not isinstance(source, (str, Path, FusedFolder, VolumePair))
    place = "" if is_list else os.path.abspath(str(paths_of(source)[0]))
    return Fingerprint(place, content.hexdigest()), state.hexdigest()


def _files(source: Source) -> list[tuple[str, str]]:
    """List each file and its name within the study; links to folders are followed."""
    if isinstance(source, VolumePair):
        described = ((path.name, path) for path in sidecar_paths(source.water))
        named = ((contrast.value, path) for contrast, path in source.files())
        return [(name, str(path)) for name, path in (*named, *described)]
    return [file for path in paths_of(source) for file in _files_below(str(path))]


def _files_below(root: str) -> list[tuple[str, str]]:
    if not os.path.isdir(root):
        return [(os.path.basename(root), root)]
    paths = (
        os.path.join(folder.path, name) for folder in folders_below(root) for name in folder.files
    )
    return [(path[len(root) :].replace(os.sep, "/").lstrip("/"), path) for path in paths]


def _state(path: str) -> tuple[str, str]:
    """Return what of a file stays with a copy, and when anything about it was changed last."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return "missing", ""
    # Not the inode: some network file systems number a file anew while it lies there unchanged.
    return f"{status.st_size}\0{status.st_mtime_ns}", str(status.st_ctime_ns)
