"""The mark on fused volumes that lets them be measured again, and what makes it void."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Optional

import numpy as np

from MIMIRLib.engine.import_engine import import_engine
from MIMIRLib.scene.marks import FAT, ROLE_MARK, WATER
from MIMIRLib.scene.volumes import array_of, lps_affine_of

ORIGIN_MARK = "MIMIR.Origin"
#: Scene files round; positions this close (mm) are the same.
TOLERANCE_MM = 1e-3
FUSE_AGAIN = "Measure the study itself, or load it again with MIMIR."


def sign_origin(node: Any, origin: Mapping[str, Any], volume: Any) -> None:
    """Write on a volume node what it was fused from, and the grid it was fused on."""
    signed = _Signed(dict(origin), volume.affine.tolist(), list(volume.array.shape))
    node.SetAttribute(ORIGIN_MARK, json.dumps(asdict(signed)))


def origin_of(node: Any) -> Optional[Mapping[str, Any]]:
    """What a volume was fused from; None where the node lacks MIMIR's mark."""
    signed = _signed(node)
    return signed.origin if signed else None


def fused_volume_of(node: Any) -> Any:
    """The engine's ``Volume`` of a fused volume's node; its voxels are not copied.

    Raises:
        MimirError: ``NOT_FUSED_BY_MIMIR``, ``VOLUME_TRANSFORMED``.
    """
    import_engine()
    from mimir_engine.errors import MimirError
    from mimir_engine.study.volume import Volume

    signed = _signed(node)
    if signed is None:
        raise MimirError(
            "NOT_FUSED_BY_MIMIR",
            f"'{node.GetName()}' is not a water or fat volume that MIMIR fused, so it may be"
            " cropped and resampled in another way",
            FUSE_AGAIN,
        )
    if node.GetParentTransformNode() is not None or not _is_on_grid(node, signed):
        raise MimirError(
            "VOLUME_TRANSFORMED",
            f"'{node.GetName()}' no longer lies where MIMIR fused it: it was transformed,"
            " cropped or resampled",
            f"Take the transform off. {FUSE_AGAIN}",
        )
    # Not the node's own affine: a scene file has fewer digits.
    return Volume(array_of(node), np.array(signed.affine))


def fused_pair(water: Any, fat: Any) -> tuple[Any, Any, Mapping[str, Any]]:
    """What measuring two volume nodes again needs: both volumes, and what they were fused from.

    Raises:
        MimirError: ``NOT_FUSED_BY_MIMIR``, ``VOLUME_TRANSFORMED``, ``VOLUMES_DIFFER``.
    """
    import_engine()
    from mimir_engine.errors import MimirError

    volumes = fused_volume_of(water), fused_volume_of(fat)
    signed = _signed(water)
    roles = water.GetAttribute(ROLE_MARK), fat.GetAttribute(ROLE_MARK)
    if signed is None or signed != _signed(fat) or roles != (WATER, FAT):
        raise MimirError(
            "VOLUMES_DIFFER",
            f"'{water.GetName()}' and '{fat.GetName()}' are not water and fat of one study, in"
            " this order",
            "Give the water volume first, then the fat volume of the same study.",
        )
    return (*volumes, signed.origin)


@dataclass(frozen=True)
class _Signed:
    """What the mark says: what a volume was fused from, and the grid it was fused on."""

    origin: Mapping[str, Any]
    affine: list[list[float]]
    shape: list[int]


def _signed(node: Any) -> Optional[_Signed]:
    """The mark; None where there is none or it is damaged."""
    try:
        signed = _Signed(**json.loads(node.GetAttribute(ORIGIN_MARK) or ""))
        is_affine = np.array(signed.affine, np.float64).shape == (4, 4)
    except (TypeError, ValueError):
        return None
    is_sound = is_affine and isinstance(signed.shape, list) and isinstance(signed.origin, dict)
    return signed if is_sound else None


def _is_on_grid(node: Any, signed: _Signed) -> bool:
    image = node.GetImageData()
    if image is None or list(image.GetDimensions()) != signed.shape[::-1]:
        return False
    if array_of(node).dtype != np.float32:
        return False
    return np.allclose(lps_affine_of(node), signed.affine, rtol=0, atol=TOLERANCE_MM)
