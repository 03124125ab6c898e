"""Give all stitched volumes of one study, one after the other.

A scan has four contrasts of 60 MB each when they are stitched. Water and fat are needed together,
for the checks and the fat fraction; then their memory is freed, and in-phase and opposed-phase are
read and stitched one at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.fuse import Layout, fuse_contrast
from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.fusion.image_source import Source
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.headers.slices import PHASE_CONTRASTS, REQUIRED_CONTRASTS
from mimir_engine.measuring.one_study import accept, fuse_and_check, read_and_fuse
from mimir_engine.measuring.volume_names import (
    FAT,
    FAT_FRACTION,
    IN_PHASE,
    OPPOSED_PHASE,
    VOLUME_NAMES,
    WATER,
)
from mimir_engine.projection.fat_fraction_map import fat_fraction_map
from mimir_engine.study.dixon_study import DixonStudy
from mimir_engine.study.finding import Finding
from mimir_engine.study.phase_stations import ContrastStations, left_out
from mimir_engine.study.read import OpenedStudy, open_study
from mimir_engine.study.read_options import AS_STORED, ReadOptions
from mimir_engine.study.volume import Volume

_CONTRASTS = {
    **dict(zip((WATER, FAT), REQUIRED_CONTRASTS)),
    **dict(zip((IN_PHASE, OPPOSED_PHASE), PHASE_CONTRASTS)),
}


@dataclass(frozen=True)
class StitchedVolume:
    """One volume of a study, if it has it.

    Attributes:
        name: One of ``VOLUME_NAMES``.
        volume: float32 on the grid of ``fuse``; None if it is left out.
        findings: Notes about the images of this contrast, or why it is left out.
    """

    name: str
    volume: Optional[Volume]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class StationVolumes:
    """One contrast of each station of a study, if it has it.

    Attributes:
        name: One of ``VOLUME_NAMES``, without the fat fraction.
        volumes: From head to foot, each with its own affine; uint16 as stored if that is the
            signal, else float32. Empty if the contrast is left out.
        findings: As of ``StitchedVolume``.
    """

    name: str
    volumes: tuple[Volume, ...]
    findings: tuple[Finding, ...] = ()


class StudyVolumes:
    """A study that was read, checked and accepted, while its files are open.

    Attributes:
        study: The study, with the findings of reading and of the checks.
    """

    def __init__(
        self, study: DixonStudy, fused: FusedVolumes, opened: Optional[OpenedStudy] = None
    ) -> None:
        """Hold a study and its fused volumes; without ``opened`` there are no other contrasts."""
        self.study = study
        self._fused: Optional[FusedVolumes] = fused
        self._opened = opened

    @property
    def fused(self) -> FusedVolumes:
        """Water and fat, until ``stitched`` or ``of_stations`` is called."""
        if self._fused is None:
            raise ValueError("the volumes were given away")
        return self._fused

    def stitched(self, names: Collection[str] = VOLUME_NAMES) -> Iterator[StitchedVolume]:
        """Yield volumes in the order of ``VOLUME_NAMES``; this can be done once.

        Args:
            names: The volumes to make.
        """
        fused, self._fused = self.fused, None
        if WATER in names:
            yield StitchedVolume(WATER, fused.water)
        if FAT in names:
            yield StitchedVolume(FAT, fused.fat)
        if FAT_FRACTION in names:
            yield StitchedVolume(FAT_FRACTION, fat_fraction_map(fused))
        layout = fused.layout
        del fused
        for name in (IN_PHASE, OPPOSED_PHASE):
            if name in names:
                yield self._stitched_phase(name, layout)

    def of_stations(self, names: Collection[str] = VOLUME_NAMES) -> Iterator[StationVolumes]:
        """Yield each contrast of the stations as it is stored; the stitched volumes are freed.

        Args:
            names: The contrasts to give; stations have no fat fraction.

        Raises:
            MimirError: ``STATIONS_UNKNOWN`` if the source is stitched volumes.
        """
        self._fused = None
        if self._opened is None:
            raise MimirError(
                "STATIONS_UNKNOWN",
                "the study was stitched before: its stations are not known",
                "Give the scan itself, or use another layout.",
            )
        for name in (WATER, FAT, IN_PHASE, OPPOSED_PHASE):
            if name not in names:
                continue
            contrast, found = _CONTRASTS[name], ContrastStations(self.study.stations, ())
            if contrast in PHASE_CONTRASTS:
                found = self._opened.contrast_stations(contrast)
            volumes = (Volume(s.images[contrast], s.affine) for s in found.stations)
            yield StationVolumes(name, tuple(volumes), found.findings)

    def _stitched_phase(self, name: str, layout: Optional[Layout]) -> StitchedVolume:
        contrast = _CONTRASTS[name]
        if self._opened is None or layout is None:
            reason = "the study was stitched before, and only water and fat are read"
            return StitchedVolume(name, None, (left_out(contrast.value, reason),))
        found = self._opened.contrast_stations(contrast)
        if not found.stations:
            return StitchedVolume(name, None, found.findings)
        placed = replace(layout, stations=found.stations)
        return StitchedVolume(name, fuse_contrast(placed, contrast), found.findings)


@contextmanager
def open_volumes(
    source: Source, name: Optional[str] = None, reading: ReadOptions = AS_STORED
) -> Iterator[StudyVolumes]:
    """Read, stitch and check one study, and give its volumes while its files are open.

    Examples:
        >>> with open_volumes("6000000_20201_2_0.zip") as opened:
        ...     for made in opened.stitched(["water", "in_phase"]):
        ...         print(made.name, made.volume.array.shape)
        water (371, 174, 224)
        in_phase (371, 174, 224)

    Args:
        source: Its files, or volumes that were stitched before.
        name: The study's name; by default that of its source.
        reading: How it is read; water and fat are exchanged back only with ``swap_repair``.

    Raises:
        MimirError: if the study cannot be read or stitched, or a check stops it.
    """
    if isinstance(source, (FusedFolder, VolumePair)):
        yield StudyVolumes(*read_and_fuse(source, name, reading))
        return
    with open_study(source, name, reading.reconstruction) as opened:
        study, fused = fuse_and_check(opened.study, reading)
        yield StudyVolumes(accept(study, reading), fused, opened)
