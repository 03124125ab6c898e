"""Choose one reconstruction for all stations: normalised or raw, with distortion corrected or not.

Scanners may store two reconstructions of one acquisition: as measured, and corrected for the
uneven sensitivity of the coils ("prescan normalise") or for distortion. Both show the same scan, so
they are no repeats, and water of one never goes with fat of the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from mimir_engine.study.finding import NOTE, Finding
from mimir_engine.study.stack import Stack

#: Values of the option that chooses a reconstruction; the first is the default.
NORMALISED, RAW = "normalised", "raw"
_NORM, _CORRECTED = "NORM", ("DIS3D", "DIS2D")
#: Time between two reconstructions of one scan, in seconds, if headers have only the time at which
#: each was finished. It only counts where stations are missing in one of them: if all were
#: reconstructed again, that may have happened at any time.
MAX_SECONDS_APART = 60.0


def one_reconstruction(
    stacks: Sequence[Stack], preferred: str = NORMALISED
) -> tuple[list[Stack], list[Finding]]:
    """Keep the stacks of one reconstruction wherever there are several of one scan.

    Args:
        stacks: All stacks of a study.
        preferred: ``NORMALISED`` or ``RAW``; the other is used if it alone is complete.
    """
    kinds = {stack.series.reconstruction for stack in stacks}
    if len(kinds) < 2:
        return list(stacks), []
    kept: list[Stack] = []
    left_out: list[Stack] = []
    ranks = {kind: _rank(kind, stacks, preferred) for kind in kinds}
    ranked = sorted(kinds, key=lambda kind: ranks[kind], reverse=True)
    for kind in ranked:
        is_whole = ranks[kind][0] == ranks[ranked[0]][0] > 1
        seconds = float("inf") if is_whole else MAX_SECONDS_APART
        for stack in (s for s in stacks if s.series.reconstruction == kind):
            twice = any(_is_same_scan(stack, other, seconds) for other in kept)
            (left_out if twice else kept).append(stack)
    if not left_out:
        return kept, []
    others = ", ".join(sorted({_words(stack.series.reconstruction) for stack in left_out}))
    finding = Finding(
        "RECONSTRUCTION_CHOSEN",
        f"scans were reconstructed more than once; images of the kind '{_words(ranked[0])}' were"
        f" used, those of the kind '{others}' left out",
        severity=NOTE,
    )
    return kept, [finding]


def _words(kind: frozenset[str]) -> str:
    return " ".join(sorted(kind)) or "raw"


def _rank(
    kind: frozenset[str], stacks: Iterable[Stack], preferred: str
) -> tuple[int, bool, int, list[str]]:
    """Order reconstructions: by the places they show, the preference, and the correction."""
    places = _places(s for s in stacks if s.series.reconstruction == kind)
    is_preferred = (_NORM in kind) == (preferred == NORMALISED)
    corrected = next((2 - k for k, word in enumerate(_CORRECTED) if word in kind), 0)
    return places, is_preferred, corrected, sorted(kind)


def _places(stacks: Iterable[Stack]) -> int:
    """Count stacks of one contrast at different places; of the contrast that has fewer."""
    by_contrast: dict[object, list[Stack]] = defaultdict(list)
    for stack in stacks:
        same = by_contrast[stack.contrast]
        if not any(stack.is_at(other) for other in same):
            same.append(stack)
    return min((len(same) for same in by_contrast.values()), default=0)


def _is_same_scan(stack: Stack, other: Stack, max_seconds_apart: float) -> bool:
    """Return whether two stacks of different reconstruction show one acquisition."""
    return (
        stack.contrast is other.contrast
        and stack.series.reconstruction != other.series.reconstruction
        and stack.shape == other.shape
        and stack.reaches(other)
        and other.reaches(stack)
        and (
            stack.acquired is None
            or other.acquired is None
            or abs(stack.acquired - other.acquired) <= max_seconds_apart
        )
    )
