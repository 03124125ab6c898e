"""Which series of a study the DICOM plugin loads as one, and that it is done once a press of Load.

Slicer's DICOM module lets readers outbid one another for each series, and counts what a reader
offers under the series of its first file only. So a study that is to be fused gets one main offer,
and a companion for each other series of the scan, all of which lead to the same nodes.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from MIMIRLib.database.completeness import (
    CONTRASTS,
    Completeness,
    NamedSeries,
    judge,
    kind_of,
)
from MIMIRLib.database.study_files import check_there

#: Fewer stations do not reach from neck to knee: scans of the trunk alone have two or three, and
#: keep their usual readers.
LEAST_STATIONS = 4
#: Words in the names of contrasts that are none by themselves, as in ``out_of_phase``.
_FILLERS = frozenset(("phase", "of", "only"))


@dataclass(frozen=True)
class ExaminedSeries:
    """One series of a study.

    Attributes:
        image_type: ImageType of one of its images.
        files: Its files; empty where the user did not choose it for loading.
    """

    uid: str
    description: str
    image_type: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class FusionPlan:
    """What of a study is loaded as one.

    Attributes:
        stations: Table positions with water and fat, repeats counted too.
        water, fat: Series to be fused; the main offer counts under the first of water.
        passed_over: The other series of the same scan, in-phase and opposed-phase.
    """

    stations: int
    water: tuple[ExaminedSeries, ...]
    fat: tuple[ExaminedSeries, ...]
    passed_over: tuple[ExaminedSeries, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The files of water and fat, those of the main offer's series first."""
        return files_of_all((*self.water, *self.fat))

    @property
    def companions(self) -> tuple[ExaminedSeries, ...]:
        """All series but the main offer's."""
        return (*self.water[1:], *self.fat, *self.passed_over)


def files_of_all(series: Iterable[ExaminedSeries]) -> tuple[str, ...]:
    """The files of several series."""
    return tuple(path for one in series for path in one.files)


def plan_fusion(study: Sequence[ExaminedSeries]) -> Optional[FusionPlan]:
    """How to load a study as one; None where its usual readers are to load it.

    It is fused where it looks complete and the user chose all of its water and fat series: who
    chose but some of them wants to see those.

    Args:
        study: All MR series of one study, chosen or not.
    """
    kinds = {series.uid: kind_of(series.description, series.image_type) for series in study}
    verdict = judge([NamedSeries(s.uid, s.description, kinds[s.uid]) for s in study])
    if verdict is None or verdict.completeness is not Completeness.COMPLETE:
        return None
    water, fat, in_phase, opposed_phase = (
        tuple(series for series in study if kinds[series.uid] is contrast) for contrast in CONTRASTS
    )
    needed = (*water, *fat)
    if verdict.stations < LEAST_STATIONS or not all(series.files for series in needed):
        return None
    names = {_scan_name(series.description) for series in needed}
    passed_over = tuple(
        series
        for series in (*in_phase, *opposed_phase)
        if series.files and _scan_name(series.description) in names
    )
    return FusionPlan(verdict.stations, water, fat, passed_over)


def _scan_name(description: str) -> tuple[str, ...]:
    """A description without the words for contrasts: the same for all contrasts of a scan."""
    words = re.findall(r"[a-z0-9]+", description.lower())
    return tuple(w for w in words if w not in _FILLERS and kind_of(w) not in CONTRASTS)


def read_fused(study_uid: str, files: Sequence[str]) -> tuple[Any, Any, Mapping[str, Any]]:
    """Fused water and fat (the engine's ``Volume``), and what they were fused from.

    Raises:
        MimirError: ``FILES_GONE``, and whatever is wrong with the study.
    """
    check_there(files, study_uid)
    from mimir_engine.fusion.fused_folder import describe_study
    from mimir_engine.measuring.one_study import read_and_fuse

    study, fused = read_and_fuse(files, study_uid)
    return fused.water, fused.fat, describe_study(study)


@dataclass
class OncePerPress:
    """Makes something once for all offers that Slicer loads at one press of Load.

    Slicer asks for each offer in turn and does not say where a press begins. But it asks for none
    twice: an offer that is asked for again begins the next press.

    Args:
        make: Makes it; None where that failed, which is not tried again for the other offers.
    """

    make: Callable[[], Optional[Any]]
    _made: Optional[Any] = None
    _served: set[Hashable] = field(default_factory=set)

    def __call__(self, offer: Hashable) -> Optional[Any]:
        """What was made at this press of Load."""
        if not self._served or offer in self._served:
            self._served, self._made = {offer}, None
            self._made = self.make()
        self._served.add(offer)
        return self._made
