"""Compare the list of files that an archive brings with the files that are there.

UK Biobank's ``manifest.csv`` names each file. Its columns are not reliable: a comma in a
description shifts them. So only words are used: file names, and descriptions that name a contrast.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass

from mimir_engine.errors import MimirError
from mimir_engine.headers.contrast import Contrast, classify
from mimir_engine.source.open_source import Entry

#: Size in bytes of all manifests of a study; those of UK Biobank have some 300 kB.
MAX_MANIFEST_BYTES = 4 * 2**20
#: Characters between the words of a line.
_SEPARATORS = ',;\t"|'
#: End of the name of a DICOM file.
_SUFFIX = ".dcm"


@dataclass(frozen=True)
class Manifest:
    """The text of a list of files, one line per file."""

    text: str

    def absent(self, names: Iterable[str], contrasts: Container[Contrast]) -> list[str]:
        """Return the files of the given contrasts that are listed but absent.

        A line that names no contrast counts; one that names only others does not. If none of them
        is there, the files were renamed, and the list says nothing.

        Args:
            names: Names of the files that are there; folders in front of them are ignored.
            contrasts: Contrasts of interest.
        """
        there = {_base(name) for name in names}
        lines = self.text.lower().splitlines()
        listed = [(name, line) for line in lines if (name := _image_name(line))]
        absent = [name for name, line in listed if name not in there and _shows(line, contrasts)]
        # The text of all lines is only looked at if files are absent.
        was_renamed = absent and not any(
            name in there and _shows(line, contrasts) for name, line in listed
        )
        return [] if was_renamed else absent


def is_manifest(entry: Entry) -> bool:
    """Return whether a file is a manifest, from its name; UK Biobank has written ``.cvs``, too."""
    name = _base(entry.name)
    return "manifest" in name and name.endswith((".csv", ".cvs", ".txt", ".tsv"))


def read_manifest(entry: Entry, room: int = MAX_MANIFEST_BYTES) -> Manifest:
    """Read a manifest; one of more than ``room`` bytes, or that cannot be read, lists nothing."""
    if entry.size > room:
        return Manifest("")
    try:
        content = entry.read(room + 1)
        if len(content) > room:
            return Manifest("")
        is_utf_16 = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        return Manifest(content.decode("utf-16" if is_utf_16 else "utf-8", "replace"))
    except MimirError:
        return Manifest("")


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1].strip().lower()


def _image_name(line: str) -> str:
    """Return the first word of a line in lower case that names a DICOM file, or nothing."""
    first = line.split(",", 1)[0]
    if first.endswith(_SUFFIX) and first[:-4].replace(".", "").isalnum():  # UK Biobank's are UIDs
        return first
    end = line.find(_SUFFIX)
    if end < 0:
        return ""
    start = max(line.rfind(separator, 0, end) for separator in _SEPARATORS) + 1
    return _base(line[start : end + len(_SUFFIX)].lstrip(" '"))


def _shows(line: str, contrasts: Container[Contrast]) -> bool:
    """Return whether the words of a line name one of these contrasts, or none at all."""
    named = _contrasts(line)
    return not named or any(contrast in contrasts for contrast in named)


def _contrasts(line: str) -> set[Contrast]:
    """Return the contrasts that the words of a line name."""
    found = set()
    for word in re.split(f"[{_SEPARATORS}]+", line):
        try:
            contrast = classify({"SeriesDescription": word})
        except MimirError:
            continue
        if contrast is not None:
            found.add(contrast)
    return found
