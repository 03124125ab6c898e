"""What MIMIR writes on its nodes, so that people and scripts can tell them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

#: Attributes of nodes: the study they belong to, and what they are of it.
STUDY_MARK, ROLE_MARK = "MIMIR.Study", "MIMIR.Role"

WATER, FAT, FRACTION, PROJECTION = "water", "fat", "fraction", "projection"
MEASUREMENTS, CHART, CHART_DATA, SERIES = "measurements", "chart", "chart-data", "series"
COHORT, COLOURS, RECORD = "cohort", "colours", "record"


def study_mark(key: str) -> str:
    """A study's key as an attribute's value.

    UIDs stay as they are; in file names, characters that separate fields in Slicer's scene files
    are written as in web addresses.
    """
    return quote(key, safe="", errors="surrogatepass")


def mark(node: Any, key: str, role: str) -> None:
    """Write on a node which study it belongs to and what it is of it."""
    node.SetAttribute(STUDY_MARK, study_mark(key))
    node.SetAttribute(ROLE_MARK, role)
