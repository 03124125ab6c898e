"""What MIMIR writes on its nodes, so that people and scripts can tell them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

#: Attributes of nodes: the study they belong to, and what they are of it.
STUDY_MARK, ROLE_MARK = "MIMIR.Study", "MIMIR.Role"

WATER, FAT, FRACTION, PROJECTION = "water", "fat", "fraction", "projection"
MEASUREMENTS, CHART, CHART_DATA, SERIES = "measurements", "chart", "chart-data", "series"
COHORT, COLOURS, RECORD = "cohort", "colours", "record"

#: How a node's name begins, so that nodes can be told apart where a tree cuts long names off.
ROLE_WORDS = {
    WATER: "Water",
    FAT: "Fat",
    FRACTION: "Fat fraction",
    PROJECTION: "Projection",
    MEASUREMENTS: "Measurements",
    CHART: "Chart",
    CHART_DATA: "Chart data",
}


def study_mark(key: str) -> str:
    """A study's key as an attribute's value.

    UIDs stay as they are; in file names, characters that separate fields in Slicer's scene files
    are written as in web addresses.
    """
    return quote(key, safe="", errors="surrogatepass")


def node_name(role: str, label: str) -> str:
    """The name of a study's node."""
    return f"{ROLE_WORDS[role]} - {label}"


def mark(node: Any, key: str, role: str) -> None:
    """Write on a node which study it belongs to and what it is of it."""
    node.SetAttribute(STUDY_MARK, study_mark(key))
    node.SetAttribute(ROLE_MARK, role)


#: Longest name of a node or folder, in characters; file names have up to 255.
LONGEST_NAME = 120
#: Slicer names files after nodes, and writes the files' names into the scene without making them
#: fit for XML: with an ampersand in a node's name, the saved scene cannot be read again.
SPOILS_SCENE = str.maketrans(dict.fromkeys("&<>'%|^", "_"))


def plain(text: str) -> str:
    """Text on one line, without characters that Slicer's scene and table files lose.

    Table files separate their columns by tabs and drop double quotes; scene files are XML, which
    knows no control characters.
    """
    line = " ".join(text.replace('"', "'").split())
    return "".join(character if character.isprintable() else "?" for character in line)


def plain_name(text: str) -> str:
    """A node's name: ``plain``, fit for a file's name, and short enough to be read in a tree."""
    name = plain(text).translate(SPOILS_SCENE)
    if len(name) <= LONGEST_NAME:
        return name
    half = LONGEST_NAME // 2 - 2
    return f"{name[:half]} … {name[-half:]}"
