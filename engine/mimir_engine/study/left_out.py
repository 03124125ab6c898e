"""Leave out series beside the chosen scans, or refuse the study if a station would be missing."""

from __future__ import annotations

from collections.abc import Sequence

from mimir_engine.errors import MimirError
from mimir_engine.headers.slices import REQUIRED_CONTRASTS
from mimir_engine.study.finding import NOTE, Finding
from mimir_engine.study.pairing import Acquisition
from mimir_engine.study.places import MIN_COVERED, covered_part
from mimir_engine.study.repeats import OTHER_PROTOCOL
from mimir_engine.study.series_stacks import (
    MAX_STATION_TILT,
    Unusable,
    follow_normal,
    tilt_degrees,
)
from mimir_engine.study.stack import Stack


def leave_out(
    unusable: Sequence[Unusable], alone: Sequence[Stack], chosen: Sequence[Acquisition]
) -> list[Finding]:
    """Leave out slices that form no stack, and stacks without a partner.

    Args:
        unusable: Slices that form no stack.
        alone: Stacks of one contrast without the other.
        chosen: The chosen scans.

    Raises:
        MimirError: the reason why slices form no stack, or ``STATION_INCOMPLETE``, if the chosen
            scans do not show what they show.
    """
    return _check_unusable(unusable, chosen) + _check_alone(alone, chosen)


def left_out(stack: Stack, reason: str) -> Finding:
    """Report a series that was left out."""
    return Finding(
        "SERIES_LEFT_OUT",
        f"series '{stack.series.description}' ({stack.place}) was left out: {reason}",
        severity=NOTE,
    )


def repeat_left_out(acquisition: Acquisition, reason: str) -> Finding:
    """Report a scan of a place that was left out in favour of another."""
    if reason == OTHER_PROTOCOL:
        return left_out(acquisition.water, f"it is {reason}")
    return Finding(
        "STATION_RESCANNED",
        f"the station {acquisition.water.place} was scanned more than once; a scan was left out"
        f" because it is {reason}",
        severity=NOTE,
    )


def _check_unusable(unusable: Sequence[Unusable], chosen: Sequence[Acquisition]) -> list[Finding]:
    """Refuse slices that form no stack unless the stations show what they show.

    Sagittal and coronal series, and planning images, are no stations and are left out.
    """
    findings = []
    ranges = [a.range_mm for a in chosen]
    for one in unusable:
        first = one.slices[0]
        inside = sum(
            any(foot <= s.position_mm[2] <= head for foot, head in ranges) for s in one.slices
        )
        is_view = tilt_degrees(first) > MAX_STATION_TILT and follow_normal(one.slices)
        if not (chosen and is_view) and inside < MIN_COVERED * len(one.slices):
            raise one.error
        findings.append(
            Finding(
                "SERIES_LEFT_OUT",
                f"{one.error.what}; {len(one.slices)} images were left out",
                severity=NOTE,
            )
        )
    return findings


def _check_alone(alone: Sequence[Stack], chosen: Sequence[Acquisition]) -> list[Finding]:
    """Refuse a station that lacks a contrast, unless another scan shows its place."""
    findings = []
    for stack in alone:
        if covered_part(stack.range_mm, [a.range_mm for a in chosen]) < MIN_COVERED:
            (missing,) = (c for c in REQUIRED_CONTRASTS if c is not stack.contrast)
            if any(other.contrast is missing and other.is_at(stack) for other in alone):
                raise MimirError(
                    "STATION_INCOMPLETE",
                    f"water and fat of the station {stack.place} do not belong together: only one"
                    " of them was normalised, corrected for distortion, or scanned with contrast"
                    " agent, or they were scanned at different times",
                    "Fetch the complete study, with water and fat of one kind.",
                )
            raise MimirError(
                "STATION_INCOMPLETE",
                f"the station {stack.place} has no {missing.value} image that belongs to"
                f" '{stack.series.description}'",
                "Fetch the complete study.",
            )
        findings.append(
            Finding(
                "STATION_RESCANNED",
                f"the station {stack.place} was scanned more than once; an incomplete repeat was"
                " left out",
                severity=NOTE,
            )
        )
    return findings
