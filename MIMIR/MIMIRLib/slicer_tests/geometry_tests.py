"""Bright markers keep their place in the patient in the fused nodes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from MIMIRLib.slicer_tests.phantom_database import PHANTOM, SceneTest, phantom_entry

#: Half an output voxel (mm).
TOLERANCE_MM = (2.23214293 / 2, 2.23214293 / 2, 3.0 / 2)
#: Standard deviation of a marker's blob (mm) and its height above all other signal.
BLOB_MM, BLOB_HEIGHT = 4.0, 6000.0
#: Half the edge (mm) of the cube in which a marker's centroid is taken.
REACH_MM = 14.0
#: Where markers lie in the transverse plane (LPS, mm): in the air, off the pixels' centres.
CORNER_MM = (-226.3, -142.9)


class GeometryTest(SceneTest):
    """Write slices with markers, measure them, and compare places in RAS."""

    def test_markers_lie_where_they_were_put(self) -> None:
        """The markers are in the neck, in an overlap of two stations, and at the knees."""
        from MIMIR import MIMIRLogic

        series = water_and_fat_series()
        markers = marker_positions(series)
        with tempfile.TemporaryDirectory() as folder:
            write_with_markers(series, markers, Path(folder))
            (result,) = MIMIRLogic().analyzeFiles(folder, **PHANTOM)
        for node in (result.nodes.water, result.nodes.fat):
            for marker in markers:
                found = centroid_ras(node, marker * (-1, -1, 1))
                off = np.abs(found - marker * (-1, -1, 1))
                assert (off <= TOLERANCE_MM).all(), f"{node.GetName()}: off by {off} mm"


def water_and_fat_series() -> list[list[Any]]:
    """Return the images of each water and fat series, from head to foot."""
    import pydicom

    found = []
    for uid in phantom_entry().series_uids:
        files = slicer.dicomDatabase.filesForSeries(uid)
        if pydicom.dcmread(files[0]).SeriesDescription.endswith(("_W", "_F")):
            images = [pydicom.dcmread(path) for path in files]
            found.append(sorted(images, key=lambda image: -image.ImagePositionPatient[2]))
    return sorted(found, key=lambda images: -images[0].ImagePositionPatient[2])


def marker_positions(series: Sequence[Sequence[Any]]) -> list[np.ndarray]:
    """Return places (LPS, mm) off the slices' centres, in the first, two and the last station."""
    stations = [[float(image.ImagePositionPatient[2]) for image in s] for s in series[::2]]
    inside = [(z[0] + 2 * z[-1]) / 3 for z in (stations[0], stations[-1])]
    overlap = (stations[1][-1] + stations[2][0]) / 2
    assert stations[1][-1] < overlap < stations[2][0], "these stations should overlap"
    return [np.array([*CORNER_MM, z + 0.7]) for z in (inside[0], overlap, inside[1])]


def write_with_markers(
    series: Sequence[Sequence[Any]], markers: Sequence[np.ndarray], folder: Path
) -> None:
    """Write all slices with the markers' blobs added."""
    for number, images in enumerate(series):
        for index, image in enumerate(images):
            pixels = image.pixel_array + sum(blob(image, marker) for marker in markers)
            image.PixelData = np.rint(pixels).astype("<u2").tobytes()
            image.save_as(folder / f"{number:02d}-{index:03d}.dcm")


def blob(image: Any, marker: np.ndarray) -> np.ndarray:
    """Return a marker's signal in a slice, computed from the slice's header."""
    left, top, z = (float(value) for value in image.ImagePositionPatient)
    row_mm, column_mm = (float(value) for value in image.PixelSpacing)
    x = left + column_mm * np.arange(image.Columns)
    y = top + row_mm * np.arange(image.Rows)
    squared = (x - marker[0]) ** 2 + (y[:, None] - marker[1]) ** 2 + (z - marker[2]) ** 2
    return BLOB_HEIGHT * np.exp(-squared / (2 * BLOB_MM**2))


def centroid_ras(node: Any, near: np.ndarray) -> np.ndarray:
    """Return the centroid (RAS, mm) of bright voxels near a place, with the node's own matrix."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    ijk_to_ras = slicer.util.arrayFromVTKMatrix(matrix)
    array = slicer.util.arrayFromVolume(node)
    centre = np.linalg.solve(ijk_to_ras, [*near, 1])[:3]
    reach = REACH_MM / np.abs(ijk_to_ras[:3, :3]).max(axis=0)
    low = np.maximum(np.floor(centre - reach), 0).astype(int)
    high = np.ceil(centre + reach).astype(int) + 1
    cube = array[tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1]))].astype(np.float64)
    weights = np.where(cube > 0.1 * cube.max(), cube, 0)
    k, j, i = (axis + start for axis, start in zip(np.indices(cube.shape), low[::-1]))
    centroid = [float((weights * axis).sum() / weights.sum()) for axis in (i, j, k)]
    return (ijk_to_ras @ [*centroid, 1])[:3]
