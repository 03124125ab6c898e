"""Find lost slices by the numbers of images in a series.

Numbers begin at 1 and have no gaps, within a series, a scan of it, or a contrast of that scan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Optional

from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.slices import Companion, Slice
from mimir_engine.study.finding import Finding
from mimir_engine.study.stack import Stack

#: The declared number of images may be that of several contrasts together.
_CONTRASTS_TOGETHER = (1, 2, 3, 4)


class _Image(NamedTuple):
    """An image of a series: its number, and what may be numbered anew."""

    number: Optional[int]
    scan: object
    contrast: Contrast


def check_numbers(
    used: Sequence[Stack], slices: Sequence[Slice], companions: Iterable[Companion]
) -> list[Finding]:
    """Look for image numbers that are missing in a series, and for images that were declared.

    Series in which numbers say nothing are skipped: those of which slices lost their UID, and
    studies whose images are numbered throughout.

    Args:
        used: Stacks that are used.
        slices: All water and fat slices of the study.
        companions: All in-phase and opposed-phase slices of the study.
    """
    used_uids = {stack.series.uid for stack in used}
    adopted = _adopted(used)
    by_series: dict[str, list[Slice]] = defaultdict(list)
    for s in slices:
        by_series[s.series.uid or adopted.get((id(s.entry), s.frame), "")].append(s)
    others: dict[str, list[_Image]] = defaultdict(list)
    for c in companions:
        others[c.series.uid].append(_Image(c.instance, c.scan[:2], c.series.contrast))
    torn = {(s.series.number, s.series.description) for s in by_series.pop("", [])}
    are_throughout = _are_numbered_throughout([*by_series.values()])
    findings = []
    for uid, series in by_series.items():
        name = series[0].series.number, series[0].series.description
        if uid not in used_uids or name in torn:
            continue
        images = [_Image(s.instance, (s.acquisition, s.stack_id), s.contrast) for s in series]
        lost = 0 if are_throughout else _lost(images + others[uid])
        if not others[uid]:
            lost = lost or _fewer_than_declared(series)
        if lost:
            findings.append(
                Finding(
                    "SLICES_LOST",
                    f"{lost} images of series '{series[0].series.description}' may be missing:"
                    " its image numbers do not begin at 1 or have gaps, or the scanner declares"
                    " more images",
                )
            )
    return findings


def _lost(images: Sequence[_Image]) -> int:
    """Return how many numbers are missing in a series.

    Gaps count only in a series of one contrast: images that are none of the four contrasts may
    have the numbers in between.
    """
    is_one_contrast = len({image.contrast for image in images}) == 1
    lost = 0
    for part in _numbered_parts(images):
        numbers = sorted(image.number for image in part if image.number is not None)
        before = max(numbers[0] - 1, 0)
        gaps = numbers[-1] - numbers[0] + 1 - len(numbers) if is_one_contrast else 0
        missing = before + gaps
        lost += missing if numbers[0] >= 0 and missing < len(numbers) else 0
    return lost


def _numbered_parts(images: Sequence[_Image]) -> list[list[_Image]]:
    """Divide a series into the largest parts in which each number occurs once.

    Empty if there are none, or if images have no number.
    """
    keys = (lambda i: None, lambda i: i.scan, lambda i: i.contrast, lambda i: (i.scan, i.contrast))
    for key in keys:
        parts: dict[object, list[_Image]] = defaultdict(list)
        for image in images:
            parts[key(image)].append(image)
        if all(_are_unique([image.number for image in part]) for part in parts.values()):
            return [*parts.values()]
    return []


def _are_unique(numbers: Sequence[Optional[int]]) -> bool:
    return None not in numbers and len({*numbers}) == len(numbers)


def _fewer_than_declared(series: Sequence[Slice]) -> int:
    """Return how many images the scanner declares beyond those of the series."""
    declared = series[0].series.images or 0
    if declared <= len(series) or declared / len(series) in _CONTRASTS_TOGETHER:
        return 0
    return declared - len(series)


def _adopted(stacks: Sequence[Stack]) -> dict[tuple[int, Optional[int]], str]:
    """Return the series of slices that lost their UID, by file and frame."""
    adopted = {}
    for stack in stacks:
        uids = {s.series.uid for s in stack.slices} - {""}
        if len(uids) == 1:
            (uid,) = uids
            adopted.update({(id(s.entry), s.frame): uid for s in stack.slices if not s.series.uid})
    return adopted


def _are_numbered_throughout(all_series: Sequence[Sequence[Slice]]) -> bool:
    """Return whether images are numbered throughout the study, or throughout each contrast."""
    ranges: dict[Contrast, list[list[int]]] = defaultdict(list)
    for series in all_series:
        numbers = _numbers(series)
        if numbers:
            ranges[series[0].contrast].append(numbers)
    firsts = [numbers[0] for part in ranges.values() for numbers in part]
    if len(firsts) < 2 or len({*firsts}) == len(firsts):
        return len(firsts) > 1
    return all(
        len(part) > 1
        and all(one[-1] < other[0] for one, other in zip(sorted(part), sorted(part)[1:]))
        for part in ranges.values()
    )


def _numbers(series: Sequence[Slice]) -> Optional[list[int]]:
    """Return the image numbers in order; None if they are incomplete or not unique."""
    numbers = sorted({s.instance for s in series if s.instance is not None})
    return numbers if len(numbers) == len(series) else None
