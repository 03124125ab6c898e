"""Name a study after its source, and recognise UK Biobank's file names."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mimir_engine.source.file_kind import without_archive_suffix
from mimir_engine.source.open_source import StudySource

#: UK Biobank's bulk file name: participant, field 20201, visit, array index. Participants have
#: seven digits, and phantoms of large seeds up to ten. Both are numbers, without zeros before.
_UK_BIOBANK_NAME = re.compile(r"^([1-9]\d{6,9})_20201_(0|[1-9]\d?)_\d+$", re.ASCII)
#: The same of any field, with the suffix.
_UK_BIOBANK_FILE = re.compile(r"^\d{7}_(\d{3,6})_\d+_\d+\.zip$", re.IGNORECASE | re.ASCII)
#: The field of the neck-to-knee Dixon MRI.
DIXON_FIELD = "20201"

#: Name of a study instead of its own.
ANONYMOUS_NAME = re.compile(r"study_[0-9]{4,9}")


def anonymous_name(number: int) -> str:
    """Return the name of the study with a number.

    Examples:
        >>> anonymous_name(12)
        'study_0012'
    """
    return f"study_{number:04d}"


def source_name(source: StudySource) -> str:
    """Return the name of an archive (without its suffix) or folder; empty for a list of files."""
    if not isinstance(source, (str, Path)):
        return ""
    name = os.path.basename(os.path.abspath(source))
    stem = without_archive_suffix(name)
    return stem[:-4] if stem.lower().endswith(".dcm") else stem


def uk_biobank_field(file_name: str) -> str:
    """Return the field of a bulk file of UK Biobank; empty for any other name.

    Examples:
        >>> uk_biobank_field("6000000_20203_2_0.zip"), uk_biobank_field("scan_4.zip")
        ('20203', '')
    """
    match = _UK_BIOBANK_FILE.match(file_name)
    return match.group(1) if match else ""


def uk_biobank_ids(name: str) -> tuple[str, str]:
    """Return participant (eid) and visit (instance) of a name ``<eid>_20201_<instance>_0``.

    Both are empty for any other name.
    """
    match = _UK_BIOBANK_NAME.match(name)
    return (match.group(1), match.group(2)) if match else ("", "")
