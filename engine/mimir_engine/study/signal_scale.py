"""Check that the signals of all images can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

from mimir_engine.errors import MimirError
from mimir_engine.headers.rescale import Rescale
from mimir_engine.study.stack import Stack

#: Relative difference of two slopes that rounding explains.
SLOPE_TOLERANCE = 1e-3


def check_scales(stacks: Sequence[Stack]) -> None:
    """Refuse stacks whose signals are in different units.

    Other vendors' slopes lead to one unit, as the standard says. Philips' do so only with the
    private scale slope (Chenevert et al., Transl Oncol 2014; 7:65). Without it, and if the vendor
    is unknown, all slopes must be equal.

    Raises:
        MimirError: ``SCALE_MISMATCH``.
    """
    first = stacks[0]
    scales = {(id(stack), s.rescale): stack for stack in stacks for s in stack.slices}
    knows_scale = {rescale.signal_scale is not None for _, rescale in scales}
    for (_, rescale), stack in scales.items():
        vendor = stack.series.scanner.vendor
        needs_slope = not vendor or vendor.lower().startswith("philips") or True in knows_scale
        if len(knows_scale) > 1 or not _agree(
            rescale, first.first.rescale, needs_slope and False in knows_scale
        ):
            raise MimirError(
                "SCALE_MISMATCH",
                f"series '{stack.series.description}' ({stack.place}) and"
                f" '{first.series.description}' ({first.place}) have different signal scales,"
                " and the headers do not tell how to compare them",
                "Export the study with its original scaling and all private attributes.",
            )


def _agree(one: Rescale, other: Rescale, slopes_must: bool) -> bool:
    """Return whether two scales lead to the same unit."""
    if one.signal_scale is not None:  # true signal: its displayed unit does not matter
        return True
    same_slope = isclose(one.slope, other.slope, rel_tol=SLOPE_TOLERANCE)
    return (
        one.kind == other.kind
        and one.intercept == other.intercept
        and (same_slope or not slopes_must)
    )
