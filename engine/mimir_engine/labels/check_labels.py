"""Check that a label map belongs to a scan: refuse one that does not, flag one that may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from mimir_engine.direct.body import Body
from mimir_engine.errors import MimirError
from mimir_engine.labels.label_map import LabelMap
from mimir_engine.labels.label_names import listed
from mimir_engine.labels.label_tally import LabelTally
from mimir_engine.study.finding import Finding
from mimir_engine.study.volume import Volume

#: Number of labels of a map; TotalSegmentator has 117.
MAX_LABELS = 500
#: Voxels of one axial slice of a label map: what belongs to a slice lies in memory several times.
MAX_SLICE_VOXELS = 4_000_000
#: Part of all labelled voxels that must lie within the volumes, and of these within the body.
#: Labels of another scan or of another place in space have less.
MIN_INSIDE, MIN_IN_BODY = 0.5, 0.5
#: A label of one side whose centre lies further on the other one is exchanged, in mm; organs near
#: the middle lie on both sides.
MIN_WRONG_SIDE_MM = 20.0
#: Voxels by which a map of the volumes' own shape lies off their grid. Less is rounding; more is
#: another part of space, which the other checks judge.
MIN_SHIFT, MAX_SHIFT = 0.05, 1.5
#: Difference of voxel sizes that rounding explains, in mm.
SPACING_TOLERANCE_MM = 1e-3


def refuse_large_slices(label_map: LabelMap) -> None:
    """Refuse a label map whose slices would fill the memory.

    Raises:
        MimirError: ``VOLUME_TOO_LARGE``.
    """
    _, rows, columns = label_map.array.shape
    if rows * columns > MAX_SLICE_VOXELS:
        raise MimirError(
            "VOLUME_TOO_LARGE",
            f"a slice of the label map has {columns} x {rows} voxels; the limit is"
            f" {MAX_SLICE_VOXELS // 10**6} million",
            "Crop it to the body, or resample it to larger voxels.",
        )


def refuse_labels(tally: LabelTally) -> None:
    """Refuse a label map that is empty, has too many labels, or shows another place.

    Raises:
        MimirError: ``LABELS_INVALID``, ``LABELS_OUTSIDE``.
    """
    total, inside = int(tally.voxels.sum()), int(tally.inside.sum())
    if not 0 < len(tally.labels) <= MAX_LABELS:
        has = f"{len(tally.labels)} labels; the limit is {MAX_LABELS}" if total else "no labels"
        raise MimirError(
            "LABELS_INVALID", f"the label map has {has}", "Check that it is a segmentation."
        )
    if inside < MIN_INSIDE * total:
        raise _outside(f"{_percent(inside, total)} of the labelled voxels lie within the scan")
    if tally.in_body.sum() < MIN_IN_BODY * inside:
        share = _percent(int(tally.in_body.sum()), inside)
        raise _outside(f"{share} of the labelled voxels lie within the body")


def find_label_faults(
    label_map: LabelMap, names: Mapping[int, str], tally: LabelTally, volume: Volume, body: Body
) -> tuple[Finding, ...]:
    """Find exchanged sides, and a map that lies beside the grid that it has.

    Args:
        label_map: The label map.
        names: Names of its labels in columns.
        tally: Where its labels lie.
        volume: Its grid is that of the images.
        body: The body in them.
    """
    found = []
    wrong = [names[label] for label in _on_wrong_side(names, tally, _middle_mm(body))]
    if wrong:
        found.append(
            Finding(
                "LABELS_SWAPPED",
                "labels lie on the other side of the patient than their names say:"
                f" {listed(wrong)}",
                remedy="Check the orientation of the label map, and the names of its labels.",
            )
        )
    shift = _shift(label_map, volume)
    if shift:
        found.append(
            Finding(
                "LABELS_SHIFTED",
                "the label map has the grid of the fused volumes, but lies beside it by"
                f" {shift:.1f} voxels",
                remedy="Check the origin of the label map.",
                value=shift,
                threshold=MIN_SHIFT,
                unit="voxels",
            )
        )
    return tuple(found)


def _on_wrong_side(names: Mapping[int, str], tally: LabelTally, middle_mm: float) -> Iterator[int]:
    """Yield labels named left or right that lie on the other side of their partner or the body."""
    at_mm = {names[label]: x for label, x in zip(tally.labels.tolist(), tally.mean_x_mm.tolist())}
    for label in tally.labels.tolist():
        words = names[label].split("_")
        sides = {"left", "right"}.intersection(words)
        if len(sides) != 1:
            continue
        sign = 1 if sides == {"left"} else -1
        other = {"left": "right", "right": "left"}
        partner = at_mm.get("_".join(other.get(word, word) for word in words))
        margin = MIN_WRONG_SIDE_MM if partner is None else 0.0
        if sign * (at_mm[names[label]] - (middle_mm if partner is None else partner)) < -margin:
            yield label


def _middle_mm(body: Body) -> float:
    """Return the patient x of the middle of the body."""
    columns = body.mask.sum(axis=(0, 1), dtype=np.int64)
    column = float(columns @ np.arange(len(columns))) / max(int(columns.sum()), 1)
    return float(body.affine[0, 3]) + body.spacing_mm[0] * column


def _shift(label_map: LabelMap, volume: Volume) -> float:
    """Return the largest shift in voxels of a map that has the shape and voxels of the volumes."""
    spacing = np.array(volume.spacing_mm)
    is_same = label_map.array.shape == volume.array.shape and np.allclose(
        label_map.spacing_mm, spacing, rtol=0, atol=SPACING_TOLERANCE_MM
    )
    shift = float(np.abs((label_map.affine - volume.affine)[:3, 3] / spacing).max())
    return shift if is_same and MIN_SHIFT < shift <= MAX_SHIFT else 0.0


def _percent(part: int, whole: int) -> str:
    return f"only {100 * part / whole:.0f} %"


def _outside(what: str) -> MimirError:
    return MimirError(
        "LABELS_OUTSIDE",
        what,
        "Check that the label map is of this scan, and that it kept the scan's place in space.",
    )
