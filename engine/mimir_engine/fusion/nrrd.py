"""Write fused volumes as NRRD files, in patient coordinates."""

from __future__ import annotations

from pathlib import Path

from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.file_names import safe_file_name
from mimir_engine.files.optional_packages import require
from mimir_engine.fusion import FusedVolumes

#: Compression level of zlib. Higher ones take many times as long and save a few percent, since the
#: last bits are noise.
COMPRESSION_LEVEL = 1


def write_nrrd(folder: Path, name: str, fused: FusedVolumes) -> None:
    """Write ``<name>_water.nrrd`` and ``<name>_fat.nrrd``: float32, LPS millimetres.

    Args:
        folder: Created if it does not exist.
        name: Name of the study.
        fused: Its volumes.

    Raises:
        MimirError: ``EXTRA_MISSING`` without pynrrd, ``OUTPUT_UNWRITABLE``.
    """
    require("volumes")
    import nrrd

    for contrast, volume in (("water", fused.water), ("fat", fused.fat)):
        header = {
            "space": "left-posterior-superior",
            "space directions": volume.affine[:3, :3].T,
            "space origin": volume.affine[:3, 3],
            "kinds": ["domain"] * 3,
            "encoding": "gzip",
        }
        # The library writes the first index fastest; ours are slice, row, column.
        array = volume.array.transpose(2, 1, 0)
        with atomic_file(folder / f"{safe_file_name(name)}_{contrast}.nrrd") as file:
            nrrd.write(file, array, header, index_order="F", compression_level=COMPRESSION_LEVEL)
