"""Make a scan profile of images, and of the numbers of their scans where these are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

import numpy as np

from mimir_engine.cohort.scanners.scan_number_table import (
    SCAN_NUMBERS_FILE,
    ScanNumberTable,
    read_scan_numbers,
)
from mimir_engine.inference_module.fit_profile import MIN_SCANS, UsualScans, fit_profile
from mimir_engine.inference_module.scan_profile import ScanProfile
from mimir_engine.measuring.network import Predictor
from mimir_engine.study.finding import NOTE_CODES
from mimir_engine.training.dataset import Dataset

#: Images in memory at once.
BLOCK = 256
#: Scans that a profile is made of: a share of 1 % is then known to 0.3 %.
MAX_SCANS = 4_000


@dataclass(frozen=True)
class ProfileMade:
    """A scan profile, and what is to be said about it.

    Attributes:
        profile: None if there are too few scans.
        notice: What it lacks, without a final full stop; empty if nothing.
    """

    profile: Optional[ScanProfile]
    notice: str = ""


def make_profile(
    predictor: Predictor,
    images: Dataset,
    folder: Path,
    is_own: bool = False,
    progress: Optional[Callable[[int, int], None]] = None,
) -> ProfileMade:
    """Make the scan profile of images.

    Args:
        predictor: The module whose first network's early layers are described.
        images: Usual scans, preferably not used in training.
        folder: Their folder, with `SCAN_NUMBERS_FILE` if the numbers are known.
        is_own: The scans are a user's own.
        progress: Called with (scans done, scans in all).

    Raises:
        MimirError: ``SCAN_NUMBERS_INVALID``.
    """
    if len(images) > MAX_SCANS:
        images = images.subset(np.linspace(0, len(images) - 1, MAX_SCANS).astype(int))
    names = [study.name for study in images.studies]
    table = _numbers(folder / SCAN_NUMBERS_FILE, names)
    scans = UsualScans(
        [study.person for study in images.studies],
        np.array([bool({*codes} - NOTE_CODES) for codes in table.findings], bool),
        table.names,
        table.values,
        _layers(predictor, images, progress),
    )
    profile = fit_profile(scans, predictor.module.weights[0].sha256, is_own)
    if profile is None:
        usual = int((~scans.flagged).sum())
        return ProfileMade(
            None,
            f"no scan profile: it needs {MIN_SCANS} scans that no check has flagged, and there are"
            f" {usual}",
        )
    if not table.names:
        return ProfileMade(
            profile,
            f"the scan profile describes images only: {SCAN_NUMBERS_FILE} is not there or lacks"
            " studies. Many unusual scans are not found",
        )
    return ProfileMade(profile)


def _layers(
    predictor: Predictor, images: Dataset, progress: Optional[Callable[[int, int], None]]
) -> dict[str, np.ndarray]:
    blocks = []
    for start in range(0, len(images), BLOCK):
        block = images.read_images(slice(start, start + BLOCK))
        blocks.append(predictor.predict_with_features(block)[1])
        if progress is not None:
            progress(min(start + BLOCK, len(images)), len(images))
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _numbers(path: Path, studies: list[str]) -> ScanNumberTable:
    """Return the numbers of these studies; none if those of any study are not known."""
    if path.exists():
        table = read_scan_numbers(path)
        places = {name: place for place, name in enumerate(table.studies)}
        if places.keys() >= {*studies}:
            rows = [places[name] for name in studies]
            findings = tuple(table.findings[row] for row in rows)
            return ScanNumberTable(tuple(studies), findings, table.names, table.values[rows])
    nothing = np.zeros((len(studies), 0))
    return ScanNumberTable(tuple(studies), ((),) * len(studies), (), nothing)
