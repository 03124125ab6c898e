"""Markers lie in the stitched volumes where they lie in the patient, whoever made the scan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from changes import all_of, philips_scale, setting
from dicom_builder import DEFLATED, IMPLICIT, Change, File, Scan, enhanced_file, write_zip

pytest.importorskip("nibabel", reason="NIfTI files need nibabel")

from pydicom.dataset import Dataset

from mimir_engine.cli import DONE, main

#: Standard deviation of a marker, and its largest signal.
SD_MM, PEAK = 8.0, 2000.0
#: Half of the cube in which a marker is looked for: beyond, it has less than a 1,000th of its peak.
WINDOW_MM = 31.0
#: Distance of a marker from its patient coordinates.
TOLERANCE_MM = 0.1

Point = tuple[float, float, float]
#: Volumes of a scan without markers and with them, and where these lie.
Stitched = tuple[Path, Path, Sequence[Point]]
Reader = Callable[[Path], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class MarkedScan(Scan):
    """A scan whose water shows markers: spheres that fade out."""

    markers: tuple[Point, ...] = ()

    def pixels(self, suffix: str, k: int) -> np.ndarray:
        """Return one slice with its parts of the markers."""
        image = super().pixels(suffix, k).astype(float)
        rows, columns = np.indices(self.shape)
        x = self.first_mm[0] + columns * self.pixel_mm[1]
        y = self.first_mm[1] + rows * self.pixel_mm[0]
        for mx, my, mz in self.markers if suffix == "W" else ():
            distance = (x - mx) ** 2 + (y - my) ** 2 + (self.z_mm[k] - mz) ** 2
            image += PEAK * np.exp(-distance / (2 * SD_MM**2))
        return np.rint(image).astype(np.uint16)


#: Three stations of 102 mm that overlap by 21 mm.
STATIONS = (
    MarkedScan(0.0, 34, 3.0, number=2, time="100000"),
    MarkedScan(-81.0, 34, 3.0, number=6, time="100030"),
    MarkedScan(-162.0, 34, 3.0, number=10, time="100100"),
)
#: A marker in each station, outside its overlaps, off the voxels.
MARKERS = ((-20.3, 10.7, -40.1), (25.2, -30.9, -131.4), (3.3, 22.2, -221.7))

GE = setting(Manufacturer="GE MEDICAL SYSTEMS", ImageType=["DERIVED", "SECONDARY", "PROCESSED"])


def described(prefix: bool, words: dict[str, str]) -> Change:
    """Name the contrast as a vendor does: before a colon, or as the last word."""

    def change(dataset: Dataset, k: int) -> None:
        word = words["W" if dataset.SeriesDescription.endswith("_W") else "F"]
        dataset.SeriesDescription = f"{word}: LAVA-Flex" if prefix else f"mDIXON {word}"

    return change


def philips_type(dataset: Dataset, k: int) -> None:
    """Name the contrast in the image type as Philips does."""
    letter = "W" if dataset.SeriesDescription.endswith("_W") else "F"
    dataset.ImageType = ["DERIVED", "PRIMARY", letter, letter, "DERIVED"]
    dataset.Manufacturer = "Philips Medical Systems"


def numbered_upwards(dataset: Dataset, k: int) -> None:
    """Number the slices from the feet to the head."""
    dataset.InstanceNumber = 34 - k


def moved(*shifts: Point, **changes: Any) -> tuple[MarkedScan, ...]:
    """Shift each station by (x, y, z) in mm, and change attributes of all."""
    return tuple(
        replace(
            scan,
            first_mm=(scan.first_mm[0] + x, scan.first_mm[1] + y),
            top_mm=round(scan.top_mm + z, 6),
            **changes,
        )
        for scan, (x, y, z) in zip(STATIONS, shifts)
    )


STILL = ((0.0, 0.0, 0.0),) * 3
FINE = {"shape": (96, 80), "pixel_mm": (2.0, 2.0), "first_mm": (-79.0, -95.0)}


def plain(scans: Iterable[Scan], change: Change | None = None, **options: Any) -> list[File]:
    return [file for scan in scans for file in scan.files(change=change, **options)]


def enhanced(scans: Iterable[Scan]) -> list[File]:
    return [enhanced_file(scan, [("W", "WATER"), ("F", "FAT")]) for scan in scans]


def mixed(scans: Sequence[MarkedScan]) -> tuple[MarkedScan, ...]:
    """Give the middle station finer pixels, as where one protocol has another matrix."""
    upper, middle, lower = scans
    return upper, replace(middle, **FINE), lower


#: Stations of each kind of scan, and how they become files.
KINDS: dict[str, Any] = {
    "siemens": (STATIONS, plain),
    "siemens, off the grid": (moved((0.4, -0.7, 0.3), (-1.1, 0.2, -0.8), (0.9, 0.6, 1.3)), plain),
    "siemens, pixels not square": (moved(*STILL, pixel_mm=(4.0, 4.2)), plain),
    "siemens, a finer station": (mixed(STATIONS), plain),
    "siemens, thick slices": (moved(*STILL, slices=20, step_mm=5.1), plain),
    "siemens, one station": (STATIONS[:1], plain),
    "siemens, implicit VR": (STATIONS, lambda s: plain(s, syntax=IMPLICIT)),
    "siemens, deflated": (STATIONS, lambda s: plain(s, syntax=DEFLATED)),
    "GE": (
        STATIONS,
        lambda s: plain(s, all_of(described(True, {"W": "WATER", "F": "FAT"}), GE)),
    ),
    "Philips": (STATIONS, lambda s: plain(s, all_of(philips_type, philips_scale(0.5)))),
    "Philips, multi-frame": (STATIONS, enhanced),
    "slices from the feet": (STATIONS, lambda s: plain(s, numbered_upwards)),
}


def centroid(image: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the mean place of a marker's signal, around its brightest voxel.

    Args:
        image: Signal of the marker.
        where: Coordinates of each voxel, one more axis.
    """
    brightest = where[np.unravel_index(image.argmax(), image.shape)]
    near = (np.abs(where - brightest) <= WINDOW_MM).all(axis=-1)
    return np.average(where[near], axis=0, weights=image[near])


