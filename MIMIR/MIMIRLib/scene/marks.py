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
