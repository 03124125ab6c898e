"""Name a study after its source, and recognise UK Biobank's file names."""

from __future__ import annotations

import re
from pathlib import Path

from mimir_engine.study.source import StudySource

#: UK Biobank's bulk file name: participant, field 20201, visit, array index.
_UK_BIOBANK_NAME = re.compile(r"^(\d{7})_20201_(\d+)_\d+$")


def source_name(source: StudySource) -> str:
    """Return the name of an archive (without its suffix) or folder; empty for a list of files."""
    if not isinstance(source, (str, Path)):
        return ""
    path = Path(source)
    return path.stem if path.suffix.lower() in (".zip", ".dcm") else path.resolve().name


def uk_biobank_ids(name: str) -> tuple[str, str]:
    """Return participant (eid) and visit (instance) of a name ``<eid>_20201_<instance>_0``.

    Both are empty for any other name.
    """
    match = _UK_BIOBANK_NAME.match(name)
    return (match.group(1), match.group(2)) if match else ("", "")
