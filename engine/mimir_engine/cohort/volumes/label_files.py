"""Find the label map of each study in a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Optional

from mimir_engine.cohort.sources import NamedSource
from mimir_engine.errors import MimirError
from mimir_engine.files.file_names import safe_file_name
from mimir_engine.fusion.volume_pair import VOLUME_SUFFIXES

#: What may follow the name of a study: nothing, or the word that `mimir phantom` writes.
_WORDS = ("", ".labels")


def with_labels(sources: Sequence[NamedSource], folder: Path) -> list[NamedSource]:
    """Give each study the label map that is named after it, if there is one.

    Args:
        sources: The studies; one that has a label map keeps it.
        folder: Holds maps like ``NAME.nii.gz`` or ``NAME.labels.nii.gz``; also ``.nii``, ``.nrrd``.

    Raises:
        MimirError: ``LABELS_MISSING`` if there is no such folder.
    """
    if not folder.is_dir():
        raise MimirError(
            "LABELS_MISSING", f"there is no folder '{folder}'", "Check the path of --labels."
        )
    return [
        source if source.labels else replace(source, labels=_label_map(source.name, folder))
        for source in sources
    ]


def _label_map(name: str, folder: Path) -> Optional[Path]:
    stems = dict.fromkeys((safe_file_name(name), name if os.path.basename(name) == name else ""))
    names = [f"{s}{word}{end}" for s in stems if s for word in _WORDS for end in VOLUME_SUFFIXES]
    return next((folder / file for file in names if (folder / file).is_file()), None)
