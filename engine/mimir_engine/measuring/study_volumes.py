"""Give all stitched volumes of one study, one after the other.

A scan has four contrasts of 60 MB each when they are stitched. Water and fat are needed together,
for the checks and the fat fraction; then their memory is freed, and in-phase and opposed-phase are
read and stitched one at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.fuse import Layout, fuse_contrast
from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.fusion.image_source import Source
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.headers.contrast import Contrast
from mimir_engine.measuring.one_study import accept, fuse_and_check, read_and_fuse
from mimir_engine.measuring.volume_names import (
    FAT,
    FAT_FRACTION,
    IN_PHASE,
    OPPOSED_PHASE,
    VOLUMES,
    WATER,
)
from mimir_engine.projection.fat_fraction_map import fat_fraction_map
from mimir_engine.study.dixon_study import DixonStudy
from mimir_engine.study.finding import Finding
from mimir_engine.study.phase_stations import ContrastStations, left_out
from mimir_engine.study.read import OpenedStudy, open_study
from mimir_engine.study.read_options import AS_STORED, ReadOptions
from mimir_engine.study.station import Station
from mimir_engine.study.volume import Volume

_CONTRASTS = {
    WATER: Contrast.WATER,
    FAT: Contrast.FAT,
    IN_PHASE: Contrast.IN_PHASE,
    OPPOSED_PHASE: Contrast.OPPOSED_PHASE,
}


@dataclass(frozen=True)
class ContrastVolumes:
    """The volumes of one contrast of a study.

    Attributes:
        name: One of ``VOLUMES``.
        volumes: The stitched volume, float32 on the grid of ``fuse``; or one per station from head
            to foot, each with its own affine, uint16 as stored if that is the signal, else
            float32. Empty if the contrast is left out.
        findings: Notes about its images, or why it is left out.
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

    def stitched(self, names: Collection[str] = VOLUMES) -> Iterator[ContrastVolumes]:
        """Yield the stitched volumes: water, fat, fat fraction, in-phase, opposed-phase.

        This can be done once. Without references to them, volumes are freed as the next are made.

        Args:
            names: The volumes to make.
        """
        fused, self._fused = self.fused, None
        if WATER in names:
            yield ContrastVolumes(WATER, (fused.water,))
        if FAT in names:
            yield ContrastVolumes(FAT, (fused.fat,))
        if FAT_FRACTION in names:
            yield ContrastVolumes(FAT_FRACTION, (fat_fraction_map(fused),))
        layout = fused.layout
        del fused
        for name in (IN_PHASE, OPPOSED_PHASE):
            if name in names:
                read = self._phase(name)
                yield ContrastVolumes(
                    name, _stitched(read, layout, _CONTRASTS[name]), read.findings
                )

    def of_stations(self, names: Collection[str] = VOLUMES) -> Iterator[ContrastVolumes]:
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
                "these volumes are stitched, and their stations are not known",
                "Give the scan itself, or another --layout.",
            )
        for name in (WATER, FAT):
            if name in names:
                yield ContrastVolumes(name, _as_stored(self.study.stations, _CONTRASTS[name]))
        for name in (IN_PHASE, OPPOSED_PHASE):
            if name in names:
                read = self._phase(name)
                volumes = _as_stored(read.stations, _CONTRASTS[name])
                yield ContrastVolumes(name, volumes, read.findings)

    def _phase(self, name: str) -> ContrastStations:
        contrast = _CONTRASTS[name]
        if self._opened is not None:
            return self._opened.contrast_stations(contrast)
        reason = "only water and fat are read from stitched volumes"
        return ContrastStations((), (left_out(contrast.value, reason),))


def _stitched(
    read: ContrastStations, layout: Optional[Layout], contrast: Contrast
) -> tuple[Volume, ...]:
    if layout is None or not read.stations:
        return ()
    return (fuse_contrast(replace(layout, stations=read.stations), contrast),)


def _as_stored(stations: Sequence[Station], contrast: Contrast) -> tuple[Volume, ...]:
    return tuple(Volume(station.images[contrast], station.affine) for station in stations)


@contextmanager
def open_volumes(
    source: Source, name: Optional[str] = None, reading: ReadOptions = AS_STORED
) -> Iterator[StudyVolumes]:
    """Read, stitch and check one study, and give its volumes while its files are open.

    Examples:
        >>> with open_volumes("6000000_20201_2_0.zip") as opened:
        ...     for made in opened.stitched(["water", "in_phase"]):
        ...         print(made.name, made.volumes[0].array.shape)
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
        yield _checked(opened, reading)


def _checked(opened: OpenedStudy, reading: ReadOptions) -> StudyVolumes:
    study, fused = fuse_and_check(opened.study, reading)
    return StudyVolumes(accept(study, reading), fused, opened)
