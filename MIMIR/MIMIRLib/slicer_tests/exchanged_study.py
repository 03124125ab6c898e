"""A phantom study whose scanner has exchanged water and fat in one station."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

#: Series numbers of the fat and water images of the third station.
FAT_SERIES, WATER_SERIES = 12, 13


def write_exchanged(archive: Path, path: Path) -> Path:
    """Copy the phantom's archive; in the copy, the third station's pixels are exchanged."""
    import pydicom

    with zipfile.ZipFile(archive) as source:
        contents = {name: source.read(name) for name in source.namelist()}
    images = {
        name: pydicom.dcmread(io.BytesIO(content))
        for name, content in contents.items()
        if name.endswith(".dcm")
    }
    by_place = {
        (int(image.SeriesNumber), float(image.ImagePositionPatient[2])): name
        for name, image in images.items()
    }
    for (series, z_mm), name in by_place.items():
        if series == WATER_SERIES:
            water, fat = images[name], images[by_place[FAT_SERIES, z_mm]]
            water.PixelData, fat.PixelData = fat.PixelData, water.PixelData
    with zipfile.ZipFile(path, "w") as target:
        for name, content in contents.items():
            if name in images and images[name].SeriesNumber in (FAT_SERIES, WATER_SERIES):
                changed = io.BytesIO()
                images[name].save_as(changed)
                content = changed.getvalue()
            target.writestr(name, content)
    return path
