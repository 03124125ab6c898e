"""Attributes and names that MIMIR gives to its nodes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from MIMIRLib.translate import tr as _

#: Attributes of nodes: the study they belong to, and their role in it.
STUDY_MARK, ROLE_MARK = "MIMIR.Study", "MIMIR.Role"

WATER, FAT, FRACTION, PROJECTION = "water", "fat", "fraction", "projection"
MEASUREMENTS, CHART, CHART_DATA, SERIES = "measurements", "chart", "chart-data", "series"
PROFILE, PROFILE_DATA, PROFILE_SERIES = "profile", "profile-data", "profile-series"
REGIONS, COHORT = "regions", "cohort"
#: Role of the hidden node that refers to all nodes of a study.
INDEX = "record"

#: First words of a node's name, so that nodes stay recognisable where a tree cuts long names off.
ROLE_WORDS = {
    WATER: _("Water"),
    FAT: _("Fat"),
    FRACTION: _("Fat fraction"),
    PROJECTION: _("Projection"),
    MEASUREMENTS: _("Measurements"),
    CHART: _("Chart"),
    CHART_DATA: _("Chart data"),
    PROFILE: _("Profile"),
    PROFILE_DATA: _("Profile data"),
    REGIONS: _("Parts of the body"),
}
#: Longest name of a node or folder, in characters; file names have up to 255.
MAX_NAME_LENGTH = 120
#: Slicer names files after nodes, and writes the files' names into the scene without escaping them
#: for XML: with an ampersand in a node's name, the saved scene cannot be read again.
REPLACED_IN_NAMES = str.maketrans({**dict.fromkeys("&<>%|^", "_"), "'": "’"})


def study_mark(key: str) -> str:
    """Return a study's key as an attribute's value.

    UIDs are unchanged; in file names, characters that separate fields in Slicer's scene files are
    escaped as in web addresses.
    """
    return quote(key, safe="", errors="surrogatepass")


def node_name(role: str, label: str) -> str:
    """Return the name of a study's node."""
    return f"{ROLE_WORDS[role]} - {label}"


def mark(node: Any, key: str, role: str) -> None:
    """Write on a node which study it belongs to, and its role."""
    node.SetAttribute(STUDY_MARK, study_mark(key))
    node.SetAttribute(ROLE_MARK, role)


def single_line(text: str) -> str:
    """Return text on one line, without characters that Slicer's scene and table files lose.

    Table files separate their columns by tabs and drop double quotes; scene files are XML, which
    has no control characters.
    """
    line = " ".join(text.replace('"', "'").split())
    return "".join(character if character.isprintable() else "?" for character in line)


def name_for_node(text: str) -> str:
    """Return text as a node's name: a single line, fit for a file's name, and not too long."""
    name = single_line(text).translate(REPLACED_IN_NAMES)
    if len(name) <= MAX_NAME_LENGTH:
        return name
    half = MAX_NAME_LENGTH // 2 - 2
    return f"{name[:half]} … {name[-half:]}"
