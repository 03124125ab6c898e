"""Choose the series of a study that the DICOM plugin loads together, and load them once.

For each series, Slicer's DICOM module loads only the best of the readers' offers, and it counts an
offer under the series of its first file. So a study to be fused gets one main offer, and for each
other series of the scan a companion offer; all lead to the same nodes.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from MIMIRLib.database.completeness import (
    CONTRASTS,
    Series,
    SeriesKind,
    judge,
    kind_of,
    kinds_of,
    name_decides,
)
from MIMIRLib.database.image_types import sample
from MIMIRLib.database.study_files import check_files_exist

#: A scan with fewer stations does not reach from neck to knee and keeps its usual readers: scans of
#: the trunk have two or three.
MIN_STATIONS = 4
#: Words in the names of contrasts that are not contrasts themselves, as in ``out_of_phase``.
_FILLERS = frozenset(("phase", "of", "only"))


@dataclass(frozen=True)
class FusionPlan:
    """The series of a study that are loaded together.

    Attributes:
        stations: Table positions with water and fat, including repeats.
        water: Water series to be fused; the main offer counts under the first of them.
        fat: Fat series to be fused.
        unused: The other series of the same scan, in-phase and opposed-phase.

    A series with water and fat is in both.
    """

    stations: int
    water: tuple[Series, ...]
    fat: tuple[Series, ...]
    unused: tuple[Series, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The files of water and fat; those of the main offer's series come first."""
        return files_of_all(dict.fromkeys((*self.water, *self.fat)))

    @property
    def companions(self) -> tuple[Series, ...]:
        """All series except the main offer's."""
        return tuple(dict.fromkeys((*self.water, *self.fat, *self.unused)))[1:]


def files_of_all(series: Iterable[Series]) -> tuple[str, ...]:
    """Return the files of several series."""
    return tuple(path for one in series for path in one.files)


def kinds_of_files(
    description: str, files: Sequence[str], image_type: Callable[[str], str]
) -> tuple[SeriesKind, ...]:
    """Return the kinds of a series from its name and ImageType of its first file.

    Where the name does not decide and the file may be of a Dixon scan, some more files are read.

    Args:
        description: SeriesDescription.
        files: The series' files, at least one.
        image_type: Returns ImageType of a file, values joined by backslashes.
    """
    first = kind_of(description, image_type(files[0]))
    name_names_one = kind_of(description) in CONTRASTS and name_decides(description)
    if name_names_one or first is SeriesKind.OTHER:
        return (first,)
    return kinds_of(description, map(image_type, sample(files)))


def plan_fusion(study: Sequence[Series]) -> Optional[FusionPlan]:
    """Return how to load a study; None to leave it to its usual readers.

    A study is fused if it looks complete and the user chose all of its water and fat series. A user
    who chose only some of them gets just those.

    Args:
        study: All MR series of one study, chosen or not.
    """
    verdict = judge(study)
    if verdict is None or not verdict.is_paired:
        return None
    water, fat, in_phase, opposed_phase = (
        tuple(series for series in study if contrast in series.kinds) for contrast in CONTRASTS
    )
    needed = (*water, *fat)
    if verdict.stations < MIN_STATIONS or not all(series.files for series in needed):
        return None
    names = {_scan_name(series.description) for series in needed}
    unused = tuple(
        series
        for series in dict.fromkeys((*in_phase, *opposed_phase))
        if series not in needed and series.files and _scan_name(series.description) in names
    )
    return FusionPlan(verdict.stations, water, fat, unused)


def _scan_name(description: str) -> tuple[str, ...]:
    """Return a description without the words for contrasts: the same for all series of a scan."""
    words = re.findall(r"[a-z0-9]+", description.lower())
    return tuple(w for w in words if w not in _FILLERS and kind_of(w) not in CONTRASTS)


def read_fused(study_uid: str, files: Sequence[str]) -> tuple[Any, Mapping[str, Any]]:
    """Return the engine's ``FusedVolumes``, and the study that they were fused from.

    Raises:
        MimirError: ``FILES_GONE``, or the engine's error.
    """
    check_files_exist(files, study_uid)
    from mimir_engine.fusion.fused_folder import describe_study
    from mimir_engine.measuring.one_study import read_and_fuse

    study, fused = read_and_fuse(files, study_uid)
    return fused, describe_study(study)


@dataclass
class OncePerPress:
    """Makes something once for all offers that Slicer loads at one press of Load.

    Slicer asks for each offer in turn without marking the start of a press. But it asks for each
    offer only once per press, so an offer that is asked for again starts the next press.

    Args:
        make: Makes it, or returns None if that failed; it is not called again for the other offers.
    """

    make: Callable[[], Optional[Any]]
    _made: Optional[Any] = None
    _served: set[Hashable] = field(default_factory=set)

    def __call__(self, offer: Hashable) -> Optional[Any]:
        """Return what was made at this press of Load."""
        if not self._served or offer in self._served:
            self._served, self._made = {offer}, None
            self._made = self.make()
        self._served.add(offer)
        return self._made
