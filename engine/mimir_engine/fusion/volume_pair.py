"""Stitched volumes of water and fat, made by any program, as the source of a study."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.fusion.fuse import FusedVolumes
from mimir_engine.fusion.grid import END_SLICES, OUTPUT_SPACING_MM, StationGrid
from mimir_engine.fusion.output_grid import (
    output_affine,
    output_grid,
    sample_slice,
    sample_volume,
)
from mimir_engine.fusion.pair_sidecar import common_sidecar, find_unknown, has_whole_ends
from mimir_engine.fusion.volume_files.image_file import ImageFile, read_image
from mimir_engine.fusion.volume_files.sidecar import Sidecar
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.scanner import Scanner
from mimir_engine.headers.slices import PHASE_CONTRASTS
from mimir_engine.source.source_name import ANONYMOUS_NAME, uk_biobank_ids
from mimir_engine.study.dixon_study import DixonStudy
from mimir_engine.study.finding import Finding
from mimir_engine.study.station import unread_stations
from mimir_engine.study.volume import Volume

#: Suffixes of files that hold one volume.
VOLUME_SUFFIXES = (".nii.gz", ".nii", ".nrrd")
#: Distance between places of the same voxel in two volumes of one grid, in mm: rounding of headers.
MAX_OFFSET_MM = 0.1
#: Places of the slices of in-phase and opposed-phase that are compared, as shares of the volume.
PHASE_PLACES = (0.15, 0.3, 0.5, 0.7, 0.85)
#: Name of each contrast in tables and lists of studies.
VOLUME_KEYS = {contrast: contrast.value.replace("-", "_") for contrast in Contrast}
#: What a file of water adds to the name of its study: a word, or nnU-Net's channel.
_WATER_ENDING = re.compile(r"(^|[ _.-])(water|wat|w|0000)$", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class VolumePair:
    """A source whose stations were stitched before: one file per contrast, all on one grid.

    Examples:
        >>> pair = VolumePair(Path("scan_water.nii.gz"), Path("scan_fat.nii.gz"))
        >>> [contrast.value for contrast, _ in pair.files()]
        ['water', 'fat']

    Attributes:
        water: NIfTI or NRRD file of the water volume.
        fat: That of the fat volume.
        in_phase: That of the in-phase volume, if there is one.
        opposed_phase: That of the opposed-phase volume, if there is one.
    """

    water: Path
    fat: Path
    in_phase: Optional[Path] = None
    opposed_phase: Optional[Path] = None

    def files(self) -> Iterator[tuple[Contrast, Path]]:
        """Yield each contrast that there is, and its file; water is the first."""
        for contrast, key in VOLUME_KEYS.items():
            path = getattr(self, key)
            if path is not None:
                yield contrast, path


def name_of_volumes(water: Path) -> str:
    """Return the name of a study by its file of water; that of the folder if the file has no own.

    Examples:
        >>> name_of_volumes(Path("6000000_20201_2_0_water.nii.gz"))
        '6000000_20201_2_0'
        >>> name_of_volumes(Path("patient_7/water.nrrd")), name_of_volumes(Path("p8_0000.nii.gz"))
        ('patient_7', 'p8')
    """
    name = without_volume_suffix(water.name)
    return _WATER_ENDING.sub("", name) or water.absolute().parent.name or name


def without_volume_suffix(name: str) -> str:
    """Return the name of a file without the suffix of a volume.

    Examples:
        >>> without_volume_suffix("liver.v2.NII.GZ"), without_volume_suffix("scan.zip")
        ('liver.v2', 'scan.zip')
    """
    suffix = next((s for s in VOLUME_SUFFIXES if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]


def read_volume_pair(
    pair: VolumePair, name: Optional[str] = None
) -> tuple[DixonStudy, FusedVolumes]:
    """Read stitched volumes, and what a sidecar of MIMIR beside the water says of their study.

    They are copied if they have the voxels of the output grid, and else sampled there. Values below
    zero become zero. Nothing is cut off at the ends, unless the sidecar says that they are whole.

    Args:
        pair: The volumes.
        name: Name of the study; by default that of its file of water.

    Returns:
        The study, with as many unread stations as the sidecar says and none without it; the volumes
        on the output grid, without a layout.

    Raises:
        MimirError: ``PAIR_STUDIES`` if they are known to be of different studies; ``PAIR_GRID`` if
            they do not have the same voxels; ``SIDECAR_INVALID``; all of ``read_image`` and
            ``output_grid``.
    """
    sidecar = common_sidecar(pair.files())
    water = read_image(pair.water)
    place = Volume(water.array, water.affine)
    findings = [*(sidecar.findings if sidecar else ()), *find_unknown(sidecar, place)]
    grid = output_grid(place)
    if not grid.is_copy:
        findings.append(_resampled(place))
    kept = _kept_slices(grid, END_SLICES if has_whole_ends(sidecar, place) else 0)
    affine = output_affine(place, grid)
    affine[2, 3] += kept.start * OUTPUT_SPACING_MM[2]
    volumes: dict[Contrast, Volume] = {}
    phases: dict[Contrast, dict[int, np.ndarray]] = {}
    for contrast, path in pair.files():
        image = water if contrast is Contrast.WATER else read_image(path)
        _check_same_grid(contrast, image, water)
        if image.array.min() < 0:
            findings.append(_negative(contrast))
        if contrast in PHASE_CONTRASTS:
            phases[contrast] = _phase_slices(image.array, grid, kept)
        else:
            array = sample_volume(np.maximum(image.array, 0), grid)
            volumes[contrast] = Volume(array[kept.start : kept.stop], affine)
    fused = FusedVolumes(volumes[Contrast.WATER], volumes[Contrast.FAT], phases=phases)
    return _study(pair, name, sidecar, findings), fused


def _kept_slices(grid: StationGrid, cut: int) -> range:
    """Return the slices of the output grid, from the foot, without those cut off at each end."""
    slices = len(grid.z.lower)
    if slices <= 2 * cut:
        raise MimirError(
            "VOLUME_GEOMETRY",
            f"the volumes have only {slices} slices, of which {2 * cut} are to be cut off",
            "Give the complete volumes.",
        )
    return range(cut, slices - cut)


def _check_same_grid(contrast: Contrast, image: ImageFile, water: ImageFile) -> None:
    """Refuse a volume whose voxels are not those of water."""
    slices, rows, columns = water.array.shape
    shown, of_water = (" x ".join(map(str, v.array.shape[::-1])) for v in (image, water))
    corners = np.array([[0, 0, 0, 1], [columns - 1, rows - 1, slices - 1, 1]]).T
    offset_mm = float(np.abs((image.affine - water.affine) @ corners).max())
    if shown == of_water and offset_mm <= MAX_OFFSET_MM:
        return
    differs = f"its corners are up to {offset_mm:.1f} mm apart from those of water"
    raise MimirError(
        "PAIR_GRID",
        f"the {contrast.value} volume does not have the voxels of water:"
        f" {differs if shown == of_water else f'{shown} instead of {of_water}'}",
        "Give volumes of one scan that were stitched in one way.",
    )


def _phase_slices(array: np.ndarray, grid: StationGrid, kept: range) -> dict[int, np.ndarray]:
    """Sample the slices of in-phase or opposed-phase that are compared with water and fat."""
    indices = dict.fromkeys(int(place * len(kept)) for place in PHASE_PLACES)
    return {index: np.maximum(sample_slice(array, grid, kept[index]), 0) for index in indices}


def _resampled(volume: Volume) -> Finding:
    shown, own = (
        " x ".join(f"{mm:.3g}" for mm in spacing)
        for spacing in (volume.spacing_mm, OUTPUT_SPACING_MM)
    )
    return Finding(
        "VOLUME_RESAMPLED",
        f"the volumes have voxels of {shown} mm and were resampled to {own} mm",
        remedy="Measure the scan itself, or volumes that were not resampled before.",
    )


def _negative(contrast: Contrast) -> Finding:
    return Finding(
        "NEGATIVE_SIGNAL",
        f"the {contrast.value} volume has values below zero, which were set to zero",
    )


def _study(
    pair: VolumePair, name: Optional[str], sidecar: Optional[Sidecar], findings: Iterable[Finding]
) -> DixonStudy:
    by_file = name_of_volumes(pair.water)
    name = name or by_file
    is_anonymous = ANONYMOUS_NAME.fullmatch(name)
    named = uk_biobank_ids(by_file) if any(uk_biobank_ids(by_file)) else uk_biobank_ids(name)
    eid, instance = ("", "") if is_anonymous else named
    return DixonStudy(
        name,
        unread_stations(sidecar.stations if sidecar else 0),
        sidecar.scanner if sidecar else Scanner(),
        eid,
        instance,
        tuple(dict.fromkeys(findings)),
        month=sidecar.month if sidecar and not is_anonymous else "",
    )