def with_nibabel(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a volume; return its signal, and the LPS coordinates of each voxel."""
    import nibabel

    image = nibabel.load(path)
    return np.asarray(image.dataobj), places(image.shape, image.affine) * (-1, -1, 1)


def with_simpleitk(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """As `with_nibabel`."""
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    image = sitk.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    array = sitk.GetArrayFromImage(image).T
    return array, places(array.shape, affine)


def with_mrml(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """As `with_nibabel`, with the core of 3D Slicer."""
    slicer = pytest.importorskip("slicer", reason="Slicer's MRML core is not installed")
    vtk = pytest.importorskip("vtk")
    from vtk.util.numpy_support import vtk_to_numpy

    scene = slicer.vtkMRMLScene()
    node, storage = slicer.vtkMRMLScalarVolumeNode(), slicer.vtkMRMLVolumeArchetypeStorageNode()
    scene.AddNode(node)
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    image, matrix = node.GetImageData(), vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    affine = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).copy()
    array = voxels.reshape(image.GetDimensions()[::-1]).T
    return array, places(array.shape, affine) * (-1, -1, 1)


def places(shape: Sequence[int], affine: np.ndarray) -> np.ndarray:
    """Return the coordinates of each voxel, one more axis."""
    return np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]


@pytest.fixture(scope="module", params=KINDS)
def stitched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stitched:
    """Stitch the water of a scan with markers, and of the same scan without them."""
    scans, to_files = KINDS[request.param]
    markers = MARKERS[: len(scans)]
    folder = tmp_path_factory.mktemp("markers")
    for name, own in (("bare", ()), ("marked", markers)):
        write_zip(folder / f"{name}.zip", to_files([replace(s, markers=own) for s in scans]))
    words = ["fuse", *(str(folder / f"{name}.zip") for name in ("bare", "marked"))]
    assert main([*words, "--output", str(folder / "out"), "--contrasts", "water"]) == DONE
    volumes = folder / "out" / "volumes"
    bare, marked = (volumes / name / f"{name}_water.nii.gz" for name in ("bare", "marked"))
    return bare, marked, markers


@pytest.mark.parametrize("read", [with_nibabel, with_simpleitk, with_mrml])
def test_markers_lie_in_the_stitched_volume_where_they_lie_in_the_patient(
    stitched: Stitched, read: Reader
) -> None:
    without, with_markers, markers = stitched
    bare, _ = read(without)
    marked, where = read(with_markers)
    for marker in markers:
        is_own = np.abs(where[..., 2] - marker[2]) <= WINDOW_MM
        found = centroid(np.where(is_own, marked - bare, 0.0), where)
        assert np.abs(found - marker).max() < TOLERANCE_MM
