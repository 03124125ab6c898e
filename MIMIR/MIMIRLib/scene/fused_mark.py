"""Mark fused volumes, so that they can be measured again while they are unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.errors import mimir_error
from MIMIRLib.scene.node_marks import FAT, ROLE_MARK, WATER
from MIMIRLib.scene.volumes import array_of, lps_affine_of
from MIMIRLib.translate import tr as _

#: Attribute of a fused volume's node: a ``FusedMark`` as JSON.
FUSED_MARK = "MIMIR.Origin"
#: Positions that differ by less (mm) are the same; scene files round.
TOLERANCE_MM = 1e-3


@dataclass(frozen=True)
class FusedMark:
    """The mark on a node: the study that a volume was fused from, and the grid of its voxels.

    Attributes:
        study: The study as the engine's ``describe_study`` returns it.
        affine: ``(4, 4)``: ``(column, row, slice, 1)`` to LPS millimetres.
        shape: Numbers of slices, rows and columns.
    """

    study: Mapping[str, Any]
    affine: list[list[float]]
    shape: list[int]

    @classmethod
    def of(cls, node: Any) -> Optional[FusedMark]:
        """Return a node's mark; None if it has none or a damaged one."""
        try:
            fields = json.loads(node.GetAttribute(FUSED_MARK) or "")
            mark = cls(fields["origin"], fields["affine"], fields["shape"])
            is_affine = np.array(mark.affine, np.float64).shape == (4, 4)
        except (TypeError, KeyError, ValueError):
            return None
        is_valid = is_affine and isinstance(mark.shape, list) and isinstance(mark.study, dict)
        return mark if is_valid else None

    def write(self, node: Any) -> None:
        """Write the mark on a node."""
        fields = {"origin": dict(self.study), "affine": self.affine, "shape": self.shape}
        node.SetAttribute(FUSED_MARK, json.dumps(fields))

    def fits(self, node: Any) -> bool:
        """Return whether the node's voxels still are where MIMIR put them."""
        image = node.GetImageData()
        if node.GetParentTransformNode() is not None or image is None:
            return False
        if list(image.GetDimensions()) != self.shape[::-1] or array_of(node).dtype != np.float32:
            return False
        return np.allclose(lps_affine_of(node), self.affine, rtol=0, atol=TOLERANCE_MM)


def fused_volume_of(node: Any) -> Any:
    """Return a fused volume's node as the engine's ``Volume``; its voxels are not copied.

    Raises:
        MimirError: ``NOT_FUSED_BY_MIMIR``, ``VOLUME_TRANSFORMED``.
    """
    import_engine()
    from mimir_engine.study.volume import Volume

    mark = FusedMark.of(node)
    if mark is None:
        raise mimir_error(
            "NOT_FUSED_BY_MIMIR",
            _(
                "'{name}' is not a water or fat volume fused by MIMIR, so it may be cropped and"
                " resampled differently"
            ).format(name=node.GetName()),
            _("Measure the original study, or load it again with MIMIR."),
        )
    if not mark.fits(node):
        raise mimir_error(
            "VOLUME_TRANSFORMED",
            _(
                "'{name}' was changed after MIMIR fused it: it was transformed, cropped or"
                " resampled"
            ).format(name=node.GetName()),
            _("Remove the transform, measure the original study, or load it again with MIMIR."),
        )
    # Not the node's own affine: a scene file has fewer digits.
    return Volume(array_of(node), np.array(mark.affine))


def fused_pair(water: Any, fat: Any) -> tuple[Any, Any, Mapping[str, Any]]:
    """Return the engine's volumes of two nodes, and the study that they were fused from.

    Raises:
        MimirError: ``NOT_FUSED_BY_MIMIR``, ``VOLUME_TRANSFORMED``, ``VOLUMES_DIFFER``.
    """
    volumes = fused_volume_of(water), fused_volume_of(fat)
    mark = FusedMark.of(water)
    roles = water.GetAttribute(ROLE_MARK), fat.GetAttribute(ROLE_MARK)
    if mark is None or mark != FusedMark.of(fat) or roles != (WATER, FAT):
        raise mimir_error(
            "VOLUMES_DIFFER",
            _("'{water}' and '{fat}' are not water and fat of one study, in this order").format(
                water=water.GetName(), fat=fat.GetName()
            ),
            _("Give the water volume first, then the fat volume of the same study."),
        )
    return (*volumes, mark.study)
