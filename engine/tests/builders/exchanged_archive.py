"""Exchange water and fat in archives of phantoms, as a reconstruction does that decides wrongly."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pydicom

#: Series of a station in the order of their numbers, which begin at 2: in, opp, F, W.
FAT, WATER = 2, 3


def exchanged_archive(archive: Path, path: Path, station: int) -> Path:
    """Copy the water and fat images of a phantom's archive; those of one station are exchanged.

    Args:
        archive: As ``mimir phantom`` writes it.
        path: The copy.
        station: Index of the station, 0 at the head.
    """
    own = {2 + 4 * station + FAT: "WATER", 2 + 4 * station + WATER: "FAT"}
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if not name.endswith(".dcm"):
                continue
            dataset = pydicom.dcmread(io.BytesIO(content))
            contrast = own.get(int(dataset.SeriesNumber))
            if contrast:
                dataset.ImageType = ["DERIVED", "PRIMARY", "DIXON", contrast]
                dataset.SeriesDescription = dataset.SeriesDescription[:-1] + contrast[0]
                changed = io.BytesIO()
                dataset.save_as(changed)
                content = changed.getvalue()
            target.writestr(name, content)
    return path
