"""Tell which parts of the body cannot be measured as a whole, and why."""

from __future__ import annotations

from typing import Optional

from mimir_engine.direct.body import Body
from mimir_engine.direct.parts import (
    LEFT_ARM,
    LEFT_THIGH,
    PART_NAMES,
    RIGHT_ARM,
    RIGHT_THIGH,
    TRUNK,
    Parts,
)

#: Height in mm over which a part may touch the edge of the images and still count as complete.
MAX_AT_EDGE_MM = 20.0
#: Height in mm that an arm in view surpasses.
MIN_ARM_MM = 300.0


def ends_fault(parts: Parts) -> str:
    """Return why the trunk's lower or upper end is not known; empty if both are."""
    if parts.crotch is None:
        return "the legs do not part in view"
    return "the shoulders are not in view" if parts.shoulders is None else ""


def trunk_fault(body: Body, parts: Parts) -> str:
    """Return why the trunk is not complete; empty if it is."""
    return ends_fault(parts) or _edge_fault(body, parts, TRUNK)


def slice_fault(body: Body, parts: Parts, index: Optional[int]) -> str:
    """Return why the trunk is not complete in a slice; empty if it is."""
    if index is None:
        return ends_fault(parts)
    is_cut = (body.at_edge[index] & (parts.labels[index] == TRUNK)).any()
    return f"the {PART_NAMES[TRUNK]} reaches the edge of the images" if is_cut else ""


def thigh_fault(body: Body, parts: Parts, side: int) -> str:
    """Return why the right (0) or left (1) thigh is not complete; empty if it is."""
    if parts.crotch is None:
        return "the legs do not part in view"
    if parts.knees[side] is None:
        return f"the {('right', 'left')[side]} knee is not in view"
    return _edge_fault(body, parts, (RIGHT_THIGH, LEFT_THIGH)[side])


def arms_fault(body: Body, parts: Parts) -> str:
    """Return why the arms are not complete; empty if they are."""
    if parts.shoulders is None:
        return "the shoulders are not in view"
    for arm in (RIGHT_ARM, LEFT_ARM):
        height = (parts.labels == arm).any(axis=1).sum() * body.spacing_mm[2]
        if height < MIN_ARM_MM:
            return f"the {PART_NAMES[arm]} is not in view, or not apart from the trunk"
    return _edge_fault(body, parts, RIGHT_ARM) or _edge_fault(body, parts, LEFT_ARM)


def _edge_fault(body: Body, parts: Parts, part: int) -> str:
    at_edge = (body.at_edge & (parts.labels == part)).any(axis=1).sum() * body.spacing_mm[2]
    name = PART_NAMES[part]
    return f"the {name} reaches the edge of the images" if at_edge > MAX_AT_EDGE_MM else ""
