"""The file of a scan profile: arrays as safetensors, all else as JSON in its metadata."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.regular_file import open_regular
from mimir_engine.inference_module.number_reference import NumberReference
from mimir_engine.inference_module.scan_profile import (
    INVALID,
    LayerReference,
    ScanProfile,
)

MAX_FILE_BYTES = 8 << 20
FORMAT = "mimir scan profile 1"

_OF_LAYERS = ("mean", "components", "variances")


def write_profile(path: Path, profile: ScanProfile) -> None:
    """Write a scan profile.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    from safetensors.numpy import save

    arrays = {}
    about: dict[str, Any] = {
        name: getattr(profile, name) for name in ("network", "scans", "is_own", "flagged")
    }
    about["limits"] = dict(profile.limits)
    about["layers"] = {name: layer.residual_scale for name, layer in profile.layers.items()}
    if profile.numbers is not None:
        known = profile.numbers
        quantiles = [known.quantiles[name] for name in known.names]
        about["numbers"] = [known.names, known.levels, quantiles, known.scans]
        arrays = {"numbers.correlation": known.correlation}
    for layer, reference in profile.layers.items():
        arrays |= {f"{layer}.{name}": getattr(reference, name) for name in _OF_LAYERS}
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic_file(path) as file:
        file.write(save(whole, {"format": FORMAT, "about": json.dumps(about)}))


def read_profile(path: Path) -> ScanProfile:
    """Read a scan profile.

    Raises:
        MimirError: ``PROFILE_INVALID``.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        with open_regular(path) as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"larger than {MAX_FILE_BYTES >> 20} MB")
        arrays = load(content)
        return replace(_profile(_metadata(content), arrays), sha256=sha256(content).hexdigest())
    except (
        *(OSError, SafetensorError, ValueError, TypeError, LookupError, AttributeError),
        RecursionError,
    ) as error:
        raise MimirError(
            INVALID,
            f"{path.name} cannot be read as a scan profile ({error})",
            "Restore the file, or make it again with `mimir profile`.",
        ) from error


def _metadata(content: bytes) -> dict[str, Any]:
    """Return the JSON of a safetensors file's header, which begins after its length of 8 bytes."""
    end = 8 + int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8:end])["__metadata__"]
    if metadata["format"] != FORMAT:
        raise ValueError("of another kind")
    return dict(json.loads(metadata["about"]))


def _profile(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ScanProfile:
    def taken(part: str, names: tuple[str, ...], kind: type) -> dict[str, np.ndarray]:
        found = {name: arrays[f"{part}.{name}"] for name in names}
        if any(array.dtype != kind for array in found.values()):
            raise ValueError("arrays of another type")
        return found

    numbers = None
    if "numbers" in about:
        names, levels, quantiles, scans = about["numbers"]
        own = {str(name): tuple(map(float, values)) for name, values in zip(names, quantiles)}
        correlation = taken("numbers", ("correlation",), np.float64)["correlation"]
        numbers = NumberReference(
            tuple(own), tuple(map(float, levels)), own, correlation, int(scans)
        )
    layers = {
        name: LayerReference(**taken(name, _OF_LAYERS, np.float32), residual_scale=float(scale))
        for name, scale in about["layers"].items()
    }
    share, low, high = map(float, about["flagged"])
    if not 0 <= low <= high <= 1 or not math.isfinite(share):
        raise ValueError("no share of flagged scans")
    limits = {str(name): float(limit) for name, limit in about["limits"].items()}
    return ScanProfile(
        *(str(about["network"]), int(about["scans"]), bool(about["is_own"]), (share, low, high)),
        *(numbers, layers, limits),
    )
