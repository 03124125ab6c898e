"""Find labels whose voxels show tissue that is not theirs.

The map may be of another scan or lie beside this one, or its numbers have other names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from mimir_engine.labels.fat_fractions import FatFractions
from mimir_engine.labels.label_names import listed
from mimir_engine.study.finding import Finding

#: Words in the names of lean labels, and the share of inner voxels that may be fat or air: some
#: vessels and fissures in liver and spleen, the fat around the renal pelvis, fatty muscles of old
#: people. Maps of another phantom exceed one of them by far.
MAX_IN_LEAN = {
    **dict.fromkeys(("liver", "spleen"), 0.1),
    "kidney": 0.25,
    **dict.fromkeys(("muscle", "gluteus", "iliopsoas", "autochthon", "quadriceps"), 0.5),
}
#: Words in the names of labels of fat, which also have the word ``fat``, and the share that may be
#: lean tissue or air. Fat between muscles is too thin to tell.
FAT_DEPOTS = frozenset({"subcutaneous", "visceral", "torso", "inner"})
MAX_IN_FAT = 0.35
#: Inner voxels of a label that is looked at.
MIN_VOXELS = 200


@dataclass(frozen=True)
class OtherTissue:
    """What does not belong to a label.

    Attributes:
        name: The label's name in columns.
        is_fat: Whether it is one of fat; else it is lean.
        share: Share of its inner voxels that are not, air included.
        limit: The largest share that is not unusual.
    """

    name: str
    is_fat: bool
    share: float
    limit: float

    def __str__(self) -> str:
        what = "lean tissue or air" if self.is_fat else "fat or air"
        return f"{self.name} ({self.share:.0%} {what})"


def other_tissue(name: str, core: FatFractions, core_voxels: int) -> Optional[OtherTissue]:
    """Return what does not belong to a label; None if its name does not tell, or it is small.

    Args:
        name: Its name in columns, such as ``kidney_left``.
        core: Fat fractions of its inner voxels.
        core_voxels: Number of these, air included.
    """
    words = name.split("_")
    if core_voxels < MIN_VOXELS:
        return None
    if "fat" in words:
        if FAT_DEPOTS.isdisjoint(words):
            return None
        return OtherTissue(name, True, 1 - core.fatty / core_voxels, MAX_IN_FAT)
    limit = next((MAX_IN_LEAN[word] for word in words if word in MAX_IN_LEAN), None)
    if limit is None:
        return None
    return OtherTissue(name, False, 1 - (core.voxels - core.fatty) / core_voxels, limit)


def find_other_tissue(
    names: Sequence[str], cores: Sequence[FatFractions], core_voxels: Sequence[int]
) -> list[Finding]:
    """Find labels whose inner voxels are not the tissue that their names say."""
    found = [*map(other_tissue, names, cores, core_voxels)]
    wrong = [other for other in found if other and other.share > other.limit]
    if not wrong:
        return []
    worst = max(wrong, key=lambda other: other.share - other.limit)
    return [
        Finding(
            "LABELS_OTHER_TISSUE",
            f"labels hold tissue that is not theirs: {listed([*map(str, wrong)])}",
            remedy="Check that the label map is of this scan, and that its names fit its numbers.",
            value=100 * worst.share,
            threshold=100 * worst.limit,
            unit="%",
        )
    ]
