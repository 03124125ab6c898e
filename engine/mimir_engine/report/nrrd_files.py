"""Fused volumes as NRRD files, in their place in the patient."""

from __future__ import annotations

from pathlib import Path

from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes
from mimir_engine.volume import Volume


def write_volumes(folder: Path, name: str, fused: FusedVolumes) -> list[Path]:
    """Write ``<name>_water.nrrd`` and ``<name>_fat.nrrd``: float32, LPS millimetres.

    Raises:
        MimirError: ``EXTRA_MISSING`` without pynrrd, ``OUTPUT_UNWRITABLE``.
    """
    paths = []
    for contrast, volume in (("water", fused.water), ("fat", fused.fat)):
        path = folder / f"{Path(name).name}_{contrast}.nrrd"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(path, volume)
        except OSError as error:
            raise MimirError(
                "OUTPUT_UNWRITABLE", f"'{path}' cannot be written ({error.strerror})", "Make room."
            ) from error
        paths.append(path)
    return paths


def _write(path: Path, volume: Volume) -> None:
    try:
        import nrrd
    except ImportError as error:
        raise MimirError(
            "EXTRA_MISSING",
            "volumes are written by the package pynrrd, which is not installed",
            "Run: pip install 'mimir-engine[volumes]'.",
        ) from error
    header = {
        "space": "left-posterior-superior",
        "space directions": volume.affine[:3, :3].T,
        "space origin": volume.affine[:3, 3],
        "kinds": ["domain"] * 3,
        "encoding": "gzip",
    }
    # The library writes the first index fastest; ours are slice, row, column.
    nrrd.write(str(path), volume.array.transpose(2, 1, 0), header, index_order="F")
